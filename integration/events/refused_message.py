"""A message that the intake refused, on its way to the dead-letter queue: why, and the message as it was.

Its first line is JSON and says why; behind it is the body, byte for byte. It goes through the work queue like an event,
so that support finds it among the dead letters, with its reason, beside everything else that has failed.
"""

import json
from typing import Any, Final

from integration.errors import Rejected, Unreadable

_FIRST: Final = b'{"refused":'
_LINE: Final = 4_096
_MAX_DETAIL: Final = 1_000


def to_refused(body: bytes, error: Rejected, *, source: str, limit_bytes: int) -> bytes:
    """The message for the queue. A body that does not fit within `limit_bytes` is cut, and the first line says so."""
    why: dict[str, Any] = {"reason": error.reason, "detail": error.detail[:_MAX_DETAIL], "source": source}
    room = limit_bytes - _LINE
    if len(body) > room:
        why["bodyBytes"] = len(body)
    line = json.dumps({"refused": why}, separators=(",", ":")).encode()
    return line + b"\n" + body[:room]


def check_refused(message: bytes) -> None:
    """Raise `Unreadable` with the reason where `message` is one that the intake refused."""
    if not message.startswith(_FIRST):
        return
    try:
        why = json.loads(message.partition(b"\n")[0])["refused"]
        reason, detail = str(why["reason"]), str(why["detail"])
    except (ValueError, TypeError, LookupError):
        return
    raise Unreadable(detail, reason=reason)
