"""Reads the lines of the processes' logs, which have a few different forms, into one form."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

_LEVEL = r"(?P<level>DEBUG|INFO|WARNING|ERROR|CRITICAL)"
_FORMS = (
    # The Functions host: 2026-11-26T13:57:06.586Z ERROR [origin] text
    re.compile(rf"(?P<time>\d{{4}}-\d\d-\d\dT[\d:.]+Z) {_LEVEL} \[(?P<origin>[^\]]*)\] (?P<text>.*)"),
    # The broker and the stand-ins: 2026-11-26 13:56:56,628 INFO origin text, or with origin and level the other way
    re.compile(rf"(?P<time>\d{{4}}-\d\d-\d\d [\d:]+,\d{{3}}) {_LEVEL} (?P<origin>\S+) (?P<text>.*)"),
    re.compile(rf"(?P<time>\d{{4}}-\d\d-\d\d [\d:]+,\d{{3}}) (?P<origin>\S+) {_LEVEL} (?P<text>.*)"),
)


@dataclass(frozen=True, slots=True)
class LogLine:
    """One record. `fields` are the properties of one that the app wrote, which is a JSON object; `what` is its word."""

    text: str
    at: datetime | None = None
    level: str = ""
    origin: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict)

    @property
    def what(self) -> str:
        return str(self.fields.get("what", ""))


def parse(line: str) -> LogLine:
    """Read one line; one of no known form is text without time and level."""
    if line.startswith("{") and (fields := _object(line)):
        return LogLine(line, _time(str(fields.get("time", ""))), str(fields.get("level", "")), "app", fields)
    for form in _FORMS:
        if match := form.fullmatch(line):
            fields = _object(match["text"]) if match["text"].startswith("{") else {}
            return LogLine(match["text"], _time(match["time"]), match["level"], match["origin"], fields)
    return LogLine(line)


class LogFile:
    """A log that grows; `new` gives what has been added since the last call.

    Reading begins at `offset` (bytes; negative: from the end). A file that does not exist yet, or that was started
    again, is read from its beginning.
    """

    def __init__(self, path: Path, *, offset: int = 0) -> None:
        self.path = path
        size = path.stat().st_size if path.exists() else 0
        self._offset = offset if offset >= 0 else max(0, size + offset)
        self._rest = b""
        self._torn = self._offset > 0
        """Reading begins within a line, which is left out."""

    @classmethod
    def at_end(cls, path: Path) -> "LogFile":
        """Only what will be added from now on."""
        log = cls(path, offset=path.stat().st_size if path.exists() else 0)
        log._torn = False
        return log

    def new(self) -> Iterator[str]:
        """Whole lines."""
        try:
            with self.path.open("rb") as file:
                if file.seek(0, 2) < self._offset:
                    self._offset, self._rest = 0, b""
                file.seek(self._offset)
                added = file.read()
        except FileNotFoundError:
            return
        self._offset += len(added)
        *lines, self._rest = (self._rest + added).split(b"\n")
        if self._torn and lines:
            self._torn = False
            lines = lines[1:]
        for line in lines:
            yield line.decode(errors="replace").rstrip("\r")


def _object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _time(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text.replace(",", "."))
    except ValueError:
        return None
    return found if found.tzinfo else found.astimezone().astimezone(UTC)
