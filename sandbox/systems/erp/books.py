"""The ERP's rules: each number is given once, older versions are refused, and its ledger has one line per effect."""

import json
import sqlite3
from datetime import date
from decimal import Decimal
from typing import Any

from sandbox.systems.erp.earlier import NUMBER, Earlier, number_of
from sandbox.systems.rest import Answer, Refused, check_amount, check_currency, now

SCHEMA = """
CREATE TABLE IF NOT EXISTS customers (id TEXT PRIMARY KEY, number INTEGER, version INTEGER, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS orders (id TEXT PRIMARY KEY, number INTEGER, version INTEGER, body TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS customers_by_number ON customers (number);
CREATE INDEX IF NOT EXISTS orders_by_number ON orders (number);
CREATE TABLE IF NOT EXISTS reports (kind TEXT, id TEXT, body TEXT NOT NULL, PRIMARY KEY (kind, id));
CREATE TABLE IF NOT EXISTS effects (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT, kind TEXT, id TEXT, number TEXT, key TEXT, body TEXT);
"""
_SINGULAR = {"customers": "customer", "orders": "order"}
_NUMBER = {"customers": ("customerNumber", NUMBER), "orders": ("orderNumber", "SO-{:06d}")}
_OWED = {"shipped", "invoiced"}
_STATUS = {"customers": {"active", "blocked"}, "orders": {"confirmed", "on-hold"}}


