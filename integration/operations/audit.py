"""Who did what to events, records and systems, and why: written before it is done, with its outcome after.

The table `audit` has a partition for each month (`yyyyMM`), in it rows by time. It is kept: retention leaves it alone.
It holds ids, names, counts and what people wrote as their reason, never the values of columns.
"""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from integration.clock import Clock
from integration.errors import Fault, IntegrationError, Rejected
from integration.ledger import Ledger, keys, rows
from integration.tables import Entity, quoted
from integration.telemetry import get_logger

_LONGEST_WHY: Final = 500
_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Subject:
    """What an action is about: an event, a record (or a table's records, in counts), a system."""

    event_id: str = ""
    table: str = ""
    record_id: str = ""
    system: str = ""
    count: int = 0


@dataclass(slots=True)
class Entry:
    """An action under way; `outcome` is written when it is over."""

    by: str
    why: str
    outcome: str = "done"


class Audit:
    """Writes the audit. Raises `Outage` where the tables are away: what cannot be written down is not done."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock

    @asynccontextmanager
    async def action(self, what: str, about: Subject, *, by: str, why: str) -> AsyncIterator[Entry]:
        """An action: written down before the block, its outcome after it.

        An entry without outcome is of a process that ended in between: whether the action was done is not known then.
        Raises `Rejected` (400) where nobody or no reason is named.
        """
        entry = Entry(by, _checked(by, why))
        keyed = self._keys()
        table = self._ledger.table(keys.AUDIT)
        await table.insert({**keyed, "what": what, **_row(about, entry), "time": rows.iso(self._clock.now())})
        try:
            yield entry
        except Exception as error:
            entry.outcome = _outcome_of(error)
            raise
        finally:
            await self._finish(keyed, entry)
        _log.info("operation-done", operation=what, caller=by, event_id=about.event_id, count=about.count)

    async def entries(self, month: str, *, event_id: str = "") -> list[Entity]:
        """The entries of a month (`yyyyMM`), newest first: all of them, or those about one event."""
        where = f"PartitionKey eq '{quoted(month)}'"
        if event_id:
            where += f" and eventId eq '{quoted(event_id)}'"
        found = [it async for it in self._ledger.table(keys.AUDIT).query(where)]
        return sorted(found, key=lambda it: str(it["RowKey"]), reverse=True)

    async def _finish(self, keyed: Entity, entry: Entry) -> None:
        """What was done is done, also where that cannot be written down."""
        ended = {"outcome": entry.outcome, "endedTime": rows.iso(self._clock.now())}
        try:
            await self._ledger.table(keys.AUDIT).merge({**keyed, **ended})
        except IntegrationError as error:
            _log.warning("audit-not-finished", error=error, caller=entry.by)

    def _keys(self) -> Entity:
        now = self._clock.now()
        return {"PartitionKey": keys.month_at(now), "RowKey": f"{rows.iso(now)}.{secrets.token_hex(4)}"}


def _checked(by: str, why: str) -> str:
    """The reason, as far as it is kept."""
    missing = [name for name, value in (("by", by), ("why", why)) if not value.strip()]
    if missing:
        raise Rejected(
            400,
            "A reason is required",
            "Say why this is done, in a sentence that somebody else understands later.",
            faults=tuple(Fault(f"/{name}", "is missing or empty") for name in missing),
        )
    return why.strip()[:_LONGEST_WHY]


def _row(about: Subject, entry: Entry) -> Entity:
    return {
        "who": entry.by,
        "why": entry.why,
        "eventId": about.event_id,
        "table": about.table,
        "recordId": about.record_id,
        "system": about.system,
        "count": about.count,
        "outcome": "",
    }


def _outcome_of(error: Exception) -> str:
    """In words of ours: the message of an error may quote what others sent."""
    if isinstance(error, Rejected):
        return f"refused: {error.title}"
    return f"failed: {error.reason if isinstance(error, IntegrationError) else type(error).__name__}"
