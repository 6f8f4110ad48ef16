"""One event with all that belongs to it: who did what to it, and the record's events before and after."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final

from integration.ledger import EventStatus, Ledger
from integration.ledger.audit_log import AuditLog
from integration.ledger.queries import Queries
from integration.operations.carried import Carried
from integration.operations.status import read_known
from integration.tables import Entity

_NEAR: Final = 6
_MONTHS: Final = 3

EffectsOf = Callable[[str, str], Collection[str]]
"""The effects that an event of a table's message may have."""


@dataclass(frozen=True, slots=True)
class Looked:
    """An event; `near` are events of its record, newest first, itself among them."""

    status: EventStatus
    actions: Sequence[Entity]
    near: Sequence[EventStatus]
    effects: Sequence[str]
    carried: frozenset[str]


class Lookup:
    """Raises `Rejected` (400, 404) and `Outage`."""

    def __init__(
        self, ledger: Ledger, queries: Queries, log: AuditLog, effects_of: EffectsOf, carried: Carried
    ) -> None:
        self._ledger = ledger
        self._queries = queries
        self._log = log
        self._effects_of = effects_of
        self._carried = carried

    async def event(self, event_id: str) -> Looked:
        """The event of this id, with what the ledger knows around it."""
        status = await read_known(self._ledger, event_id)
        actions, near = await asyncio.gather(self._log.about_event(event_id), self._near(status))
        return Looked(
            status,
            actions,
            near,
            tuple(self._effects_of(status.table, status.message)),
            self._carried.names(status),
        )

    async def _near(self, status: EventStatus) -> Sequence[EventStatus]:
        """A few events of the record on either side, of the newest months."""
        if not status.record_id:
            return ()
        months = (await self._ledger.months())[:_MONTHS]
        found = await self._queries.by_record(status.table, status.record_id, months)
        at = next((place for place, it in enumerate(found) if it.event_id == status.event_id), 0)
        return found[max(0, at - _NEAR) : at + _NEAR + 1]
