"""Lists of events, by what is wrong with them, by record, correlation id or time."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from integration.clock import Clock
from integration.errors import Rejected
from integration.ledger import EventStatus, State
from integration.ledger.queries import LISTED, PROBLEM_STATES, Problem, Queries

_LONGEST: Final = timedelta(hours=48)
_LOOKED_THROUGH: Final = 1_000
"""The newest events of a time of which those that were asked for are listed."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which events; what is not given does not narrow. Times are of operations, aware; `end` without a value is now.

    One of correlation id, record (with its table) and time says where to look, in this order; without any of them
    the list of problems is read.
    """

    state: str | None = None
    reason: str | None = None
    system: str | None = None
    table: str | None = None
    record_id: str | None = None
    correlation_id: str | None = None
    start: datetime | None = None
    end: datetime | None = None


class Search:
    """Reads a bounded part of the ledger for each list; raises `Rejected` (400) and `Outage` where tables are away."""

    def __init__(self, queries: Queries, clock: Clock) -> None:
        self._queries = queries
        self._clock = clock

    async def events(self, wanted: Filter) -> list[EventStatus]:
        """100 events at most: newest first by time and record, oldest first by correlation id and for problems."""
        if wanted.correlation_id:
            found = await self._queries.by_correlation(wanted.correlation_id)
        elif wanted.record_id:
            if not wanted.table:
                raise _refused("A record is named by its table and its id: give both.")
            found = await self._queries.by_record(wanted.table, wanted.record_id)
        elif wanted.start or wanted.end:
            found = await self._by_time(wanted)
        else:
            problems = await self.problems(wanted, most=LISTED)
            found = await self._queries.read_all([it.event_id for it in problems])
            return found[:LISTED]
        return [it for it in found if _is(wanted, it)][:LISTED]

    async def problems(self, wanted: Filter, *, most: int = 1_000) -> list[Problem]:
        """Dead-lettered events, or those that wait (state `waiting`), or systems found behind (`system-behind`).

        Oldest first; only state, reason, system and table narrow.
        """
        state = wanted.state or State.DEAD_LETTERED.value
        if state not in PROBLEM_STATES:
            names = ", ".join(PROBLEM_STATES)
            raise _refused(f"Problems are listed by the states {names}; give a time for events in other states.")
        return await self._queries.problems(
            state, reason=wanted.reason or "", system=wanted.system or "", table=wanted.table or "", most=most
        )

    async def _by_time(self, wanted: Filter) -> list[EventStatus]:
        end = wanted.end or self._clock.now()
        start = wanted.start or end - timedelta(hours=1)
        if not timedelta(0) <= end - start <= _LONGEST:
            raise _refused("The start has to be before the end, by 48 hours at most.")
        return await self._queries.by_time(start, end, most=_LOOKED_THROUGH)


def _is(wanted: Filter, found: EventStatus) -> bool:
    pairs = (
        (wanted.state, found.state.value),
        (wanted.reason, found.reason),
        (wanted.system, found.system),
        (wanted.table, found.table),
        (wanted.record_id, found.record_id),
    )
    return all(value is None or value == has for value, has in pairs)


def _refused(detail: str) -> Rejected:
    return Rejected(400, "This list cannot be given", detail)
