"""From an HTTP status to the error that says what to do: the one table for all systems."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from integration.errors import Conflict, IntegrationError, NotFound, Permanent, Throttled, Transient
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


def failure(response: Response, *, detail: str = "") -> IntegrationError:  # noqa: PLR0911 -- the table below, row by row
    """The error for an answer that is not 2xx; `detail` is added to its message and must hold no column values.

    | status                 | error                | reason                  |
    |------------------------|----------------------|-------------------------|
    | 429, 503 + Retry-After | Throttled            | `<service>-throttled`   |
    | 408, 425, other 5xx    | Transient            | `<service>-unavailable` |
    | 409                    | Transient            | `<service>-conflict`    |
    | 412                    | Conflict             | `conflict`              |
    | 404, 410               | NotFound             | `<service>-not-found`   |
    | 401                    | Transient            | `<service>-unauthorised`|
    | 403                    | Transient            | `<service>-forbidden`   |
    | 3xx                    | Permanent            | `<service>-redirected`  |
    | other 4xx, 501, 505    | Permanent            | `<service>-rejected`    |
    """
    service, status = response.request.service, response.status
    message = f"{service} answered {status} to '{response.request.operation}'" + (f": {detail}" if detail else "")
    if status == 429 or (status == 503 and response.retry_after is not None):
        return Throttled(message, reason=f"{service}-throttled", retry_after=response.retry_after)
    if status == 409:
        return Transient(message, reason=f"{service}-conflict")
    if status == 412:
        return Conflict(message)
    if status in {404, 410}:
        return NotFound(message, reason=f"{service}-not-found")
    if status in {408, 425} or (status >= 500 and status not in {501, 505}):
        return Transient(message, reason=f"{service}-unavailable")
    if status in _REFUSALS:
        return Transient(message, reason=f"{service}-{_REFUSALS[status]}")
    return Permanent(message, reason=f"{service}-{'redirected' if 300 <= status < 400 else 'rejected'}")


_REFUSALS = {401: "unauthorised", 403: "forbidden"}
"""Our credentials or privileges: no event's fault, so events wait until somebody has mended them."""
