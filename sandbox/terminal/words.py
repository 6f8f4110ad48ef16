"""How ids, times, amounts and counts are written for people. Standard library only."""

import re
import sys
import textwrap
from datetime import datetime
from pathlib import Path

# The first eight digits behind the dash are those of the record: its events share them.
_EVENT_ID = re.compile(r"\b(?:\d{12}|unreadable)-[0-9a-f]{8}([0-9a-f]{8})[0-9a-f]{16}\b")
_GUID = re.compile(r"\b([0-9a-f]{8})-(?:[0-9a-f]{4}-){3}[0-9a-f]{8}([0-9a-f]{4})\b", re.IGNORECASE)
_MINUTE = 60
_HOUR = 3_600

PYTHON = "python" if sys.platform == "win32" else "python3"
"""How Python is called in the commands that are suggested."""


def short_id(event_id: str) -> str:
    """The eight characters by which people name an event; `run.py status` takes them."""
    return _EVENT_ID.sub(r"\1", event_id)


def shortened(text: str) -> str:
    """A text with its event ids and GUIDs in their short forms."""
    return _GUID.sub(r"\1...\2", _EVENT_ID.sub(r"\1", text))


def clock(at: datetime) -> str:
    """The local time of day, to the second."""
    return f"{at.astimezone():%H:%M:%S}"


def moment(at: datetime) -> str:
    """The local time of day, to the millisecond."""
    local = at.astimezone()
    return f"{local:%H:%M:%S}.{local.microsecond // 1000:03}"


def duration(seconds: float) -> str:
    """A number of seconds, in the unit that suits it."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < _MINUTE:
        return f"{seconds:.0f} s"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE:.0f} min {seconds % _MINUTE:.0f} s"
    return f"{seconds // _HOUR:.0f} h {seconds % _HOUR // _MINUTE:.0f} min"


def counted(number: int, what: str, many: str = "") -> str:
    """`1 event`, `2 events`; `many` is the plural where it is not made with an s."""
    return f"{number} {what if number == 1 else many or what + 's'}"


def listed(names: list[str], last: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {last} {names[-1]}" if names else ""


def place(path: Path) -> str:
    """A path as short as it can be written from here: below this folder, or below the home folder."""
    for base, before in ((Path.cwd(), ""), (Path.home(), "~/")):
        if path.is_relative_to(base) and path != base:
            return f"{before}{path.relative_to(base)}"
    return str(path)


def wrapped(text: str, width: int) -> list[str]:
    """The lines of a text; words stay whole, also those with hyphens and those that are longer than the width."""
    return textwrap.wrap(text, max(width, 1), break_long_words=False, break_on_hyphens=False) or [""]
