"""Says in sentences what the app's log words mean.

The words are those of docs/reference/logs.md. A word that is not known here is shown as it is.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from sandbox.terminal.words import clock, counted, duration, shortened
from sandbox.watching.log_lines import LogLine

_EXPECTED = re.compile(r"\b(Condemned|DeadLettered): ")
_FAILED = re.compile(r"Executed '(?P<function>\w+)' \(Failed")


class Lookup(Protocol):
    """Looks up what the log does not say; each method returns None if it is not known."""

    def name(self, table: str, record: str, /) -> str | None:
        """The name of a row."""

    def operation(self, event_id: str, /) -> Mapping[str, Any] | None:
        """The status of an event."""


class NoLookup:
    """Looks up nothing: only what the log says is shown."""

    def name(self, _table: str, _record: str) -> str | None:
        return None

    def operation(self, _event_id: str) -> Mapping[str, Any] | None:
        return None


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happened: `word` is a state or a log word, `event_id` empty where it is about no single event."""

    at: datetime
    level: str
    event_id: str
    word: str
    text: str


Fields = Mapping[str, Any]


def happening(line: LogLine, lookup: Lookup) -> Happening | None:
    """What a line of the hosts' logs means; None for what is not worth a line."""
    at, level = line.at or datetime.now(UTC), line.level or "INFO"
    if line.what:
        describe = _WORDS.get(line.what, _other)
        word, text = describe(line.fields, lookup)
        return Happening(at, level, str(line.fields.get("eventId", "")), word, text)
    if level not in {"ERROR", "CRITICAL"} or _EXPECTED.search(line.text):
        return None
    failed = _FAILED.match(line.text)
    last = line.text.replace("\\n", "\n").strip().rpartition("\n")[2]
    return Happening(at, level, "", "failed" if failed else "host", f"{failed['function']}: {last}" if failed else last)


def subject(fields: Fields, lookup: Lookup) -> str:
    """`Update of account Contoso Ltd`."""
    table, record = str(fields.get("table", "")), str(fields.get("record", ""))
    named = lookup.name(table, record) or shortened(record)
    return f"{fields.get('message', 'Event')} of {table} {named}".strip()


def _accepted(fields: Fields, lookup: Lookup) -> tuple[str, str]:
    caller = str(fields.get("caller", ""))
    return "accepted", subject(fields, lookup) + (f", reported by {caller}" if caller != "dataverse" else "")


def _own_write(fields: Fields, lookup: Lookup) -> tuple[str, str]:
    return "own-write", f"{subject(fields, lookup)} was written by the app itself; it is not queued"


def _effect(fields: Fields, lookup: Lookup) -> tuple[str, str]:
    effect = str(fields.get("effect", ""))
    operation = lookup.operation(str(fields.get("eventId", ""))) or {}
    details = [step["detail"] for step in operation.get("steps", ()) if step["name"] == effect]
    return "effect", f"{effect}: {details[0]}" if details and details[0] else effect


def _settled(fields: Fields, lookup: Lookup) -> tuple[str, str]:
    operation = lookup.operation(str(fields.get("eventId", ""))) or {}
    took = f"in {duration(fields['durationMs'] / 1000)}" if "durationMs" in fields else ""
    parts = [shortened(str(operation.get("detail") or "")), took]
    return str(fields.get("state", "settled")), ", ".join(filter(None, parts)) or "nothing left to do"


def _waiting(fields: Fields, lookup: Lookup) -> tuple[str, str]:
    due = _time(fields.get("due"))
    again = f"attempt {int(fields.get('attempt', 1)) + 1} at {clock(due)}; " if due else ""
    return "waiting", f"{again}{_why(fields, lookup)}"


def _dead_lettered(fields: Fields, lookup: Lookup) -> tuple[str, str]:
    return "dead-lettered", _why(fields, lookup)


def _written(fields: Fields, _: Lookup) -> tuple[str, str]:
    events, partition = counted(int(fields.get("count", 1)), "more event"), fields.get("partition")
    if fields.get("sink") == "archive":
        return "archived", f"analytics has {events}, in partition {partition}"
    return "analytics", f"{fields.get('sink')} has {events}, from partition {partition}"


def _set_aside(fields: Fields, _: Lookup) -> tuple[str, str]:
    return "set aside", f"{fields.get('sink')} does not take an event ({fields.get('reason')}): {fields.get('blob')}"


def _waits(fields: Fields, _: Lookup) -> tuple[str, str]:
    events = counted(int(fields.get("count", 1)), "event")
    return (
        "analytics",
        f"{events} {'waits' if events.startswith('1 ') else 'wait'} for {fields.get('sink')} ({fields.get('reason')})",
    )


def _why(fields: Fields, lookup: Lookup) -> str:
    operation = lookup.operation(str(fields.get("eventId", ""))) or {}
    reason = str(fields.get("reason", "unknown"))
    detail = operation.get("detail")
    return f"{reason}: {shortened(str(detail))}" if detail else reason


def _saying(text: str) -> "Describe":
    def describe(fields: Fields, _: Lookup) -> tuple[str, str]:
        reason = f" ({fields['reason']})" if "reason" in fields else ""
        return str(fields["what"]), f"{text}{reason}"

    return describe


def _other(fields: Fields, _: Lookup) -> tuple[str, str]:
    known = {"what", "eventId", "correlationId", "invocationId", "time", "level", "stack", "table", "record", "message"}
    more = ", ".join(f"{name} {value}" for name, value in fields.items() if name not in known)
    return str(fields["what"]), shortened(more)


Describe = Callable[[Fields, Lookup], tuple[str, str]]

_WORDS: dict[str, Describe] = {
    "accepted": _accepted,
    "own-write": _own_write,
    "effect-done": _effect,
    "settled": _settled,
    "retry-scheduled": _waiting,
    "dead-lettered": _dead_lettered,
    "sink-wrote": _written,
    "sink-waits": _waits,
    "sink-set-aside": _set_aside,
    "duplicate": _saying("the event had already ended; nothing is done again"),
    "not-queued": _saying("the queue could not be reached in time; the caller got 503"),
    "ledger-behind": _saying("accepted, but the ledger could not be written in time"),
    "not-published": _saying("the event has ended, but could not be published for analytics; a copy does that later"),
    "published": _saying("an event that had ended before has now been published for analytics"),
    "held": _saying("the work queue accepts no copy; the message is held and tried again"),
    "resolved": _saying("this event completes the work of an earlier one that was dead-lettered"),
    "fenced": _saying("another invocation works on this record; this one ends without any write"),
    "reported-later": _saying("a copy will report the dead letter to the row or to analytics"),
    "system-behind": _saying("a system had an older state than it has confirmed; was it restored from a copy?"),
    "system-left-alone": _saying("a system is unavailable and gets no calls for a while"),
    "system-back": _saying("a system that was unavailable works again"),
}


def _time(value: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(value))
    except ValueError:
        return None
