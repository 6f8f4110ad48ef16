"""What people do to events, records, tables and systems is written down before it is done, with its outcome after."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from integration.clock import Clock
from integration.errors import Fault, IntegrationError, Rejected
from integration.ledger import Ledger
from integration.ledger.audit_log import AuditLog
from integration.tables import Entity
from integration.telemetry import get_logger

_LONGEST_WHY: Final = 500
_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Subject:
    """What an action is about: an event, a table or records of it, a system, a bulk operation, a cause, or events.

    Records are counts, events those of a correlation id; `reason` is that of a cause. `changes` says what was changed;
    of values that events carry, without the values.
    """

    event_id: str = ""
    table: str = ""
    system: str = ""
    count: int = 0
    bulk_id: str = ""
    changes: str = ""
    reason: str = ""
    correlation_id: str = ""


@dataclass(slots=True)
class Entry:
    """An action under way; `outcome` is written when it is over."""

    by: str
    why: str
    outcome: str = "done"


class Audit:
    """Writes the audit. Raises `Outage` where the tables are away: what cannot be written down is not done."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._audit_log = AuditLog(ledger, clock)

    @asynccontextmanager
    async def action(self, what: str, about: Subject, *, by: str, why: str) -> AsyncIterator[Entry]:
        """An action: written down before the block, its outcome after it.

        Raises `Rejected` (400) where nobody or no reason is named.
        """
        entry = Entry(by, _checked(by, why))
        opened = await self._audit_log.start(what, who=by, why=entry.why, about=columns_of(about))
        try:
            yield entry
        except Exception as error:
            entry.outcome = _outcome_of(error)
            raise
        finally:
            try:
                await self._audit_log.end(opened, entry.outcome)
            except IntegrationError as error:  # what was done is done
                _log.warning("audit-not-finished", error=error, caller=by)
        _log.info("operation-done", operation=what, caller=by, event_id=about.event_id, count=about.count)


def columns_of(about: Subject) -> Entity:
    """The columns of an entry, of those that say anything."""
    columns: Entity = {
        "eventId": about.event_id,
        "table": about.table,
        "system": about.system,
        "count": about.count,
        "bulkId": about.bulk_id,
        "changes": about.changes,
        "reason": about.reason,
        "correlationId": about.correlation_id,
    }
    return {name: value for name, value in columns.items() if value}


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


def _outcome_of(error: Exception) -> str:
    """In words of ours: the message of an error may quote what others sent."""
    if isinstance(error, Rejected):
        return f"refused: {error.title}"
    return f"failed: {error.reason if isinstance(error, IntegrationError) else type(error).__name__}"
