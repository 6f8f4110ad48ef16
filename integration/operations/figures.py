"""The figures of the last day, which a timer takes every minute: what has come in, what waits, what is dead-lettered.

They are one document of the table `systems`, so that a page that shows them reads one entity, however many events there
are. Changes are counted by the minute of their operation, and a minute is counted when it is over by two: what comes
later than that (a bulk load that is sent again) is not in the curve. After a pause the minutes since then are counted,
those of a day at most, and no more than 100,000 events in one run.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from integration.clock import Clock
from integration.errors import Conflict, Transient
from integration.ledger import Ledger, State, keys
from integration.ledger.shared_state import TableState
from integration.operations.causes import CauseQuery, Causes
from integration.telemetry import get_logger

STEP: Final = timedelta(minutes=10)
STEPS: Final = 144
MANY: Final = 5_000
"""More events than this are not read while somebody waits: what was found when the figures were taken is shown."""
_COUNTED: Final = (State.DEAD_LETTERED.value, State.WAITING.value)
_KEY: Final = "figures"
_LATE: Final = timedelta(minutes=2)
_A_RUN: Final = 100_000
_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Series:
    """Numbers of the last 24 hours, ten minutes each, the present ones last; `at` is when they were taken.

    `changes` is what came in during each ten minutes; `waiting` and `dead` are how many there were at their end.
    """

    changes: tuple[int, ...]
    waiting: tuple[int, ...]
    dead: tuple[int, ...]
    at: datetime | None

    @property
    def last_hour(self) -> int:
        """What came in during the last hour."""
        return sum(self.changes[-6:])

    @property
    def day(self) -> int:
        """What came in during the last 24 hours."""
        return sum(self.changes)


class Figures:
    """Takes the figures, and gives them."""

    def __init__(self, ledger: Ledger, causes: CauseQuery, clock: Clock) -> None:
        self._ledger = ledger
        self._causes = causes
        self._clock = clock
        self._state = TableState(ledger.table(keys.SYSTEMS))

    async def run(self) -> None:
        """Take them; what is away now is asked for in the next run."""
        try:
            await self.take()
        except (Transient, Conflict) as error:
            _log.warning("figures-not-taken", error=error)

    async def take(self) -> None:
        """Count the minutes that are over, and note how many events wait and are dead-lettered now."""
        document, etag = await self._state.read(_KEY)
        now = self._clock.now().astimezone(UTC)
        until = (now - _LATE).replace(second=0, microsecond=0)
        known = _Steps((document or {}).get("steps", {}))
        counted = _minute((document or {}).get("counted", "")) or datetime.min.replace(tzinfo=UTC)
        counted = await self._count(known, max(counted, until - STEP * STEPS), until)
        found = {state: await self._causes.now(state) for state in _COUNTED}
        dead, waiting = (found[state].total for state in _COUNTED)
        known.note(now, waiting, dead)
        if dead + waiting > MANY:
            for state, causes in found.items():
                _, before = await self._state.read(_causes_key(state))
                await self._state.write(_causes_key(state), causes.as_document(), before)
        await self._state.write(
            _KEY, {"counted": f"{counted:%Y%m%d%H%M}", "at": now.isoformat(), "steps": known.kept(now)}, etag
        )

    async def causes(self, series: Series, state: str = State.DEAD_LETTERED.value) -> Causes:
        """What is wrong: as it is now, or where more than 5,000 events fail, as it was when the figures were taken.

        Reading that many takes seconds, and whoever is on call must not wait for it.
        """
        if state in _COUNTED and series.dead[-1] + series.waiting[-1] > MANY:
            document, _ = await self._state.read(_causes_key(state))
            if document is not None:
                return Causes.from_document(document)
        return await self._causes.now(state)

    async def series(self) -> Series:
        """The last 24 hours; zeroes where nothing was taken."""
        document, _ = await self._state.read(_KEY)
        steps, now = (document or {}).get("steps", {}), self._clock.now().astimezone(UTC)
        rows = [steps.get(_name(now - STEP * back), (0, None, None)) for back in reversed(range(STEPS))]
        at = (document or {}).get("at")
        return Series(
            tuple(row[0] for row in rows),
            _filled([row[1] for row in rows]),
            _filled([row[2] for row in rows]),
            datetime.fromisoformat(at) if at else None,
        )

    async def _count(self, known: "_Steps", first: datetime, until: datetime) -> datetime:
        """Count the changes of these minutes; returns the time up to which they were counted."""
        read = 0
        while first < until and read < _A_RUN:
            hour = first.replace(minute=0)
            end = min(hour + timedelta(hours=1), until)
            where = (
                f"PartitionKey eq '{keys.time_partition(hour)}' and RowKey ge '{first:%Y%m%d%H%M}' "
                f"and RowKey lt '{end:%Y%m%d%H%M}'"
            )
            async for page in self._ledger.table(keys.index_table(f"{hour:%Y%m}")).pages(where, select=("eventId",)):
                read += len(page)
                for name, count in Counter(str(it["eventId"])[:11] for it in page).items():
                    known.add(name, count)
            first = end
        return first


class _Steps:
    """Numbers by the ten minutes that they are of: `[changes, waiting, dead]`."""

    def __init__(self, known: Mapping[str, Sequence[Any]]) -> None:
        self._known = {name: list(row) for name, row in known.items()}

    def add(self, name: str, changes: int) -> None:
        self._row(name)[0] += changes

    def note(self, now: datetime, waiting: int, dead: int) -> None:
        self._row(_name(now))[1:] = [waiting, dead]

    def kept(self, now: datetime) -> dict[str, list[Any]]:
        oldest = _name(now - STEP * STEPS)
        return {name: row for name, row in sorted(self._known.items()) if name > oldest}

    def _row(self, name: str) -> list[Any]:
        return self._known.setdefault(name, [0, None, None])


def _causes_key(state: str) -> str:
    return f"causes-{state}"


def _name(moment: datetime) -> str:
    """What ids of events of these ten minutes begin with."""
    return f"{moment:%Y%m%d%H}{moment.minute // 10}"


def _minute(text: str) -> datetime | None:
    return datetime.strptime(text, "%Y%m%d%H%M").replace(tzinfo=UTC) if text else None


def _filled(numbers: Sequence[int | None]) -> tuple[int, ...]:
    """Where nothing was noted, the number before it holds."""
    found, last = [], 0
    for number in numbers:
        last = last if number is None else number
        found.append(last)
    return tuple(found)
