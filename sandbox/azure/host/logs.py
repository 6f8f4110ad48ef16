"""Logging: one line per record on stderr; records of functions keep their text and gain the invocation id."""

import json
import logging
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

_LEVELS = {
    "trace": logging.DEBUG,
    "debug": logging.DEBUG,
    "information": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
    "critical": logging.CRITICAL,
    "none": logging.CRITICAL + 1,
}


class LineFormatter(logging.Formatter):
    """`time level [function, invocation] message` on one line.

    A function's message that is a JSON object stays one and gains `time`, `level` and `invocationId` at its end, as
    far as it has no such properties of its own.
    """

    def __init__(self, invocation: Callable[[], tuple[str, str] | None]) -> None:
        super().__init__()
        self._invocation = invocation

    def format(self, record: logging.LogRecord) -> str:
        message = super().format(record)
        invocation = None if record.name.startswith("sandbox.") else self._invocation()
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        if invocation is not None and message.startswith("{") and message.endswith("}"):
            return _extended(message, {"time": time, "level": record.levelname, "invocationId": invocation[1]})
        origin = record.name if invocation is None else f"Function.{invocation[0]}, {invocation[1]}"
        return f"{time} {record.levelname} [{origin}] {message}".replace("\r", "").replace("\n", "\\n")


def _extended(message: str, more: Mapping[str, str]) -> str:
    try:
        properties = json.loads(message)
    except ValueError:
        return message
    if not isinstance(properties, dict) or "\n" in message:
        return message
    missing = {name: value for name, value in more.items() if name not in properties}
    if not missing:
        return message
    separator = ", " if properties else ""
    return f"{message[:-1]}{separator}{json.dumps(missing)[1:]}"


def configure(levels: Mapping[str, str], invocation: Callable[[], tuple[str, str] | None]) -> None:
    """Send everything to stderr; `levels` are host.json's `logging.logLevel` (`default`, `Function`, logger names)."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LineFormatter(invocation))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(_LEVELS.get(levels.get("default", "information").lower(), logging.INFO))
    for quiet in ("azure.functions", "azure.core", "azure.storage", "aiohttp.access"):
        logging.getLogger(quiet).setLevel(logging.WARNING)
    for name, level in levels.items():
        if name not in {"default", "function"} and level.lower() in _LEVELS:
            logging.getLogger(name).setLevel(_LEVELS[level.lower()])
