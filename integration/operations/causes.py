"""What is wrong, in groups: the failing events by reason, system and table."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from integration.clock import Clock, iso
from integration.ledger import Ledger, State
from integration.ledger.problems import Problems
from integration.operations.cause_notes import NOBODY, CauseKey, CauseNote
from integration.tables import Entity

HOURS: Final = 24
_STORED: Final = 50
_STORED_DETAIL: Final = 80
_KEPT_SECONDS: Final = 5.0
_COLUMNS: Final = ("RowKey", "reason", "system", "table", "since", "detail")


@dataclass(frozen=True, slots=True)
class Cause:
    """Events that fail for one reason, at one system, with one table.

    `trend` counts those that failed in each of the last 24 hours, the present hour last. `example` is the newest event,
    and `detail` what it says.
    """

    reason: str
    system: str
    table: str
    count: int
    oldest: datetime | None
    newest: datetime | None
    trend: tuple[int, ...]
    example: str
    detail: str

    @property
    def key(self) -> CauseKey:
        """What it is told from others by."""
        return CauseKey(self.reason, self.system, self.table)


@dataclass(frozen=True, slots=True)
class Causes:
    """The causes, the largest first, as they were at `at`; `others` are events of causes beyond these."""

    causes: tuple[Cause, ...]
    at: datetime
    others: int = 0

    @property
    def total(self) -> int:
        """How many events fail."""
        return sum(it.count for it in self.causes) + self.others

    @property
    def trend(self) -> tuple[int, ...]:
        """The trends of all causes together."""
        return tuple(map(sum, zip(*(it.trend for it in self.causes), strict=True))) or (0,) * HOURS

    @property
    def oldest(self) -> datetime | None:
        """When the first of those that fail began to."""
        return min((it.oldest for it in self.causes if it.oldest), default=None)

    def of(self, assignee: str, notes: Mapping[CauseKey, CauseNote]) -> "Causes":
        """Those that somebody takes care of, or nobody (`-`); all of them where nobody is named."""
        if not assignee:
            return self
        wanted = "" if assignee == NOBODY else assignee
        assigned = {key: it.assignee for key, it in notes.items()}
        return Causes(tuple(it for it in self.causes if assigned.get(it.key, "") == wanted), self.at)

    def as_document(self) -> dict[str, Any]:
        """The largest fifty as JSON: a column of Azure Tables takes 32,000 characters."""
        rows = [
            {
                **asdict(it),
                "oldest": iso(it.oldest) if it.oldest else "",
                "newest": iso(it.newest) if it.newest else "",
                "detail": it.detail[:_STORED_DETAIL],
            }
            for it in self.causes[:_STORED]
        ]
        return {"at": iso(self.at), "causes": rows, "others": sum(it.count for it in self.causes[_STORED:])}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "Causes":
        """From what `as_document` made."""
        causes = [
            Cause(**{**it, "oldest": _time(it["oldest"]), "newest": _time(it["newest"]), "trend": tuple(it["trend"])})
            for it in document["causes"]
        ]
        return cls(tuple(causes), datetime.fromisoformat(document["at"]), int(document.get("others", 0)))


@dataclass(slots=True)
class _Group:
    count: int = 0
    oldest: str = "~"
    newest: str = ""
    example: str = ""
    detail: str = ""
    hours: Counter[str] = field(default_factory=Counter)

    def add(self, row: Entity) -> None:
        since = str(row.get("since", ""))
        self.count += 1
        self.hours[since[:13]] += 1
        self.oldest = min(self.oldest, since)
        if since >= self.newest:
            self.newest, self.example, self.detail = since, str(row["RowKey"]), str(row.get("detail", ""))


class CauseQuery:
    """Groups the list of problems. Holds a page of each partition at a time, however many there are.

    What was found is kept for five seconds, so that several people who look at once cause one reading. Raises `Outage`
    where the tables are away.
    """

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._problems = Problems(ledger)
        self._clock = clock
        self._found: dict[str, tuple[float, Causes]] = {}
        self._reading = asyncio.Lock()

    async def now(self, state: str = State.DEAD_LETTERED.value) -> Causes:
        """Those in this state of problems: `dead-lettered`, `waiting` or `system-behind`."""
        async with self._reading:
            read_at, found = self._found.get(state, (-_KEPT_SECONDS, None))
            if found is None or self._clock.monotonic() - read_at >= _KEPT_SECONDS:
                found = await self._read(state)
                self._found[state] = (self._clock.monotonic(), found)
            return found

    def forget(self) -> None:
        """Somebody has just repaired something in this process: read anew."""
        self._found.clear()

    async def _read(self, state: str) -> Causes:
        groups: dict[tuple[str, str, str], _Group] = {}

        def take(page: Sequence[Entity]) -> None:
            for row in page:
                key = (str(row.get("reason", "")), str(row.get("system", "")), str(row.get("table", "")))
                groups.setdefault(key, _Group()).add(row)

        await self._problems.scan(state, take, select=_COLUMNS)
        now = self._clock.now()
        found = [_cause(key, group, now) for key, group in groups.items()]
        return Causes(tuple(sorted(found, key=lambda it: (-it.count, it.reason, it.system, it.table))), now)


def _cause(key: tuple[str, str, str], group: _Group, now: datetime) -> Cause:
    return Cause(*key, group.count, _time(group.oldest), _time(group.newest), _trend(group.hours, now), group.example,
                 group.detail)  # fmt: skip


def _trend(hours: Mapping[str, int], now: datetime) -> tuple[int, ...]:
    wanted = (now.astimezone(UTC) - timedelta(hours=back) for back in reversed(range(HOURS)))
    return tuple(hours.get(f"{it:%Y-%m-%dT%H}", 0) for it in wanted)


def _time(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
