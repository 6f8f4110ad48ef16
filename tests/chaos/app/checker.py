"""Judges a history, which has only what can be seen from outside: which promises were broken."""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from tests.books.history import History
from tests.chaos.app import model

Thing = TypeVar("Thing", bound=Hashable)

BURIED = frozenset({"dead-lettered", "resolved"})
"""States of events whose message may be in the dead-letter queue; that of a resolved event may have been removed."""
FINAL = BURIED | {"completed", "superseded", "no-handler"}
LISTED = frozenset({"waiting", "dead-lettered"})
"""The states of events that the list of problems has; it also has systems, under the event that noticed something."""
REASONS = frozenset({"credit-rejected", "erp-rejected", "currency-without-code"})
"""The reasons for a currency that does not exist or has no code. With `RESTORED` there are no others."""
RESTORED = frozenset({"erp-ahead", "erp-behind"})
"""The reasons that say that a system was restored from an older copy."""


PROMISES = ("lost", "done twice", "charged twice", "out of order", "not converged", "two statuses")
"""What each run states, with 0 where all is well; `other violations` counts the rest."""


@dataclass(frozen=True, slots=True)
class Violation:
    """A broken promise and what shows it."""

    promise: str
    evidence: str

    def __str__(self) -> str:
        return f"{self.promise}: {self.evidence}"


def violations(history: History) -> list[Violation]:
    """All broken promises; none for a run as it should be."""
    checks = {
        "lost": _lost(history),
        "done twice": _done_twice(history),
        "charged twice": _charged_twice(history),
        "out of order": _out_of_order(history),
        "not converged": model.disagreements(history),
        "two statuses": _two_statuses(history),
        "dead letters": _dead_letters(history),
        "dead-letter reason": _dead_letter_reasons(history),
        "archive": _archive(history),
        "own writes": _own_writes(history),
        "identity": _identity(history),
    }
    return [Violation(promise, evidence) for promise, found in checks.items() for evidence in found]


def counts(history: History) -> dict[str, int]:
    """The figures of a run."""
    found = Counter(violation.promise for violation in violations(history))
    ended = Counter(operation["state"] for operation in history.operations.values() if operation)
    return {
        "events": len(history.accepted),
        "deliveries": sum(answer.status == "accepted" for answer in history.answers),
        "own writes": sum(answer.own for answer in history.answers),
        "effects": len(history.effects),
        "charges": len(history.charges),
        "strikes": len(history.nemesis),
        "kills": sum(strike.startswith("kill") for strike in history.nemesis),
        **ended,
        **{promise: found[promise] for promise in PROMISES},
        "other violations": sum(found.values()) - sum(found[promise] for promise in PROMISES),
    }


def _lost(history: History) -> Iterator[str]:
    """Every event that the intake has accepted has come to an end."""
    for event_id, record in history.accepted.items():
        operation = history.operations.get(event_id)
        if operation is None:
            yield f"event {event_id} of {record} is not in the ledger"
        elif operation["state"] not in FINAL:
            yield f"event {event_id} of {record} is still {operation['state']} ({operation['reason']})"
    if history.queue.get("active") or history.queue.get("locked") or history.queue.get("scheduled"):
        yield f"after all that time the work queue still has {history.queue}"


def _done_twice(history: History) -> Iterator[str]:
    """Nothing is done twice under one key, nothing is created twice."""
    for key in _repeated(effect["key"] for effect in history.effects):
        yield f"ERP effect {key}"
    for key in _repeated(charge["key"] for charge in history.charges):
        yield f"credit charge {key}"
    created = (effect["id"] for effect in history.effects if effect["kind"].endswith("created"))
    for row_id in _repeated(created):
        yield f"{row_id} was created twice in the ERP"


def _charged_twice(history: History) -> Iterator[str]:
    """One state of an opportunity is charged once, whichever of its events asks."""
    last: dict[str, Hashable] = {}
    for charge in history.charges:
        if last.get(charge["reference"]) == model.scored_for(charge):
            yield f"opportunity {charge['reference']} for {charge['amount']} {charge['currency']} by {charge['key']}"
        last[charge["reference"]] = model.scored_for(charge)


