"""A bulk operation and its items, as the ledger keeps them.

planning ──> planned ──> running ──> finished
                │         │   ^
                │         v   │ by hand, or because the canary failed
                │        paused
                └─────────┴───────> cancelled
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from functools import cache
from typing import Any, Final

from pydantic.alias_generators import to_camel

from integration.tables import Entity

CANARY_FAILED: Final = "The canary failed"
"""How the note begins of one that is paused because its first events failed."""


_column = cache(to_camel)
"""The column of a field; a bulk operation of thousands of events asks for the same few over and over."""


class Action(StrEnum):
    """What is done to each event."""

    RETRY = "retry"
    DISCARD = "discard"


class BulkState(StrEnum):
    """How far the whole is."""

    PLANNING = "planning"
    PLANNED = "planned"
    RUNNING = "running"
    PAUSED = "paused"
    CANCELLED = "cancelled"
    FINISHED = "finished"


class ItemState(StrEnum):
    """How far one event is."""

    PENDING = "pending"
    SENT = "sent"
    """Sent again; what comes of it is not known yet."""
    DONE = "done"
    FAILED = "failed"
    """Sent again, and dead-lettered again."""
    SKIPPED = "skipped"
    """It was not in the state for it any more: `outcome` says why."""
    ERROR = "error"
    """It could not be done; the log says why."""


@dataclass(frozen=True, slots=True)
class Bulk:
    """A bulk operation.

    `canary` is how many are done first, whose outcome is waited for; `per_minute` how many are done in a minute after
    that. `note` says why it is paused or was cancelled. `acknowledged` is who has taken note of its end. `cursor` is
    the event id up to which nothing is pending. `runner` works on it until `lease` (ISO 8601). Times are ISO 8601; the
    last numbers count items by state.
    """

    bulk_id: str
    action: Action
    by: str
    why: str
    state: BulkState = BulkState.PLANNING
    force: bool = False
    canary: int = 0
    canary_passed: bool = False
    per_minute: int = 60
    selection: str = "{}"
    plan: str = "{}"
    total: int = 0
    created: str = ""
    started: str = ""
    last_sent: str = ""
    ended: str = ""
    note: str = ""
    acknowledged: str = ""
    cursor: str = ""
    runner: str = ""
    lease: str = ""
    pending: int = 0
    sent: int = 0
    done: int = 0
    failed: int = 0
    skipped: int = 0
    error: int = 0

    @property
    def counts(self) -> dict[str, int]:
        """How many of its items are in each state, by the state's name."""
        return {state.value: getattr(self, state.value) for state in ItemState}

    def stopped(self, state: BulkState, note: str, ended: str = "") -> "Bulk":
        """Nobody works on it any more."""
        return replace(self, state=state, note=note, ended=ended, runner="", lease="")

    def counted(self, found: Mapping[str, int]) -> "Bulk":
        """With so many items in each state."""
        return replace(
            self,
            pending=found["pending"],
            sent=found["sent"],
            done=found["done"],
            failed=found["failed"],
            skipped=found["skipped"],
            error=found["error"],
        )

    def as_columns(self) -> Entity:
        """As columns of its row, without keys."""
        return _columns(self)

    @classmethod
    def from_columns(cls, entity: Entity) -> "Bulk":
        """From its row; of another version's row, what this one knows."""
        known = _fields(cls.__dataclass_fields__, entity)
        return cls(**{**known, "action": Action(known["action"]), "state": BulkState(known["state"])})


@dataclass(frozen=True, slots=True)
class Item:
    """One event of a bulk operation; `new_event_id` is the event that it was sent again as."""

    event_id: str
    state: ItemState = ItemState.PENDING
    new_event_id: str = ""
    outcome: str = ""
    tries: int = 0
    at: str = ""

    def as_columns(self) -> Entity:
        """As columns of its row, without keys."""
        return _columns(self)

    @classmethod
    def from_columns(cls, entity: Entity) -> "Item":
        """From its row."""
        known = _fields(cls.__dataclass_fields__, entity)
        return cls(**{**known, "state": ItemState(known["state"])})


def _columns(one: Bulk | Item) -> Entity:
    return {_column(name): str(it) if isinstance(it, StrEnum) else it for name, it in asdict(one).items()}


def _fields(names: Iterable[str], entity: Entity) -> dict[str, Any]:
    return {name: entity[_column(name)] for name in names if _column(name) in entity}
