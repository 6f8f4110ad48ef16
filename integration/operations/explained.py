"""In a sentence: why an event stands where it stands, and what a retry would do."""

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

from integration.ledger import EventStatus, State
from integration.operations.originals import possible

_ANY_SYSTEM: Final = "<system>-"
_MARKS: Final = re.compile(r"[`*]")
_STATES: Final[Mapping[State, str]] = {
    State.ACCEPTED: "It is queued, and nothing has been done for it yet.",
    State.PROCESSING: "An attempt is under way.",
    State.COMPLETED: "Everything is done, and the results are in the row.",
    State.SUPERSEDED: "Another event of the record has done its work already; nothing was left to do.",
    State.NO_HANDLER: "Nothing handles this message of this table; analytics has the event.",
    State.RESOLVED: "It had failed, and a later event of the record has made up for it.",
    State.RESUBMITTED: "It had failed, and was sent again as another event: look at that one.",
    State.DISCARDED: "Somebody has decided that nothing is to be done for it.",
}


@dataclass(frozen=True, slots=True)
class Reason:
    """What a reason means and what to do about it."""

    means: str
    do: str


@cache
def _known() -> dict[str, Reason]:
    document = json.loads((files("integration.operations") / "reasons.json").read_text(encoding="utf-8"))
    return {word: Reason(_MARKS.sub("", it["means"]), _MARKS.sub("", it["do"])) for word, it in document.items()}


def reason(word: str | None) -> Reason | None:
    """The reason of this word; one that several systems can have is known without the system."""
    known = _known()
    if not word or word in known:
        return known.get(word or "")
    parts = word.split("-")
    for at in range(1, len(parts)):
        if found := known.get(_ANY_SYSTEM + "-".join(parts[at:])):
            return found
    return None


def title(word: str) -> str:
    """The reason as words: `erp-rejected` becomes `ERP rejected`."""
    said = word.replace("-", " ").strip()
    said = re.sub(r"^(erp|id)\b", lambda it: it[0].upper(), said)
    return said[:1].upper() + said[1:] if said else "Without a reason"


def why(status: EventStatus) -> str:
    """Why the event stands where it stands."""
    if status.state in _STATES:
        return _STATES[status.state]
    found = reason(status.reason)
    means = found.means if found else f"The reason is {status.reason or 'not known'}."
    if status.state is State.WAITING:
        return f"The last attempt did not succeed. {means}"
    return means


def advice(status: EventStatus) -> str:
    """What a person is to do; empty where nothing is."""
    found = reason(status.reason)
    return found.do if found and status.state in {State.WAITING, State.DEAD_LETTERED} else ""


def retry(status: EventStatus, effects: Sequence[str], carried: Collection[str] = ()) -> str:
    """What sending it again would do; empty where it cannot be sent again."""
    if "retry" not in possible(status):
        return ""
    if not status.table or not status.message:
        return "A retry is not possible, as its message could not be read."
    done = [it.name for it in status.steps if it.state == "done" and it.name != "publish"]
    unknown = [it.name for it in status.steps if it.state == "started"]
    left = [name for name in effects if name not in done]
    sentence = "A retry is a new event of the same record, and reads the record as it is then."
    if carried:
        sentence += f" It carries {_listed(sorted(carried))} as this one did, unless you edit them."
    if done:
        sentence += f" What is done is not repeated: {_listed(done)}."
    if left:
        sentence += f" It does what is due: {_listed(left)}."
    if unknown:
        sentence += f" The outcome of {_listed(unknown)} is not known: it is repeated under the same Idempotency-Key."
    return sentence


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
