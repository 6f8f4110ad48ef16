"""Every error this package raises, in one tree.

    IntegrationError
    ├── ConfigurationError          a setting is missing or wrong: the app does not start
    ├── Rejected                    the intake refuses a request; has the HTTP status and says what is wrong and where
    ├── Unavailable                 the intake cannot queue now: 503 with Retry-After
    ├── Transient                   worth trying again later: the worker schedules a copy
    │   ├── OutcomeUnknown          what was asked for may have been done: it is looked for before it is asked again
    │   └── Outage                  a system as a whole does not work for us; no event is to blame, so no event ages
    │       ├── Throttled           the other side said when to try again: `retry_after`
    │       └── Paused              we hold back: the circuit breaker is open, or a person paused system or table
    │           └── Postponed       a person has postponed this one event
    ├── Permanent                   trying again cannot help: the event is dead-lettered
    │   ├── NotFound                the other side does not have the row or resource
    │   └── Unreadable              a queued message is not one of our envelopes
    ├── Conflict                    the ETag that was read is no longer current (412): read again
    ├── Stale                       the other side already holds a newer version than the one in hand
    └── Fenced                      another invocation works on the record: end without writing anything

`reason` is a stable word for people and queries (`erp-rejected`, `row-not-found`); the message says what to do.
Messages never contain secrets or column values.
"""

from dataclasses import dataclass


class IntegrationError(Exception):
    """The root; `reason` is a stable word (docs/reference/reasons.md), `service` the system that the error is about."""

    reason = "integration-error"

    def __init__(self, message: str, *, reason: str | None = None, service: str | None = None) -> None:
        super().__init__(message)
        self.service = service
        if reason is not None:
            self.reason = reason


class ConfigurationError(IntegrationError):
    """Settings are missing or wrong; the message names all of them."""

    reason = "configuration"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong in a request; `pointer` is a JSON pointer into the body (RFC 6901) or a header's name."""

    pointer: str
    detail: str


class Rejected(IntegrationError):
    """A request or message that no retry will make acceptable; over HTTP it becomes an RFC 9457 problem.

    429 is the exception: there `retry_after` (seconds) says when the request may come again.
    """

    reason = "rejected"

    def __init__(
        self,
        status: int,
        title: str,
        detail: str,
        *,
        faults: tuple[Fault, ...] = (),
        reason: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(detail, reason=reason or _REASONS.get(status))
        self.retry_after = retry_after
        self.status = status
        self.title = title
        self.detail = detail
        self.faults = faults


_REASONS = {
    400: "not-an-event",
    401: "key-refused",
    403: "other-organisation",
    404: "unknown-event",
    409: "wrong-state",
    411: "no-length",
    413: "body-too-large",
    415: "not-json",
    429: "too-many-requests",
}


class Unavailable(IntegrationError):
    """The intake cannot hand the event to the broker in time; Dataverse tries once more, and only after a 503."""

    reason = "unavailable"

    def __init__(self, message: str, *, title: str = "Not queued", retry_after: float = 5.0) -> None:
        super().__init__(message)
        self.title = title
        self.retry_after = retry_after


class Transient(IntegrationError):
    """An outside system failed this time: a time-out, a 5xx, a dropped connection, an unavailable broker or table."""

    reason = "transient"

    def __init__(
        self,
        message: str,
        *,
        reason: str | None = None,
        service: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, reason=reason, service=service)
        self.retry_after = retry_after


class OutcomeUnknown(Transient):
    """A system may have done what it was asked for, or may still do it, and nothing of it can be seen yet.

    `retry_after` (seconds) is how long it may still be at work: before that, nothing is asked for again.
    """

    reason = "outcome-unknown"


class Outage(Transient):
    """A system as a whole does not work for us: unreachable, silent, a gateway's page, our credentials refused.

    Every answer without the system's own problem types or error codes counts as an outage: the system may be down,
    moved or replaced, and what answers in its place knows nothing of the event.
    """

    reason = "outage"


class Throttled(Outage):
    """429 or 503 with Retry-After; `retry_after` (seconds) is obeyed before anything is sent there again."""

    reason = "throttled"


class Paused(Outage):
    """Nothing was sent, because calls to this system are held back; `retry_after` (seconds) if the end is known."""

    reason = "paused"


class Postponed(Paused):
    """Somebody has put the event off: it is tried again after `retry_after` seconds, to the moment."""

    reason = "postponed"


class Permanent(IntegrationError):
    """The same input will fail again; a person has to look at it."""

    reason = "permanent"


class NotFound(Permanent):
    """The other side itself says that it has no such row or resource.

    `table` (an entity set of Dataverse, a collection of the ERP) and `record_id` say which one, if that is known.
    """

    reason = "not-found"

    def __init__(
        self,
        message: str,
        *,
        reason: str | None = None,
        service: str | None = None,
        table: str | None = None,
        record_id: str | None = None,
    ) -> None:
        super().__init__(message, reason=reason, service=service)
        self.table = table
        self.record_id = record_id


class Unreadable(Permanent):
    """A message in the work queue that this version cannot read."""

    reason = "unreadable"


class Conflict(IntegrationError):
    """412 to a request with the ETag that was read: somebody has changed the row since."""

    reason = "conflict"


class Stale(IntegrationError):
    """The other side, or the ledger, already holds a newer version than the one in hand."""

    reason = "stale"


class Fenced(IntegrationError):
    """Another invocation has claimed the record: this one has lost its session and must end without any write."""

    reason = "fenced"
