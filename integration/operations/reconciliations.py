"""What the last reconciliation of each table has found and healed, as it is kept for people.

A reconciliation is asked for page by page; each page adds to the document of its table. One that was not finished says
so: what comes behind its last page is not known.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from integration.clock import Clock, iso
from integration.errors import Conflict, Transient
from integration.protection import SharedState
from integration.protection.shared_state import change
from integration.telemetry import get_logger

_SHOWN: Final = 20
_LONGEST: Final = 300
_log = get_logger(__name__)

KINDS: Final[Mapping[str, str]] = {
    "never-accepted": "were changed, and no event has brought that",
    "not-brought": "were looked at by events, and something is left to do",
    "not-written-back": "do not have the results that were answered for them",
    "different": "stand differently in another system",
    "deleted": "do not exist any more, and no event has said so",
    "waiting": "have an event that waits for its next attempt",
    "dead-lettered": "have an event that support has to decide about",
    "discarded": "were left as they are by somebody who has discarded their event",
    "unknown": "could not be compared, as another system did not answer",
}
"""What is said of the rows of each kind of difference."""


@dataclass(frozen=True, slots=True)
class Found:
    """A row that stands differently; `event_id` is of the event that makes up for it, empty where there is none."""

    record_id: str
    kind: str
    detail: str
    event_id: str = ""


@dataclass(frozen=True, slots=True)
class Compared:
    """A page of a reconciliation: its window, how many rows were compared, and what is different.

    `healing` says whether events were asked for; `first` and `last` whether it is the first and the last page.
    """

    table: str
    since: str
    until: str
    rows: int
    found: Collection[Found]
    systems: bool
    deleted: bool
    healing: bool
    first: bool
    last: bool


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """The last one of a table; `kinds` counts what was different, `queued` the events that make up for it.

    `found` are the first twenty differences. Times are ISO 8601.
    """

    table: str
    since: str
    until: str
    by: str
    began: str
    at: str
    systems: bool
    deleted: bool
    healing: bool
    rows: int
    kinds: Mapping[str, int]
    queued: int
    found: tuple[Found, ...]
    whole: bool

    @property
    def different(self) -> int:
        """How many rows stand differently."""
        return sum(self.kinds.values())

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "Reconciliation":
        """What was kept."""
        return cls(**{**document, "found": tuple(Found(**it) for it in document["found"])})


class Reconciliations:
    """Keeps them, for all instances."""

    def __init__(self, shared: SharedState, clock: Clock) -> None:
        self._shared = shared
        self._clock = clock

    async def note(self, page: Compared, *, by: str) -> None:
        """Add a page; a first one begins anew. Nothing depends on it: where the store is away it is logged."""
        try:
            await change(self._shared, _key(page.table), lambda known: self._with(known, page, by))
        except (Conflict, Transient) as error:
            _log.warning("reconciliation-not-kept", table=page.table, error=error)

    async def last(self, tables: Collection[str]) -> dict[str, Reconciliation | None]:
        """The last one of each of these tables. Raises what the store raises."""
        documents = {table: (await self._shared.read(_key(table)))[0] for table in tables}
        return {table: Reconciliation.from_document(it) if it else None for table, it in documents.items()}

    def _with(self, known: Mapping[str, Any], page: Compared, by: str) -> dict[str, Any]:
        now = iso(self._clock.now())
        before = None if page.first or not known else Reconciliation.from_document(known)
        kinds = Counter(before.kinds if before else {})
        kinds.update(it.kind for it in page.found)
        found = (*(before.found if before else ()), *(_short(it) for it in page.found))
        return asdict(
            Reconciliation(
                table=page.table,
                since=page.since,
                until=page.until,
                by=by,
                began=before.began if before else now,
                at=now,
                systems=page.systems,
                deleted=page.deleted,
                healing=page.healing,
                rows=page.rows + (before.rows if before else 0),
                kinds=dict(kinds),
                queued=sum(bool(it.event_id) for it in page.found) + (before.queued if before else 0),
                found=found[:_SHOWN],
                whole=page.last,
            )
        )


def _short(it: Found) -> Found:
    return Found(it.record_id, it.kind, it.detail[:_LONGEST], it.event_id)


def _key(table: str) -> str:
    return f"reconciled.{table}"
