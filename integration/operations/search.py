"""Lists of events, by what is wrong with them, by record, correlation id or time."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from integration.clock import Clock
from integration.errors import Rejected
from integration.ledger import EventStatus, State
from integration.ledger.problems import PROBLEM_STATES, Problem, ProblemPage, Problems
from integration.ledger.queries import LISTED, Queries, minutes
from integration.operations.status import EVENT_ID

PAGE: Final = 8_000
"""Problems of a page at most: small ones would read each partition many times where there are very many."""
_LONGEST: Final = timedelta(hours=48)
_LOOKED_THROUGH: Final = 1_000
"""The newest events of a time, of which a page lists those that were asked for."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which events; what is not given does not narrow. Times are of operations, aware; `end` without a value is now.

    One of correlation id, number, record (with its table) and time says where to look, in this order; without any of
    them the list of problems is read. `number` is one that another system has given to rows of Dataverse.
    """

    state: str | None = None
    reason: str | None = None
    system: str | None = None
    table: str | None = None
    record_id: str | None = None
    correlation_id: str | None = None
    number: str | None = None
    start: datetime | None = None
    end: datetime | None = None


class Numbers(Protocol):
    """Finds rows by a number of another system; raises `Transient` where Dataverse is away."""

    async def find(self, number: str) -> list[tuple[str, str]]: ...


@dataclass(frozen=True, slots=True)
class EventPage:
    """Events; `following` continues the list, also where a page has none: others may be further back."""

    events: list[EventStatus]
    following: str | None = None


class Search:
    """Reads a bounded part of the ledger for each list; raises `Rejected` (400) and `Outage` where tables are away."""

    def __init__(self, queries: Queries, problems: Problems, numbers: Numbers, clock: Clock) -> None:
        self._queries = queries
        self._numbers = numbers
        self._problems = problems
        self._clock = clock

    async def events(self, wanted: Filter, *, following: str = "") -> EventPage:
        """100 events at most: newest first by time and record, oldest first by correlation id and for problems.

        By time, and for problems, `following` of the page before continues the list.
        """
        if wanted.correlation_id:
            found = await self._queries.by_correlation(wanted.correlation_id)
        elif wanted.number:
            records = await self._numbers.find(wanted.number)
            lists = await asyncio.gather(*(self._queries.by_record(table, row_id) for table, row_id in records))
            found = sorted((it for one in lists for it in one), key=lambda it: it.event_id, reverse=True)
        elif wanted.record_id:
            if not wanted.table:
                raise _refused("A record is named by its table and its id: give both.")
            found = await self._queries.by_record(wanted.table, wanted.record_id)
        elif wanted.start or wanted.end:
            return await self._by_time(wanted, following)
        else:
            page = await self.problem_page(wanted, most=LISTED, following=following)
            events = await self._queries.read_all([it.event_id for it in page.problems])
            return EventPage(events, page.following)
        return EventPage([it for it in found if _is(wanted, it)][:LISTED])

    async def problems(self, wanted: Filter, *, most: int) -> list[Problem]:
        """The first ones of `problem_page`."""
        state, narrowed = _narrowed(wanted)
        return await self._problems.first(state, most, **narrowed)

    async def problem_page(self, wanted: Filter, *, most: int = PAGE, following: str = "") -> ProblemPage:
        """Dead-lettered events, or those that wait (state `waiting`), or systems found behind (`system-behind`).

        The oldest operation first; all of the filter narrows but the correlation id, which problems do not have.
        """
        state, narrowed = _narrowed(wanted)
        if following and not EVENT_ID.fullmatch(following):
            raise _no_page()
        return await self._problems.page(state, most=most, after=following, **narrowed)

    async def _by_time(self, wanted: Filter, following: str) -> EventPage:
        end = wanted.end or self._clock.now()
        start = wanted.start or end - timedelta(hours=1)
        if not timedelta(0) <= end - start <= _LONGEST:
            raise _refused("The start has to be before the end, by 48 hours at most.")
        if following and not EVENT_ID.fullmatch(following):
            raise _no_page()
        ids = await self._queries.ids_by_time(start, end, most=_LOOKED_THROUGH, before=following)
        found: list[EventStatus] = []
        for at in range(0, len(ids), LISTED):
            looked_at = ids[at : at + LISTED]
            for status in await self._queries.read_all(looked_at):
                if _is(wanted, status):
                    found.append(status)
                    if len(found) == LISTED:
                        return EventPage(found, status.event_id)
        return EventPage(found, ids[-1] if len(ids) == _LOOKED_THROUGH else None)


def _is(wanted: Filter, found: EventStatus) -> bool:
    pairs = (
        (wanted.state, found.state.value),
        (wanted.reason, found.reason),
        (wanted.system, found.system),
        (wanted.table, found.table),
        (wanted.record_id, found.record_id),
    )
    return all(value is None or value == has for value, has in pairs)


def _narrowed(wanted: Filter) -> tuple[str, dict[str, str]]:
    """The state of problems, and what narrows their list."""
    state = wanted.state or State.DEAD_LETTERED.value
    if state not in PROBLEM_STATES:
        names = ", ".join(PROBLEM_STATES)
        raise _refused(f"Problems are listed by the states {names}; give a time for events in other states.")
    first, last = minutes(wanted.start, wanted.end)
    narrowed = {
        "first": first,
        "last": last,
        "reason": wanted.reason or "",
        "system": wanted.system or "",
        "table": wanted.table or "",
        "recordId": wanted.record_id or "",
    }
    return state, narrowed


def _no_page() -> Rejected:
    return _refused("A page is continued with what the page before has as `following`.")


def _refused(detail: str) -> Rejected:
    return Rejected(400, "This list cannot be given", detail)
