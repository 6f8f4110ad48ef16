"""The events that the logs mention, each with its last state."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sandbox.terminal.words import short_id
from sandbox.watching.log_lines import LogFile, LogLine, parse

HOST_LOGS = ("host-http.log", "host-events.log")
_READ_BYTES = 16 * 1024 * 1024
"""How much of each log's end is read: about fifty thousand events."""
_KEPT = 200

_STATES = {
    "accepted": "accepted",
    "effect-done": "processing",
    "retry-scheduled": "waiting",
    "dead-lettered": "dead-lettered",
}


@dataclass(slots=True)
class Tracked:
    """An event, when it was first mentioned, and its state according to the logs."""

    id: str
    subject: Mapping[str, str]
    at: datetime
    state: str
    reason: str = ""


class Journal:
    """Events by id, the latest last; `kept` of them."""

    def __init__(self, kept: int = _KEPT) -> None:
        self._events: dict[str, Tracked] = {}
        self._kept = kept

    @classmethod
    def of(cls, logs: Path, kept: int = 1_000_000) -> "Journal":
        """The events that the logs in this folder mention."""
        journal = cls(kept)
        lines = (parse(line) for name in HOST_LOGS for line in LogFile(logs / name, offset=-_READ_BYTES).new())
        journal.add(sorted(lines, key=_when))
        return journal

    def add(self, lines: Iterable[LogLine]) -> None:
        """Read these lines, which come in the order of time."""
        for line in lines:
            event_id = str(line.fields.get("eventId", ""))
            state = str(line.fields.get("state", "")) if line.what == "settled" else _STATES.get(line.what, "")
            if not event_id or not state:
                continue
            event = self._events.get(event_id)
            if event is None:
                subject = {name: str(line.fields.get(name, "")) for name in ("message", "table", "record")}
                event = self._events[event_id] = Tracked(event_id, subject, _when(line), state)
                if len(self._events) > self._kept:
                    del self._events[next(iter(self._events))]
            # Two logs mention one event: the intake's line may come after the worker's.
            event.at = min(event.at, _when(line))
            event.state = event.state if state == "accepted" else state
            event.reason = str(line.fields.get("reason", ""))

    def latest(self, number: int) -> list[Tracked]:
        """The latest events, the newest first."""
        return list(self._events.values())[: -number - 1 : -1]

    def matching(self, prefix: str) -> list[Tracked]:
        """The events whose id begins with this, or has this as its short form."""
        prefix = prefix.lower()
        return [it for it in self._events.values() if it.id.startswith(prefix) or short_id(it.id).startswith(prefix)]


def _when(line: LogLine) -> datetime:
    return line.at or datetime.min.replace(tzinfo=UTC)
