"""What several pages show: the state of a system in words, and of an event as a mark."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from integration.ledger import State
from integration.protection import Pause, Phase, SystemState

MARKS: Final[Mapping[str, str]] = {
    State.ACCEPTED.value: "idle",
    State.PROCESSING.value: "wait",
    State.WAITING.value: "wait",
    State.COMPLETED.value: "ok",
    State.SUPERSEDED.value: "ok",
    State.NO_HANDLER.value: "idle",
    State.DEAD_LETTERED.value: "bad",
    State.RESOLVED.value: "ok",
    State.RESUBMITTED.value: "idle",
    State.DISCARDED.value: "idle",
}
"""The colour and the shape of each state; its word stands beside it always."""


@dataclass(frozen=True, slots=True)
class Held:
    """A system or a table: whether it works, since when it does not, and why."""

    kind: str
    name: str
    mark: str
    state: str
    since: datetime | None
    says: str
    paused: bool


def system(name: str, state: SystemState, now: datetime) -> Held:
    """A system, by what all instances know of it."""
    if state.pause is not None:
        return _paused("systems", name, state.pause)
    since = datetime.fromtimestamp(state.since, UTC)
    if state.phase is not Phase.CLOSED:
        again = datetime.fromtimestamp(state.until, UTC)
        word = "unavailable" if state.phase is Phase.OPEN else "being probed"
        says = f"{state.why or 'It failed'}. The breaker is {state.phase.value}; it is tried again at {again:%H:%M:%S}."
        return Held("systems", name, "bad", word, since, says, paused=False)
    if state.throttled_until > now.timestamp():
        until = datetime.fromtimestamp(state.throttled_until, UTC)
        return Held("systems", name, "wait", "asked for a pause", None, f"Until {until:%H:%M:%S}.", paused=False)
    if state.ramp_from is not None and now.timestamp() - state.ramp_from < 60:
        return Held("systems", name, "ok", "coming back", since, "It gets few calls at first.", paused=False)
    return Held("systems", name, "ok", "available", None, "", paused=False)


def table(name: str, pause: Pause | None) -> Held:
    """The events of a table."""
    return _paused("tables", name, pause) if pause else Held("tables", name, "ok", "going on", None, "", paused=False)


def _paused(kind: str, name: str, pause: Pause) -> Held:
    since = datetime.fromtimestamp(pause.since, UTC)
    return Held(kind, name, "wait", "paused", since, f"By {pause.by}: {pause.why}", paused=True)
