"""The list of events that wait or are dead-lettered, however long it is.

Its rows are spread over sixteen partitions for each state, by a hash of the event id, so that many can be written at
once. In a partition they are in the order of event ids, which begin with the minute of the operation. A page of the
list is made of a piece of each partition: what lies beyond the end of the shortest piece is left to the next page.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from integration.batching import each
from integration.ledger import keys, rows
from integration.ledger.ledger import Ledger
from integration.ledger.status import State
from integration.tables import Entity, quoted

PROBLEM_STATES: Final = (State.DEAD_LETTERED.value, State.WAITING.value, "system-behind")
_SIDE_BY_SIDE: Final = 4
"""Queries at once; more would only wait for each other where there are very many rows."""
_SMALLEST_PIECE, _LARGEST_PIECE = 20, 1_000


@dataclass(frozen=True, slots=True)
class Problem:
    """An event that waits or is dead-lettered, or a system that had an older state than it confirmed; `since` when."""

    event_id: str
    state: str
    table: str
    record_id: str | None
    message: str
    reason: str
    detail: str
    system: str | None
    attempts: int
    since: datetime | None
    next_attempt: datetime | None


@dataclass(frozen=True, slots=True)
class ProblemPage:
    """Problems, the oldest operation first; `following` continues, None at the end."""

    problems: list[Problem]
    following: str | None = None


class Problems:
    """Reads the list; raises `Outage` if the tables are unavailable."""

    def __init__(self, ledger: Ledger) -> None:
        self._table = ledger.table(keys.PROBLEMS)

    async def page(
        self, state: str, *, most: int, after: str = "", first: str = "", last: str = "", **columns: str
    ) -> ProblemPage:
        """At most this many; `after` is `following` of the page before.

        `columns` (reason, system, table, recordId) narrow the list to rows with these values. `first` and `last` are
        what ids of events begin with, as `minutes` makes them: from the first one up to the second one.
        """
        partitions = keys.problem_partitions(state)
        where = "".join(f" and {name} eq '{quoted(value)}'" for name, value in columns.items() if value)
        where += f" and RowKey ge '{first}'" if first else ""
        where += f" and RowKey lt '{last}'" if last else ""
        where += f" and RowKey gt '{quoted(after)}'" if after else ""
        share = min(max(most // len(partitions), _SMALLEST_PIECE), _LARGEST_PIECE)
        pieces = await each(
            lambda partition: self._table.first(f"PartitionKey eq '{partition}'{where}", share),
            partitions,
            at_once=_SIDE_BY_SIDE,
        )
        ends = [str(piece[-1]["RowKey"]) for piece in pieces if len(piece) == share]
        known = sorted((row for piece in pieces for row in piece), key=lambda row: str(row["RowKey"]))
        shown = [row for row in known if not ends or str(row["RowKey"]) <= min(ends)][:most]
        more = bool(ends) or len(known) > len(shown)
        return ProblemPage([_problem(state, row) for row in shown], str(shown[-1]["RowKey"]) if more else None)

    async def first(self, state: str, most: int, **narrowed: str) -> list[Problem]:
        """The first ones, narrowed as pages are."""
        found, after = list[Problem](), ""
        while len(found) < most:
            page = await self.page(state, most=most - len(found), after=after, **narrowed)
            found += page.problems
            if page.following is None:
                break
            after = page.following
        return found

    async def scan(self, state: str, take: Callable[[Sequence[Entity]], None], *, select: Sequence[str]) -> None:
        """Give all rows of a state to `take`, page by page, in any order.

        Most of the time there are few: one query finds them, of all partitions together. If there are more, quarters of
        the partitions are read side by side.
        """
        partitions = keys.problem_partitions(state)
        page = await self._table.page(_between(partitions), select=select)
        if page.following is None:
            take(page.entities)
            return

        async def read(some: Sequence[str]) -> None:
            async for entities in self._table.pages(_between(some), select=select):
                take(entities)

        size = len(partitions) // _SIDE_BY_SIDE
        await each(read, [partitions[at : at + size] for at in range(0, len(partitions), size)])


def _between(partitions: Sequence[str]) -> str:
    """The filter for partitions that follow each other."""
    return f"PartitionKey ge '{partitions[0]}' and PartitionKey le '{partitions[-1]}'"


def _problem(state: str, row: Entity) -> Problem:
    return Problem(
        event_id=str(row["RowKey"]),
        state=state,
        table=str(row.get("table", "")),
        record_id=str(row.get("recordId", "")) or None,
        message=str(row.get("message", "")),
        reason=str(row.get("reason", "")),
        detail=str(row.get("detail", "")),
        system=str(row.get("system", "")) or None,
        attempts=int(row.get("attempts", 0)),
        since=rows.time(str(row.get("since", ""))),
        next_attempt=rows.time(str(row.get("nextAttempt", ""))),
    )
