"""The bureau's rule, which gives the same score for the same amount, and its charges."""

import sqlite3
import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from sandbox.systems.rest import Answer, Refused, check_amount, check_currency, now

SCHEMA = """
CREATE TABLE IF NOT EXISTS charges (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT, key TEXT, scoreId TEXT, subjectId TEXT, subjectKind TEXT,
    amount TEXT, currency TEXT, reference TEXT, score INTEGER, decision TEXT);
"""
VALID_DAYS = 30
REFUSED_FROM = Decimal(1_000_000)
REVIEW_FROM = Decimal(250_000)


class Bureau:
    """Scores requests; callers hold the transaction."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def score(self, body: dict[str, Any], key: str) -> Answer:
        """Score one request and charge it; 422 for what cannot be scored."""
        amount = check_amount(body.get("amount"))
        check_currency(body.get("currency"))
        if body.get("subjectKind") not in {"account", "contact"}:
            kind = body.get("subjectKind")
            raise Refused(422, "unknown-subject-kind", f"The subjectKind {kind!r} is unknown. Send account or contact.")
        for name in ("subjectId", "reference"):
            if not isinstance(body.get(name), str) or not body[name]:
                raise Refused(422, "field-missing", f"The field {name} is missing. Send it.")
        points, decision = _rule(Decimal(amount))
        charge = {name: body[name] for name in ("subjectId", "subjectKind", "amount", "currency", "reference")}
        charge |= {"at": now(), "key": key, "scoreId": str(uuid.uuid4()), "score": points, "decision": decision}
        self._database.execute(
            "INSERT INTO charges"
            " (at, key, scoreId, subjectId, subjectKind, amount, currency, reference, score, decision) "
            "VALUES (:at, :key, :scoreId, :subjectId, :subjectKind, :amount, :currency, :reference, :score, :decision)",
            charge,
        )
        until = datetime.now(UTC) + timedelta(days=VALID_DAYS)
        valid_until = until.strftime("%Y-%m-%dT%H:%M:%SZ")
        return 200, {"scoreId": charge["scoreId"], "score": points, "decision": decision, "validUntil": valid_until}

    def charges(self) -> list[dict[str, Any]]:
        """Everything charged, oldest first."""
        return [dict(line) for line in self._database.execute("SELECT * FROM charges ORDER BY seq")]


def _rule(amount: Decimal) -> tuple[int, str]:
    if amount >= REFUSED_FROM:
        return 200, "refused"
    if amount >= REVIEW_FROM:
        return 500, "review"
    return 800, "approved"
