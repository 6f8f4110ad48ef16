"""What the ledger remembers of one record: everything that decides what is done for its next event.

One entity per record holds all of it as JSON. `SCHEMA` is the version of that JSON: it grows when the meaning of what
is stored changes, and `decode` then reads the version before as well.

An effect, seen over time:

    never done ──start──> started: outcome unknown ──finish──> done with a fingerprint
                             │ ^                                   │
              cancel: refused│ └──────── start (another fingerprint) ┘
                             v
                  as it was before it was started
"""

import json
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from integration.errors import Unreadable
from integration.ledger.status import State

SCHEMA: Final = 1
RECENT_KEPT: Final = 32
DEAD_LETTERS_KEPT: Final = 50
RETURNS: Final = 9
"""How often a dead-lettered message comes back before the broker moves it: one less than maxDeliveryCount.

When it comes once more, somebody has put it back by hand, and it is worked on again.
"""


@dataclass(frozen=True, slots=True)
class Effect:
    """One effect of a record.

    `done` is the fingerprint of what it was last done with; None where it never was, or where the outcome is unknown.
    `started` is the fingerprint of an attempt whose outcome is unknown. `number` counts the attempts at something new:
    it makes the Idempotency-Key, so that whoever repeats an attempt repeats its key. `answer` is what the other system
    said last, to what has the fingerprint `answered`, also while the outcome of a later attempt is unknown. `event_id`
    is the event that did it last.
    """

    number: int = 0
    done: str | None = None
    started: str | None = None
    answer: dict[str, Any] = field(default_factory=dict)
    answered: str = ""
    event_id: str = ""
    at: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An event of the record that was dead-lettered and that no later event has made up for.

    `returns` counts how often its message came back on its way to the dead-letter queue; `reported` names who has been
    told of it (`row`, `hub`).
    """

    reason: str = ""
    detail: str = ""
    at: str = ""
    returns: int = 0
    reported: tuple[str, ...] = ()


@dataclass(slots=True)
class Memory:
    """What one record was brought to, by which events.

    `row_version` is the row's version when it was last acted on, by the event `acted_by`, whose operation was at
    `acted_time` (ISO 8601, Dataverse's clock). `recent` has the last events that ended, oldest first. `writer` is the
    invocation that holds the record. `deleted` is the month (`yyyyMM`) in which the row was found deleted; it is
    empty while the row exists.
    """

    effects: dict[str, Effect] = field(default_factory=dict)
    row_version: int = 0
    acted_by: str = ""
    acted_time: str = ""
    recent: dict[str, State] = field(default_factory=dict)
    waiting: str = ""
    dead_letters: dict[str, DeadLetter] = field(default_factory=dict)
    writer: str = ""
    deleted: str = ""

    def effect(self, name: str) -> Effect:
        """The effect, also where it was never done."""
        return self.effects.get(name) or _NEVER

    def start(self, name: str, fingerprint: str, *, event_id: str, at: str) -> None:
        """An effect is about to be done: until it is finished, nobody knows whether it was."""
        known = self.effect(name)
        again = known.started == fingerprint
        self.effects[name] = replace(
            known,
            number=known.number if again else known.number + 1,
            done=None,
            started=fingerprint,
            event_id=event_id,
            at=at,
        )

    def finish(self, name: str, number: int, fingerprint: str, answer: dict[str, Any], *, at: str, detail: str) -> None:
        """The effect was done; of no account where somebody else has started it anew meanwhile."""
        known = self.effect(name)
        if known.number == number:
            self.effects[name] = replace(
                known, done=fingerprint, started=None, answer=answer, answered=fingerprint, at=at, detail=detail
            )

    def cancel(self, name: str, number: int, before: Effect) -> None:
        """The other system has refused the effect: what was done `before` still holds."""
        if self.effect(name).number == number:
            self.effects[name] = replace(before, number=number)

    def forget(self, name: str) -> None:
        """Whatever was done, it is done again the next time it is needed."""
        if name in self.effects:
            self.effects[name] = replace(self.effects[name], done=None, answered="")

    def act(self, event_id: str, operation_time: datetime, row_version: int) -> None:
        """The event has brought the systems to the state of the row at this version."""
        self.row_version = row_version
        self.acted_by = event_id
        self.acted_time = operation_time.isoformat()

    def end(self, event_id: str, state: State) -> None:
        """The event has ended."""
        self.recent.pop(event_id, None)
        self.recent[event_id] = state
        self.dead_letters.pop(event_id, None)
        for oldest in list(self.recent)[:-RECENT_KEPT]:
            del self.recent[oldest]
        if self.waiting == event_id:
            self.waiting = ""

    def bury(self, event_id: str, letter: DeadLetter) -> None:
        """The event is dead-lettered."""
        self.recent.pop(event_id, None)
        self.dead_letters[event_id] = letter
        for oldest in list(self.dead_letters)[:-DEAD_LETTERS_KEPT]:
            del self.dead_letters[oldest]

    def acted_after(self, operation_time: datetime) -> bool:
        """Whether an event of a later operation has acted; both times are of Dataverse's clock."""
        return bool(self.acted_time) and datetime.fromisoformat(self.acted_time) > operation_time


def encode(memory: Memory) -> str:
    """The memory as JSON, without what has its default."""
    content: dict[str, Any] = {
        "effects": {name: _without_defaults(asdict(effect)) for name, effect in memory.effects.items()},
        "rowVersion": memory.row_version,
        "actedBy": memory.acted_by,
        "actedTime": memory.acted_time,
        "recent": {event_id: state.value for event_id, state in memory.recent.items()},
        "waiting": memory.waiting,
        "deadLetters": {event_id: _without_defaults(asdict(it)) for event_id, it in memory.dead_letters.items()},
        "deleted": memory.deleted,
    }
    return json.dumps(_without_defaults(content), ensure_ascii=False, separators=(",", ":"))


def decode(schema: int, text: str, writer: str) -> Memory:
    """The memory in a record's entity; raises `Unreadable` for a schema that this version does not know."""
    if schema != SCHEMA:
        raise Unreadable(
            f"the ledger's record has schema {schema}, this version reads {SCHEMA}: deploy the newer version",
            reason="ledger-schema",
        )
    content = json.loads(text)
    return Memory(
        effects={name: Effect(**it) for name, it in content.get("effects", {}).items()},
        row_version=content.get("rowVersion", 0),
        acted_by=content.get("actedBy", ""),
        acted_time=content.get("actedTime", ""),
        recent={event_id: State(state) for event_id, state in content.get("recent", {}).items()},
        waiting=content.get("waiting", ""),
        dead_letters={event_id: _letter(it) for event_id, it in content.get("deadLetters", {}).items()},
        writer=writer,
        deleted=content.get("deleted", ""),
    )


def _letter(content: dict[str, Any]) -> DeadLetter:
    return DeadLetter(**{**content, "reported": tuple(content.get("reported", ()))})


def _without_defaults(content: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in content.items() if value not in _EMPTY}


_NEVER: Final = Effect()
_EMPTY: Final[tuple[Any, ...]] = (None, "", 0, False, {}, (), [])
