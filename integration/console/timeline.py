"""What happened to an event, in the order of time: attempts, effects, and what people did."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby, pairwise
from typing import Any, Final

from integration.ledger import EventStatus, State
from integration.operations import explained
from integration.tables import Entity

_MANY_ALIKE: Final = 5
_DONE: Final = {
    "retry": "sent it again",
    "force": "sent it again, with everything to be repeated",
    "edit": "edited it and sent it again",
    "discard": "discarded it",
    "restore": "took the discard back",
    "postpone": "postponed it",
}
_ENDS: Final[Mapping[State, tuple[str, str]]] = {
    State.COMPLETED: ("ok", "Completed"),
    State.SUPERSEDED: ("ok", "Superseded: nothing was left to do"),
    State.NO_HANDLER: ("ok", "Ended: nothing handles it"),
    State.DEAD_LETTERED: ("bad", "Dead-lettered: it is not tried again"),
    State.RESOLVED: ("ok", "Resolved by a later event"),
}


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened: `kind` is ok, bad, wait or person; `reason` is the stable word where there is one.

    `seconds` is how long after the moment before it that was; None for the first one. `alike` are the attempts that are
    folded into this one, as all have failed for the same reason.
    """

    at: datetime
    kind: str
    what: str
    says: str = ""
    reason: str = ""
    seconds: float | None = None
    alike: tuple["Moment", ...] = ()


def of(status: EventStatus, actions: Sequence[Entity]) -> list[Moment]:
    """The moments of an event, in the order of time."""
    moments = [Moment(status.accepted_time, "ok", "Accepted", f"from {status.caller}" if status.caller else "")]
    moments += [_attempt(it) for it in status.history]
    moments += [
        Moment(step.at, "ok" if step.state == "done" else "wait", _step(step.name, step.state), step.detail)
        for step in status.steps
    ]
    moments += [_action(it) for it in actions]
    if status.state in _ENDS and status.changed_time is not None:
        kind, what = _ENDS[status.state]
        moments.append(Moment(status.changed_time, kind, what))
    if status.next_attempt is not None:
        moments.append(Moment(status.next_attempt, "wait", "Next attempt"))
    moments.sort(key=lambda it: it.at)
    timed = [*moments[:1], *(replace(it, seconds=(it.at - last.at).total_seconds()) for last, it in pairwise(moments))]
    return list(_folded(timed))


def _folded(moments: Sequence[Moment]) -> Iterator[Moment]:
    """The moments, with many attempts that have failed alike as the first, those in between, and the last one."""
    for _, same in groupby(moments, key=lambda it: (it.kind, it.reason, it.says)):
        run = list(same)
        if run[0].kind != "bad" or not run[0].reason or len(run) < _MANY_ALIKE:
            yield from run
            continue
        first, *between, last = run
        yield first
        yield replace(between[0], what=f"{len(between)} more attempts, alike", says="", alike=tuple(between))
        yield last


def _attempt(failed: Mapping[str, Any]) -> Moment:
    word = str(failed.get("reason", ""))
    what = f"Attempt {failed['attempt']}: {explained.title(word).lower()}"
    return Moment(datetime.fromisoformat(str(failed["at"])), "bad", what, str(failed.get("detail", "")), word)


def _step(name: str, state: str) -> str:
    if name == "publish":
        return "Published to analytics"
    return f"{explained.title(name)} {'done' if state == 'done' else 'started, outcome unknown'}"


def _action(entry: Entity) -> Moment:
    outcome = str(entry.get("outcome", "outcome not known"))
    what = f"{entry['who']} {_DONE.get(str(entry['what']), str(entry['what']))}"
    if outcome.startswith(("refused", "failed")):
        what = f"{entry['who']} tried: {entry['what']}"
    return Moment(datetime.fromisoformat(str(entry["time"])), "person", what, f"“{entry['why']}” — {outcome}")