class Books:
    """Customers and orders; callers hold the transaction."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self.earlier = Earlier(database)
        self.closed_until = ""
        """The last day (YYYY-MM-DD) of the periods that are closed: no order of one is taken or changed."""

    def match(self, row_id: str, keys: dict[str, Any]) -> dict[str, Any]:
        """Which customer a PUT with these keys would take; changes nothing."""
        found = self._find("customers", row_id)
        if found is not None:
            return {"outcome": "linked", "numbers": [number_of(found)]}
        return self.earlier.match(keys).answer

    def get(self, kind: str, row_id: str) -> dict[str, Any] | None:
        """The resource as stored, with its number; None if it does not exist."""
        found = self._find(kind, row_id)
        return None if found is None else _representation(kind, found)

    def put(self, kind: str, row_id: str, body: dict[str, Any], key: str, *, force: bool = False) -> Answer:
        """Create the resource, or bring it to this state.

        Fields that are not in the body stay, and null clears a field.

        409 for an older sourceVersion than the stored one unless forced, 422 for invalid content.

        A customer that is put with `match` is first looked for among those that belong to no id (`earlier.py`).
        """
        found, keys = self._find(kind, row_id), body.pop("match", None)
        if found is None and kind == "customers" and keys is not None:
            found = self.earlier.taken(row_id, keys)
            body = {name: value for name, value in body.items() if value is not None} if found is not None else body
        if found is None:
            self._check(kind, body)
            number = self._database.execute(f"SELECT COUNT(*) + 1 FROM {_table(kind)}").fetchone()[0]  # noqa: S608 -- a constant
        else:
            body = _merged(json.loads(found["body"]), {"sourceVersion": None} | body)
            self._check(kind, body)
            number = found["number"]
            if not force:
                _refuse_stale(found, body["sourceVersion"])
        status, answer = self._store(kind, row_id, number, body, key, created=found is None)
        return status, answer | {"replacedVersion": None if found is None else found["version"]}

    def patch(self, kind: str, row_id: str, body: dict[str, Any], key: str) -> Answer:
        """Change the status of what exists; 404 otherwise."""
        found = self._find(kind, row_id)
        if found is None:
            raise Refused(404, "not-found", f"There is no {_SINGULAR[kind]} with this id. Create it first.")
        _check_status(kind, body)
        _refuse_stale(found, body.get("sourceVersion", found["version"]))
        return self._store(kind, row_id, found["number"], json.loads(found["body"]) | body, key, created=False)

    def report(self, kind: str, row_id: str) -> dict[str, Any] | None:
        """How an order has come on, or how a customer stands; None if it does not exist."""
        found = self._find(kind, row_id)
        if found is None:
            return None
        field, form = _NUMBER[kind]
        noted = self._noted(kind, row_id)
        if kind == "orders":
            noted = {"status": json.loads(found["body"])["status"]} | noted
        return {field: form.format(found["number"])} | noted

    def listed(self, kind: str, skip: int, top: int, row_id: str = "") -> dict[str, Any]:
        """Rows in the order of their numbers, or the one with this id, and how many there are in all."""
        narrowed, given = ("WHERE id = ?", [row_id]) if row_id else ("", [])
        table = _table(kind)
        count = self._database.execute(f"SELECT COUNT(*) FROM {table} {narrowed}", given).fetchone()[0]  # noqa: S608 -- constants
        rows = self._database.execute(
            f"SELECT * FROM {table} {narrowed} ORDER BY number LIMIT ? OFFSET ?",  # noqa: S608 -- constants
            [*given, top, skip],
        )
        return {"value": [self._listed_row(kind, row) for row in rows], "count": count}

    def _listed_row(self, kind: str, row: sqlite3.Row) -> dict[str, Any]:
        body, noted = _representation(kind, row), self._noted(kind, row["id"])
        if kind == "orders":
            names = ("id", "orderNumber", "customerId", "amount", "currency", "status")
            return {name: (body | noted).get(name) for name in names}
        names = ("id", "customerNumber", "name", "email", "phone", "currency")
        on_hold = bool(noted.get("onHold")) or body["status"] == "blocked"
        listed = {name: body.get(name) for name in names} | {"balance": noted.get("balance"), "onHold": on_hold}
        return listed | {"city": (body.get("address") or {}).get("city")}

    def note(self, kind: str, row_id: str, changes: dict[str, Any]) -> dict[str, Any]:
        """People in the ERP change what is reported of something; 404 where it does not exist.

        What is delivered is owed: the amount of the order is added to the balance of its customer.
        """
        found = self._find(kind, row_id)
        if found is None:
            raise Refused(404, "not-found", f"There is no {_SINGULAR[kind]} with this id.")
        if kind == "orders" and changes.get("status") in _OWED and self._noted(kind, row_id).get("status") not in _OWED:
            self._owe(json.loads(found["body"]))
        self._database.execute(
            "INSERT OR REPLACE INTO reports VALUES (?, ?, ?)",
            (kind, row_id, json.dumps(self._noted(kind, row_id) | changes)),
        )
        return self.report(kind, row_id) or {}

    def _owe(self, order: dict[str, Any]) -> None:
        customer = str(order["customerId"]).lower()
        balance = Decimal(self._noted("customers", customer).get("balance") or 0) + Decimal(order["amount"])
        self.note("customers", customer, {"balance": f"{balance:.2f}"})

    def _noted(self, kind: str, row_id: str) -> dict[str, Any]:
        found = self._database.execute("SELECT body FROM reports WHERE kind = ? AND id = ?", (kind, row_id)).fetchone()
        noted: dict[str, Any] = {} if found is None else json.loads(found["body"])
        return noted

    def effects(self) -> list[dict[str, Any]]:
        """The effects that were really done, oldest first."""
        lines = self._database.execute("SELECT * FROM effects ORDER BY seq")
        return [
            {name: line[name] for name in ("at", "kind", "id", "number", "key")} | {"body": json.loads(line["body"])}
            for line in lines
        ]

    def _find(self, kind: str, row_id: str) -> sqlite3.Row | None:
        row: sqlite3.Row | None = self._database.execute(
            f"SELECT * FROM {_table(kind)} WHERE id = ?",  # noqa: S608 -- a constant
            (row_id,),
        ).fetchone()
        return row

    def _store(self, kind: str, row_id: str, number: int, body: dict[str, Any], key: str, *, created: bool) -> Answer:
        text = json.dumps(body)
        self._database.execute(
            f"INSERT OR REPLACE INTO {_table(kind)} VALUES (?, ?, ?, ?)",  # noqa: S608 -- a constant
            (row_id, number, body["sourceVersion"], text),
        )
        field, form = _NUMBER[kind]
        effect = f"{_SINGULAR[kind]}-{'created' if created else 'updated'}"
        self._database.execute(
            "INSERT INTO effects (at, kind, id, number, key, body) VALUES (?, ?, ?, ?, ?, ?)",
            (now(), effect, row_id, form.format(number), key, text),
        )
        answer = {
            field: form.format(number),
            "id": row_id,
            "status": body["status"],
            "sourceVersion": body["sourceVersion"],
        }
        return (201 if created else 200), answer

    def _check(self, kind: str, body: dict[str, Any]) -> None:
        """Refuse content that the ERP would not book."""
        if not isinstance(body.get("sourceVersion"), int):
            raise Refused(422, "invalid-source-version", "sourceVersion is not an integer. Send the row's version.")
        _check_status(kind, body)
        currency = body.get("currency")
        if kind == "orders" or currency is not None:
            check_currency(currency)
        if kind == "customers":
            _check_customer(body)
        else:
            _check_order(body)
            self._check_period(body.get("closedOn"))
            self._check_customer_of(body)

    def _check_period(self, day: str | None) -> None:
        if day and day <= self.closed_until:
            raise Refused(422, "period-closed", f"The period of {day} is closed. Open it, or send another closedOn.")

    def _check_customer_of(self, order: dict[str, Any]) -> None:
        """It has to be there, and may neither be blocked nor on hold."""
        customer_id = str(order.get("customerId", "")).lower()
        found = self._find("customers", customer_id)
        if found is None:
            raise Refused(422, "unknown-customer", "customerId names no customer of this ERP. Send the customer first.")
        if json.loads(found["body"])["status"] == "blocked" or self._noted("customers", customer_id).get("onHold"):
            raise Refused(422, "customer-blocked", f"Customer {number_of(found)} is blocked: it gets no order.")


def _check_status(kind: str, body: dict[str, Any]) -> None:
    allowed = _STATUS[kind]
    if body.get("status") not in allowed:
        wanted = " or ".join(sorted(allowed))
        raise Refused(422, "unknown-status", f"The status {body.get('status')!r} is unknown. Send {wanted}.")


def _merged(stored: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """`stored`, overwritten with the fields of `given`, in nested objects too."""
    merged = stored | given
    for name, value in given.items():
        if isinstance(value, dict) and isinstance(stored.get(name), dict):
            merged[name] = _merged(stored[name], value)
    return merged


def _check_customer(body: dict[str, Any]) -> None:
    if not isinstance(body.get("name"), str) or not body["name"].strip():
        raise Refused(422, "name-missing", "The customer has no name. Send one.")
    if body.get("kind") not in {"organisation", "person"}:
        raise Refused(422, "unknown-kind", f"The kind {body.get('kind')!r} is unknown. Send organisation or person.")


def _check_order(body: dict[str, Any]) -> None:
    check_amount(body.get("amount"))
    closed_on = body.get("closedOn")
    try:
        if closed_on is not None:
            date.fromisoformat(closed_on)
    except (TypeError, ValueError) as wrong:
        raise Refused(422, "invalid-date", f"closedOn {closed_on!r} is not a date. Send YYYY-MM-DD or null.") from wrong


def _refuse_stale(found: sqlite3.Row, version: object) -> None:
    if not isinstance(version, int) or version < found["version"]:
        raise Refused(
            409, "stale-version", f"Version {version} is older than version {found['version']}, which is stored."
        )


def _representation(kind: str, row: sqlite3.Row) -> dict[str, Any]:
    field, form = _NUMBER[kind]
    body: dict[str, Any] = json.loads(row["body"])
    return {field: form.format(row["number"]), "id": row["id"], **body}


def _table(kind: str) -> str:
    return "customers" if kind == "customers" else "orders"
