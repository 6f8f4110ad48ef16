"""The rows that sinks of analytics have set aside: how many and why, one by one, sent again, or discarded."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING, Final

from integration.errors import ConfigurationError, Rejected
from integration.operations.audit import Audit, Subject
from integration.operations.rights import Person, Right
from integration.telemetry import get_logger

if TYPE_CHECKING:
    from integration.analytics.row import Row
    from integration.analytics.set_aside import Listed, SetAside
    from integration.analytics.sink import Refused, Sink

_ON_A_PAGE: Final = 50
MOST_AT_ONCE: Final = 500
"""So many rows are sent again, or discarded, by one request."""
_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Group:
    """The rows of one sink and reason: how many, and since when the first and the last are there.

    `more`: the sink has more rows than are looked at, so that there may be more of this group.
    """

    sink: str
    reason: str
    count: int
    oldest: datetime
    newest: datetime
    more: bool


@dataclass(frozen=True, slots=True)
class AsideRow:
    """A row with its id among those of its sink, and why it is there."""

    row_id: str
    refused: "Refused"

    @property
    def body(self) -> str:
        """What the hub had, as text; what is no UTF-8 is replaced."""
        return self.refused.row.body.decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class Rows:
    """A page of the rows of a sink; `following` continues the list, and is empty at its end."""

    rows: Sequence[AsideRow]
    following: str


@dataclass(frozen=True, slots=True)
class Chosen:
    """Rows of one sink: all of them, those of a reason, or the one of this id."""

    sink: str
    reason: str = ""
    row_id: str = ""


@dataclass(frozen=True, slots=True)
class Dealt:
    """What became of the chosen rows: how many are dealt with, were refused again, and are left for another request."""

    done: int
    refused: int = 0
    left: int = 0


class SetAsideRows:
    """Raises `Rejected` (400 without a reason, 404 where there is no such row) and `Transient` without storage.

    `sinks` opens the sinks that are switched on, by name; store and sinks are opened when they are first needed.
    """

    def __init__(
        self, open_store: "Callable[[], SetAside]", sinks: "Mapping[str, Callable[[], Sink]]", audit: Audit
    ) -> None:
        self._open_store = open_store
        self._sinks = sinks
        self._audit = audit
        self._opened: dict[str, Sink] = {}

    @cached_property
    def _store(self) -> "SetAside":
        return self._open_store()

    def is_on(self, sink: str) -> bool:
        """Whether the sink is switched on: only then can its rows be sent again."""
        return sink in self._sinks

    async def groups(self) -> Sequence[Group]:
        """How many rows there are, by sink and reason, the largest group of each sink first."""
        sinks = await self._store.sinks()
        found = await asyncio.gather(*(self._store.listed(sink) for sink in sinks))
        return [group for sink, (rows, more) in zip(sinks, found, strict=True) for group in _groups(sink, rows, more)]

    async def page(self, sink: str, *, reason: str = "", following: str = "") -> Rows:
        """Rows of a sink in the order of the hub; `following` is what the page before ended with."""
        listed = [it for it in await self._listed(Chosen(sink, reason)) if it.row_id > following]
        shown = listed[:_ON_A_PAGE]
        return Rows(await self._read(sink, shown), shown[-1].row_id if len(listed) > len(shown) else "")

    async def one(self, sink: str, row_id: str, person: Person) -> AsideRow:
        """The row of this id; the log says who has looked at what it carries."""
        refused = await self._store.read(sink, row_id)
        if refused is None:
            raise _nothing(sink)
        if person.may(Right.PAYLOADS):
            _log.info("payloads-shown", event_id=refused.row.event_id or "", caller=person.name, count=1)
        return AsideRow(row_id, refused)

    async def retry(self, chosen: Chosen, *, by: str, why: str) -> Dealt:
        """Give rows to their sink again, the oldest first.

        Those that it takes are forgotten here, and those that it refuses again stay, with the reason of this time. It
        writes them with the place in the hub that they have always had, so that its readers drop what it had before.
        """
        listed, left = await self._some(chosen)
        about = Subject(system=chosen.sink, count=len(listed))
        async with self._audit.action("retry-rows", about, by=by, why=why) as entry:
            sink = self._sink(chosen.sink)
            refused = [
                again for run in _runs(await self._read(chosen.sink, listed)) for again in await self._write(sink, run)
            ]
            dealt = Dealt(len(listed) - len(refused), len(refused), left)
            entry.outcome = f"{dealt.done} taken, {dealt.refused} refused again"
        return dealt

    async def discard(self, chosen: Chosen, *, by: str, why: str) -> Dealt:
        """Forget rows for good: the sink will never have them."""
        listed, left = await self._some(chosen)
        about = Subject(system=chosen.sink, count=len(listed))
        async with self._audit.action("discard-rows", about, by=by, why=why):
            await self._store.remove(chosen.sink, [it.row_id for it in listed])
        return Dealt(len(listed), left=left)

    async def _listed(self, chosen: Chosen) -> "Sequence[Listed]":
        listed, _ = await self._store.listed(chosen.sink)
        return [it for it in listed if chosen.reason in ("", it.reason) and chosen.row_id in ("", it.row_id)]

    async def _some(self, chosen: Chosen) -> "tuple[Sequence[Listed], int]":
        """The oldest of the chosen rows, as many as are dealt with at once, and how many are left."""
        listed = await self._listed(chosen)
        if not listed:
            raise _nothing(chosen.sink)
        return listed[:MOST_AT_ONCE], max(0, len(listed) - MOST_AT_ONCE)

    async def _read(self, sink: str, listed: "Sequence[Listed]") -> Sequence[AsideRow]:
        """The rows themselves, without those that somebody has dealt with meanwhile."""
        read = await asyncio.gather(*(self._store.read(sink, it.row_id) for it in listed))
        return [AsideRow(it.row_id, refused) for it, refused in zip(listed, read, strict=True) if refused]

    async def _write(self, sink: "Sink", run: Sequence[AsideRow]) -> "Sequence[Refused]":
        """Write rows that follow each other; those that are refused again. Raises `Transient` if some have to wait."""
        receipt = await sink.write([it.refused.row for it in run])
        await self._store.put(sink.name, receipt.refused)
        kept = {_place(row) for row in (*(it.row for it in receipt.refused), *receipt.waiting)}
        await self._store.remove(sink.name, [it.row_id for it in run if _place(it.refused.row) not in kept])
        if receipt.error is not None:
            raise receipt.error
        return receipt.refused

    def _sink(self, name: str) -> "Sink":
        if name not in self._opened:
            if name not in self._sinks:
                raise Rejected(
                    409,
                    "The sink is switched off",
                    f"Nothing can be sent to {name}: switch it on (docs/how-to/analytics.md), or discard its rows.",
                )
            try:
                self._opened[name] = self._sinks[name]()
            except ConfigurationError as error:
                raise Rejected(409, "The sink cannot be opened", str(error)) from error
        return self._opened[name]


def _groups(sink: str, rows: "Iterable[Listed]", more: bool) -> Sequence[Group]:
    times: dict[str, list[datetime]] = {}
    for it in rows:
        times.setdefault(it.reason, []).append(it.since)
    found = [Group(sink, reason, len(at), min(at), max(at), more) for reason, at in times.items()]
    return sorted(found, key=lambda it: -it.count)


def _runs(rows: Sequence[AsideRow]) -> Iterator[Sequence[AsideRow]]:
    """Rows of one partition whose numbers follow each other without a gap.

    A sink that writes files names them by the first and the last number: what stands between two rows was written
    before, and its file is not to be replaced by one without it.
    """
    for _, run in groupby(enumerate(rows), lambda it: (it[1].refused.row.partition, _number(it[1]) - it[0])):
        yield [row for _, row in run]


def _number(it: AsideRow) -> int:
    return it.refused.row.sequence_number


def _place(row: "Row") -> tuple[str, int]:
    return row.partition, row.sequence_number


def _nothing(sink: str) -> Rejected:
    return Rejected(
        404, "There is no such row", f"{sink} has set no such row aside, or somebody has dealt with it meanwhile."
    )
