"""Structured logs.

A record's message is one JSON object on one line: `{"what": "effect-done", "eventId": ..., "durationMs": ...}`. The
Functions host ships the message text to Application Insights as it is, so Kusto reads it with `parse_json(message)`
(docs/reference/logs.md).

Redaction is by allow-list: only the fields of `Fields` can be logged. mypy refuses other fields, and at run time they
are left out and named in `droppedFields`. No field holds column values. Of an exception its type, reason and place are
logged, but never its message, which may quote its input.
"""

import json
import logging
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Any, Protocol, TypedDict, Unpack


class Fields(TypedDict, total=False):
    """Everything that may be logged about what happened; the names are written in camel case."""

    event_id: str
    correlation_id: str
    table: str
    record: str
    message: str
    """The Dataverse message: Create, Update, ..."""
    changed: list[str]
    """Names of columns, never their values."""
    unread: list[str] | None
    """Names of the parts of an event that are missing because they could not be read."""
    pointers: list[str]
    """What was wrong in a request that was refused: JSON pointers and names of headers."""
    source: str
    """The way an event came in: webhook, plug-in, ..."""
    caller: str
    subscription: str
    stage: str
    effect: str
    state: str
    outcome: str
    attempt: int
    due: datetime | None
    duration_ms: float
    service: str
    operation: str
    status: int
    reason: str | None
    resolved: str
    error_type: str
    function: str
    partition: str
    sequence_number: int
    offset: str
    blob: str
    sink: str
    columns: list[str]
    """Names of columns, never their values."""
    effects: list[str]
    """Names of effects."""
    fingerprint: str
    """The hash of what something is done with; what it is done with cannot be told from it."""
    remembered: str | None
    """The fingerprint with which it was done before."""
    method: str
    count: int
    size_bytes: int
    sent_bytes: int
    version: int


class Subject(Protocol):
    """The fields of an `IntegrationEvent` that every log record about it has."""

    @property
    def event_id(self) -> str: ...
    @property
    def correlation_id(self) -> str: ...
    @property
    def table(self) -> str: ...
    @property
    def record_id(self) -> str | None: ...
    @property
    def message(self) -> str: ...
    @property
    def attempt(self) -> int: ...


class Logger:
    """Writes to one of Python's loggers; `what` is a stable word for what happened (`effect-done`)."""

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger

    def debug(self, what: str, *, event: Subject | None = None, **fields: Unpack[Fields]) -> None:
        """A detail for finding a fault, of an event that debug detail is on for; nothing is written of others.

        Without an `event`, it is of the one that the calling code works on (`detailed`). The level is INFO: nothing
        lower gets through the Functions worker and the log levels of host.json.
        """
        if (subject := event or _detailed.get()) is not None:
            self._write(logging.INFO, what, subject, None, fields)

    def info(self, what: str, *, event: Subject | None = None, **fields: Unpack[Fields]) -> None:
        """Something happened as planned."""
        self._write(logging.INFO, what, event, None, fields)

    def warning(
        self, what: str, *, event: Subject | None = None, error: BaseException | None = None, **fields: Unpack[Fields]
    ) -> None:
        """Something went wrong and is dealt with, for example by a retry or a refusal."""
        self._write(logging.WARNING, what, event, error, fields)

    def error(
        self, what: str, *, event: Subject | None = None, error: BaseException | None = None, **fields: Unpack[Fields]
    ) -> None:
        """Something that a person has to look at."""
        self._write(logging.ERROR, what, event, error, fields)

    def _write(self, level: int, what: str, event: Subject | None, error: BaseException | None, fields: Fields) -> None:
        if self._logger.isEnabledFor(level):
            self._logger.log(level, "%s", line(what, {**_about(event), **fields}, error))


@contextmanager
def detailed(event: Subject) -> Iterator[None]:
    """Debug detail is on for this event: code that is called within, and tasks that it starts, log details of it."""
    token = _detailed.set(event)
    try:
        yield
    finally:
        _detailed.reset(token)


def detailed_event() -> Subject | None:
    """The event that the calling code works on, if debug detail is on for it."""
    return _detailed.get()


def get_logger(name: str) -> Logger:
    """The logger with this `name`; each module creates its own once, at its top."""
    return Logger(logging.getLogger(name))


def line(what: str, fields: Mapping[str, Any], error: BaseException | None = None) -> str:
    """The JSON line for what happened; fields that are None are left out, long texts are cut."""
    content: dict[str, Any] = {"what": what}
    for name, value in fields.items():
        if name in _WIRE_NAMES and value is not None:
            content[_WIRE_NAMES[name]] = _shown(value)
    dropped = sorted(fields.keys() - _WIRE_NAMES.keys())
    if dropped:
        content["droppedFields"] = dropped
    if error is not None:
        content["errorType"] = type(error).__name__
        content.setdefault("reason", getattr(error, "reason", "unexpected"))
        content["stack"] = [
            f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}"
            for frame in traceback.extract_tb(error.__traceback__)[-_FRAMES:]
        ]
    return json.dumps(content, separators=(",", ":"), default=str)


def quieten_libraries() -> None:
    """Let the SDKs log only warnings and errors; the composition root calls this once.

    At INFO they log every request with its address, which may hold alternate keys.
    """
    for name in ("azure", "urllib3", "msal", "requests"):
        logging.getLogger(name).setLevel(logging.WARNING)


def _about(event: Subject | None) -> Mapping[str, Any]:
    if event is None:
        return {}
    return {
        "event_id": event.event_id,
        "correlation_id": event.correlation_id,
        "table": event.table,
        "record": event.record_id,
        "message": event.message,
        "attempt": event.attempt,
    }


def _shown(value: Any) -> Any:
    if isinstance(value, str):
        return value if len(value) <= _LONGEST else value[:_LONGEST] + "…"
    if isinstance(value, float):
        return round(value, 3)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, list | tuple | set | frozenset):
        return [_shown(part) for part in value]
    return value


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(other.capitalize() for other in others)


_WIRE_NAMES = {name: _camel(name) for name in Fields.__annotations__}
_LONGEST = 500
_detailed: ContextVar[Subject | None] = ContextVar("detailed", default=None)
_FRAMES = 10
