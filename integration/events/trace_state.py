"""W3C Trace Context's `tracestate`: what the tracing systems on an event's way have added; it is passed on as it came.

It never fails anything: what is not valid is dropped as a whole, and what is too long is cut by whole members. One
member is the app's own, `integration`: it says until when the readers of the hub give debug detail of the event.
Sources: W3C Trace Context, level 1, 3.3 (32 members; at least 512 characters are passed on; members of more than 128
are left out first, then those at the end; who changes a member puts it in front) and level 2, which also allows keys
that begin with a digit.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from integration.events.fields import traceparent

OWN: Final = "integration"
MARK: Final = f'"tracestate":"{OWN}='.encode()
"""How the app's own member stands in a document that the worker has published."""
_MOST: Final = 32
_LONGEST: Final = 512
_LARGE: Final = 128
_DIGITS: Final = 11
_KEY: Final = r"[a-z0-9][a-z0-9_*/@-]{0,255}"
_MEMBER: Final = re.compile(rf"({_KEY})=([\x20-\x2b\x2d-\x3c\x3e-\x7e]{{0,255}}[\x21-\x2b\x2d-\x3c\x3e-\x7e])")


def tracestate(headers: Mapping[str, str]) -> str | None:
    """The caller's, as it is passed on; None if there is none, or none that is valid. Names are in lower case.

    The app's own member is not taken from anybody, and nothing is without a valid `traceparent`. Of a key that is there
    twice, the first member counts.
    """
    raw = headers.get("tracestate")
    if not raw or traceparent(headers) is None:
        return None
    members = _members(raw)
    members.pop(OWN, None)
    return _joined(members) or None


def marked(state: str | None, until: datetime | None) -> str | None:
    """The state with the app's own member, which says until when there is debug detail; without it where there is none.

    It stands in front, as of who has changed something last.
    """
    if until is None and OWN not in (state or ""):
        return state
    members = {} if until is None else {OWN: str(int(until.timestamp()))}
    members |= {key: it for key, it in _members(state or "").items() if key != OWN}
    return _joined(members) or None


def detail_until(state: str | None) -> datetime | None:
    """Until when there is debug detail of the event, as the app's own member says."""
    seconds = _members(state or "").get(OWN, "")
    return datetime.fromtimestamp(int(seconds), UTC) if seconds.isdecimal() and len(seconds) <= _DIGITS else None


def _members(text: str) -> dict[str, str]:
    """Key and value in their order; none where one member is not valid, or there are too many."""
    found: dict[str, str] = {}
    parts = [part for it in text.split(",", 4 * _MOST) if (part := it.strip(" \t"))]
    for part in parts:
        member = _MEMBER.fullmatch(part)
        if member is None:
            return {}
        found.setdefault(member[1], member[2])
    return found if len(parts) <= _MOST else {}


def _joined(members: Mapping[str, str]) -> str:
    written = [f"{key}={value}" for key, value in members.items()][:_MOST]
    while (text := ",".join(written)) and len(text) > _LONGEST:
        large = [at for at, it in enumerate(written) if len(it) > _LARGE]
        written.pop(large[-1] if large else -1)
    return text