def _out_of_order(history: History) -> Iterator[str]:
    """A record's version never goes back in the ERP, unless Dataverse itself went back to an older copy."""
    newest: dict[tuple[str, str], int] = defaultdict(int)
    for number, effect in enumerate(history.effects):
        if number == history.restored_at:
            newest.clear()
        resource = effect["kind"].partition("-")[0], effect["id"]
        version = effect["body"]["sourceVersion"]
        if version < newest[resource]:
            yield f"{effect['kind']} {effect['id']}: version {version} after {newest[resource]}"
        newest[resource] = max(newest[resource], version)


def _two_statuses(history: History) -> Iterator[str]:
    """Ledger, status route, list of problems and analytics agree on how an event ended.

    Analytics hears of a dead letter when it becomes one; what resolves it is another event.
    """
    archived: dict[str, set[str]] = defaultdict(set)
    for line in history.archived:
        archived[str(line.get("id"))].add(str(line.get("state")))
    for event_id, operation in history.operations.items():
        if operation is None:
            continue
        state = str(operation["state"])
        said: dict[str, set[str]] = {"the status route": {history.shown.get(event_id, state)}}
        said["the archive"] = archived[event_id] - ({"dead-lettered"} if state == "resolved" else set())
        said["the list of problems"] = {it for it in history.problems.get(event_id, ()) if it in LISTED}
        for place, states in said.items():
            if states - {state}:
                yield f"event {event_id} is {state} in the ledger, and {', '.join(sorted(states))} in {place}"


def _dead_letters(history: History) -> Iterator[str]:
    """The dead-letter queue holds the dead-lettered events and nothing else."""
    letters = {message_id.partition("#")[0] for message_id in history.dead_letters}
    dead_lettered = {
        event_id for event_id, it in history.operations.items() if it is not None and it["state"] in BURIED
    }
    kept = {event_id for event_id in dead_lettered if (history.operations[event_id] or {})["state"] == "dead-lettered"}
    for event_id in sorted(kept - letters):
        yield f"event {event_id} was dead-lettered and is not in the dead-letter queue"
    for event_id in sorted(letters - dead_lettered):
        operation = history.operations.get(event_id)
        yield f"event {event_id} is in the dead-letter queue, but its state is {operation and operation['state']}"


def _dead_letter_reasons(history: History) -> Iterator[str]:
    """A dead letter has a reason, and it is one of those that may occur."""
    expected = dict.fromkeys(history.restored, RESTORED) | dict.fromkeys(history.unacceptable, REASONS)
    for event_id, operation in history.operations.items():
        if operation is None or operation["state"] not in BURIED:
            continue
        record = history.accepted.get(event_id, "")
        if record not in expected:
            yield f"event {event_id} of {record}: nothing was wrong with that record"
        if operation["reason"] not in expected.get(record, REASONS) or not operation["detail"]:
            yield f"event {event_id}: {operation['reason']} ({operation['detail']})"


def _archive(history: History) -> Iterator[str]:
    """Analytics has every event that has ended, and everything that is in the hub."""
    archived = {line.get("id") for line in history.archived}
    for event_id in history.accepted:
        operation = history.operations.get(event_id)
        if operation is not None and operation["state"] in FINAL and event_id not in archived:
            yield f"event {event_id} ({operation['state']}) is not in the archive"
    for place in _repeated((line["partition"], line["sequenceNumber"]) for line in history.archived):
        yield f"line {place} is there twice"
    lines = Counter(line["partition"] for line in history.archived)
    for partition, count in history.hub.items():
        if lines[partition] != count:
            yield f"partition {partition} has {count} events, the archive {lines[partition]}"


def _own_writes(history: History) -> Iterator[str]:
    """The app's own writes end at the intake, and no other event does."""
    for answer in history.answers:
        if answer.own != (answer.status == "own-write"):
            yield f"event {answer.event_id} of {answer.record}, own {answer.own}, was answered {answer.status}"
        if answer.own and history.operations.get(answer.event_id) is not None:
            yield f"event {answer.event_id} of {answer.record} is our own write and was queued"


def _identity(history: History) -> Iterator[str]:
    """One event id belongs to one record."""
    records: dict[str, set[str]] = defaultdict(set)
    for answer in history.answers:
        records[answer.event_id].add(answer.record)
    for event_id, named in records.items():
        if len(named) > 1:
            yield f"event {event_id} stands for {sorted(named)}"


def _repeated(things: Iterable[Thing]) -> list[Thing]:
    return [thing for thing, count in Counter(things).items() if count > 1]
