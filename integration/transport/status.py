"""The error for each answer that is not a success: one table for all systems."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from integration.errors import IntegrationError, Outage, Permanent, Throttled, Transient
from integration.transport.exchange import Response

MAX_RETRY_AFTER = 3600.0
"""Seconds; a longer `Retry-After` counts as this, so that one wrong header does not silence a system for a day."""


def retry_after_seconds(value: str | None, now: datetime) -> float | None:
    """Seconds to wait, from a `Retry-After` header (RFC 9110 10.2.3: seconds or a date); None if it says nothing."""
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        return min(float(text), MAX_RETRY_AFTER)
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return min(max((until - now).total_seconds(), 0.0), MAX_RETRY_AFTER)


def failure(response: Response, *, own: bool, detail: str = "") -> IntegrationError:
    """The error for an answer that is not 2xx; `detail` is added to its message and must hold no column values.

    `own`: the answer has problem types or error codes of the system that was asked. Any other answer came from
    something in front of the system or in its place, which knows nothing of the event, and is an `Outage`.

    | status                                   | in its own words              | otherwise                            |
    |------------------------------------------|-------------------------------|--------------------------------------|
    | 429, 503 + Retry-After                   | Throttled `-throttled`        | the same                             |
    | 502, 503, 504                            | Outage `-unavailable`         | the same                             |
    | 3xx                                      | Outage `-redirected`          | the same                             |
    | 401                                      | Outage `-unauthorised`        | the same                             |
    | 403                                      | Outage `-forbidden`           | Outage `-answer-unreadable`          |
    | 405, 407, 421, 426, 431, 451, 501 to 511 | Outage `-answer-unreadable`   | the same                             |
    | 408, 425, other 5xx                      | Transient `-failed`           | Outage `-unavailable`                |
    | 409, 412                                 | Transient `-conflict`         | Outage `-answer-unreadable`          |
    | other 4xx                                | Permanent `-rejected`         | Outage `-answer-unreadable`          |

    Each reason begins with the system's name. `NotFound`, `Conflict` and `Stale` depend on the system's own words, so
    its client checks for them first. A 412 is not a `Conflict` here: only the sender of the ETag knows what it means.
    """
    service, status = response.request.service, response.status
    message = f"{service} answered {status} to '{response.request.operation}'" + (f": {detail}" if detail else "")
    if status == 429 or (status == 503 and response.retry_after is not None):
        return Throttled(message, reason=f"{service}-throttled", retry_after=response.retry_after, service=service)
    kind, word = _meaning(status, own=own)
    return kind(message, reason=f"{service}-{word}", service=service)


def _meaning(status: int, *, own: bool) -> tuple[type[Outage | Transient | Permanent], str]:  # noqa: PLR0911 -- the table above
    if status in {502, 503, 504}:
        return Outage, "unavailable"
    if status < 400:
        return Outage, "redirected"
    if status == 401:
        return Outage, "unauthorised"
    if status in _NEVER_OF_THE_CONTRACT:
        return Outage, "answer-unreadable"
    if status >= 500 or status in {408, 425}:
        return (Transient, "failed") if own else (Outage, "unavailable")
    if not own:
        return Outage, "answer-unreadable"
    if status == 403:
        return Outage, "forbidden"
    return (Transient, "conflict") if status in {409, 412} else (Permanent, "rejected")


_NEVER_OF_THE_CONTRACT = frozenset({405, 407, 421, 426, 431, 451, 501, 505, 506, 507, 508, 510, 511})
"""Statuses that our requests can only get from something other than the system that they are meant for."""
