"""Postponing an event that waits until a given time."""

from datetime import datetime, timedelta
from typing import Final

from integration.clock import Clock, iso
from integration.errors import Fault, Rejected
from integration.ledger import Ledger, State, keys
from integration.operations.audit import Audit, Subject
from integration.operations.originals import Originals, check
from integration.protection import Postponements
from integration.tables import Entity

LONGEST: Final = timedelta(days=30)
REASON: Final = "postponed"


class Postpone:
    """An event that waits is tried again at a given time, later than it would be, and does not age until then.

    That holds for this event: a later change of its record is an event of its own and brings the systems to the state
    of the row, after which this one finds nothing left to do. Raises `Rejected` and `Transient`.
    """

    def __init__(
        self, ledger: Ledger, originals: Originals, postponements: Postponements, audit: Audit, clock: Clock
    ) -> None:
        self._ledger = ledger
        self._originals = originals
        self._postponements = postponements
        self._audit = audit
        self._clock = clock

    async def postpone(self, event_id: str, until: datetime, *, by: str, why: str) -> datetime:
        """Postpone it; returns when it is tried again. A copy that comes earlier is scheduled again for `until`."""
        async with self._audit.action("postpone", Subject(event_id), by=by, why=why) as entry:
            original = await self._originals.known(event_id)
            check(original, "postpone")
            self._check_time(until, original.next_attempt)
            await self._postponements.postpone(event_id, until, by=by)
            columns: Entity = {
                "reason": REASON,
                "detail": f"{by} has postponed it until {iso(until)}",
                "nextAttempt": iso(until),
            }
            partition, row = keys.problem_keys(State.WAITING.value, event_id)
            await self._ledger.table(keys.PROBLEMS).merge({"PartitionKey": partition, "RowKey": row, **columns})
            await self._originals.show(original, entry, columns)
            entry.outcome = f"until {iso(until)}"
            return until

    def _check_time(self, until: datetime, next_attempt: datetime | None) -> None:
        now = self._clock.now()
        if not now < until <= now + LONGEST:
            detail = f"Name a time within the next {LONGEST.days} days."
            raise Rejected(400, "The event cannot be postponed", detail, faults=(Fault("/until", "is not in time"),))
        if next_attempt is not None and until <= next_attempt:
            detail = f"It is not tried before {iso(next_attempt)} anyway. To try it now, send it again (retry)."
            raise Rejected(409, "The event cannot be postponed", detail)
