"""What the ledger remembers of one record: everything that decides what is done for its next event.

One entity per record holds all of it as JSON. `SCHEMA` is the version of that JSON. It is increased when the meaning of
stored data changes, and `decode` then reads the previous version too. What older versions may pass over, such as a new
field of `Memory`, does not need that.

An effect, seen over time:

    never done ──start──> started: outcome unknown ──finish──> done with a fingerprint
                             │ ^                                   │
              cancel: refused│ └──────── start (another fingerprint) ┘
                             v
                  as it was before it was started
"""

import json
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from integration.errors import Unreadable
from integration.ledger.status import State

SCHEMA: Final = 1
RECENT_KEPT: Final = 32
DEAD_LETTERS_KEPT: Final = 50
RETURNS: Final = 18
"""How often a dead-lettered message may come back before it must have been in the dead-letter queue.

The broker moves it after nine redeliveries (one less than maxDeliveryCount), later if it does not count them all, as
where a session is given back in good order. If it comes more often, a person has put it back, and it is worked on.
"""


@dataclass(frozen=True, slots=True)
class Effect:
    """One effect of a record.

    `done` is the fingerprint of the values with which it was last done; None if it was never done, or if the outcome is
    unknown. `started` is the fingerprint of an attempt whose outcome is unknown. `number` counts the attempts with new
    values. It is part of the Idempotency-Key, so that a repeated attempt has the same key. `answer` is the other
    system's last answer, and `answered` the fingerprint of the values that it answered; both are kept while the outcome
    of a later attempt is unknown. `event_id` is the event that last did the effect.
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
    """A dead-lettered event of the record that no later event has resolved.

    `returns` counts how often its message came back on its way to the dead-letter queue; `reported` names where it has
    been reported (`row`, `hub`), and of which attempts the message was seen in the dead-letter queue (`queue 1`): if
    such a message comes again, a person has put it back.
    """

    reason: str = ""
    detail: str = ""
    at: str = ""
    returns: int = 0
    reported: tuple[str, ...] = ()

    def has_arrived(self, attempt: int) -> bool:
        """Whether the message of this attempt was seen in the dead-letter queue."""
        return f"queue {attempt}" in self.reported

    def arrived(self, attempt: int) -> "DeadLetter":
        """With the message of this attempt seen in the dead-letter queue."""
        return self if self.has_arrived(attempt) else replace(self, reported=(*self.reported, f"queue {attempt}"))


@dataclass(slots=True)
class Memory:
    """What was done for one record, and by which events.

    `row_version` is the version of the row that the event `acted_by` last acted on; `acted_time` is the time of that
    event's operation (ISO 8601, Dataverse's clock). `recent` has the events that ended last, oldest first. `writer` is
    the invocation that holds the record. `deleted` is the month (`yyyyMM`) in which the row was found deleted; it is
    empty while the row exists. `seen` is the version of the row with which the other systems were last found to agree,
    whether anything had to be done for that or not; `shown` is its version after a failure was last shown in it.
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
    seen: int = 0
    shown: int = 0

    def effect(self, name: str) -> Effect:
        """The effect; an empty one if it was never done."""
        return self.effects.get(name) or _NEVER

    def start(self, name: str, fingerprint: str, *, event_id: str, at: str) -> None:
        """Note that an effect is about to be done: until it is finished, its outcome is unknown."""
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
        """Note that the effect was done; ignored if another invocation has started it anew meanwhile."""
        known = self.effect(name)
        if known.number == number:
            self.effects[name] = replace(
                known, done=fingerprint, started=None, answer=answer, answered=fingerprint, at=at, detail=detail
            )

    def cancel(self, name: str, number: int, before: Effect) -> None:
        """Note that the other system has refused the effect: what was done `before` still holds."""
        if self.effect(name).number == number:
            self.effects[name] = replace(before, number=number)

    def forget(self, name: str) -> None:
        """Forget what was done, so that the effect is done again the next time it is needed."""
        if name in self.effects:
            self.effects[name] = replace(self.effects[name], done=None, answered="")
            self.seen = 0

    def act(self, event_id: str, operation_time: datetime, row_version: int) -> None:
        """Note that the event has brought the systems to the state of the row at this version."""
        self.row_version = row_version
        self.acted_by = event_id
        self.acted_time = operation_time.isoformat()

    def knows(self, row_version: int) -> bool:
        """Whether nobody but this app has changed the row since it was last looked at."""
        return row_version <= max(self.seen, self.row_version, self.shown)

    def has_brought(self, row_version: int | None, *, deleted: bool) -> bool:
        """Whether events have brought this version of the row, or its deletion; without a version nobody can say."""
        if deleted or self.deleted:
            return deleted and bool(self.deleted)
        return row_version is not None and self.knows(row_version)

    def end(self, event_id: str, state: State) -> None:
        """Note that the event has ended."""
        self.recent.pop(event_id, None)
        self.recent[event_id] = state
        self.dead_letters.pop(event_id, None)
        for oldest in list(self.recent)[:-RECENT_KEPT]:
            del self.recent[oldest]
        if self.waiting == event_id:
            self.waiting = ""

    def bury(self, event_id: str, letter: DeadLetter) -> None:
        """Note that the event is dead-lettered."""
        self.recent.pop(event_id, None)
        self.dead_letters[event_id] = letter
        for oldest in list(self.dead_letters)[:-DEAD_LETTERS_KEPT]:
            del self.dead_letters[oldest]

    def resolved_by(self, event_id: str) -> str | None:
        """The event that has resolved a dead-lettered one, if there is one and it is still remembered.

        An event ends right after those that it has resolved.
        """
        if self.recent.get(event_id) is not State.RESOLVED:
            return None
        remembered = list(self.recent)
        later = remembered[remembered.index(event_id) + 1 :]
        return next((it for it in later if self.recent[it].settled), None)

    def acted_after(self, operation_time: datetime) -> bool:
        """Whether an event of a later operation has acted; both times come from Dataverse's clock."""
        return bool(self.acted_time) and datetime.fromisoformat(self.acted_time) > operation_time


def encode(memory: Memory) -> str:
    """The memory as JSON, without values that equal their defaults."""
    content: dict[str, Any] = {
        "effects": {name: _without_defaults(_content(effect)) for name, effect in memory.effects.items()},
        "rowVersion": memory.row_version,
        "actedBy": memory.acted_by,
        "actedTime": memory.acted_time,
        "recent": {event_id: state.value for event_id, state in memory.recent.items()},
        "waiting": memory.waiting,
        "deadLetters": {event_id: _without_defaults(_content(it)) for event_id, it in memory.dead_letters.items()},
        "deleted": memory.deleted,
        "seen": memory.seen,
        "shown": memory.shown,
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
        seen=content.get("seen", 0),
        shown=content.get("shown", 0),
    )


def _letter(content: dict[str, Any]) -> DeadLetter:
    return DeadLetter(**{**content, "reported": tuple(content.get("reported", ()))})


def _content(it: Effect | DeadLetter) -> dict[str, Any]:
    """Its fields; `dataclasses.asdict` copies their contents as well, at ten times the cost."""
    return {name: getattr(it, name) for name in it.__slots__}


def _without_defaults(content: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in content.items() if value not in _EMPTY}


_NEVER: Final = Effect()
_EMPTY: Final[tuple[Any, ...]] = (None, "", 0, False, {}, (), [])
