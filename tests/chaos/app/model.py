"""What a row's final state demands of ERP, credit scoring and the row's own result columns.

Written from docs/explanation/architecture.md ("What is decided for which change") and from the rules of the outside
systems, not from the app's code: where the two disagree, one of them is wrong.
"""

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from tests.books.history import History, Json

NO_CURRENCY = "XXX"
OPEN, WON = 0, 1
SYNCED, FAILED = 1, 2
DECISIONS = {"approved": 1, "review": 2, "refused": 3}


def disagreements(history: History) -> Iterator[str]:
    """Where the outside world is not as the rows demand."""
    done: dict[str, list[Json]] = defaultdict(list)
    for effect in history.effects:
        done[effect["id"]].append(effect)
    for record, row in history.rows.items():
        table, _, row_id = record.partition(":")
        effects = done[row_id]
        found = _account(row, effects, history) if table == "account" else _opportunity(row, effects, history)
        for told in found:
            yield f"{record}: {told}"


def _account(row: Json | None, effects: list[Json], history: History) -> Iterator[str]:
    if row is None:
        if effects and effects[-1]["body"]["status"] != "blocked":
            yield "deleted, but the ERP customer is not blocked"
        return
    if _currency(row, history) == NO_CURRENCY:
        yield from _differs("syncstatus", row["new_syncstatus"], FAILED)
        return
    if not effects:
        yield "the ERP has no customer"
        return
    body = effects[-1]["body"]
    yield from _differs("ERP name", body["name"], row["name"])
    yield from _differs("ERP phone", body["phone"], row["telephone1"])
    yield from _differs("ERP currency", body["currency"], _currency(row, history))
    yield from _differs("ERP status", body["status"], "active")
    yield from _synced(row, effects[-1]["number"])


def _opportunity(row: Json | None, orders: list[Json], history: History) -> Iterator[str]:
    if row is None or row["statecode"] != WON:
        if orders and orders[-1]["body"]["status"] != "on-hold":
            yield "not won any more, but its order is not on hold"
        if row is None:
            return
    if _currency(row, history) == NO_CURRENCY:
        yield from _differs("syncstatus", row["new_syncstatus"], FAILED)
    elif row["statecode"] == WON:
        yield from _ordered(row, orders, history)
    else:
        yield from _scored(row, history)
        yield from _synced(row, orders[-1]["number"] if orders else None)


def _ordered(row: Json, orders: list[Json], history: History) -> Iterator[str]:
    if not orders:
        yield "won, but the ERP has no order"
        return
    body = orders[-1]["body"]
    yield from _differs("order status", body["status"], "confirmed")
    yield from _differs("order title", body["title"], row["name"])
    yield from _differs("order amount", Decimal(body["amount"]), Decimal(str(row["actualvalue"])))
    yield from _differs("order currency", body["currency"], _currency(row, history))
    yield from _differs("order customer", body["customerId"], row["_customerid_value"])
    yield from _differs("order date", body["closedOn"], row["actualclosedate"])
    yield from _synced(row, orders[-1]["number"])


def _scored(row: Json, history: History) -> Iterator[str]:
    wanted = _wanted_score(row, history)
    charged = [it for it in history.charges if it["reference"] == wanted[0] and scored_for(it) == wanted]
    if not charged:
        yield f"never scored for {wanted[2]} {wanted[3]}"
        return
    yield from _differs("credit score", row["new_creditscore"], charged[-1]["score"])
    yield from _differs("credit decision", row["new_creditdecision"], DECISIONS[charged[-1]["decision"]])


def _synced(row: Json, number: str | None) -> Iterator[str]:
    yield from _differs("erpnumber", row["new_erpnumber"], number)
    yield from _differs("syncstatus", row["new_syncstatus"], SYNCED)
    yield from _differs("syncmessage", row["new_syncmessage"], None)


def scored_for(charge: Json) -> tuple[str, str, Decimal, str]:
    """What was charged for: opportunity, customer, amount, currency."""
    return charge["reference"], charge["subjectId"], Decimal(charge["amount"]), charge["currency"]


def _wanted_score(row: Json, history: History) -> tuple[str, str, Decimal, str | None]:
    amount = Decimal(str(row["estimatedvalue"]))
    return row["opportunityid"], row["_customerid_value"], amount, _currency(row, history)


def _currency(row: Json, history: History) -> str | None:
    return history.currencies.get(row["_transactioncurrencyid_value"])


def _differs(what: str, found: Any, wanted: Any) -> Iterator[str]:
    if found != wanted:
        yield f"{what} is {found!r}, the row demands {wanted!r}"
