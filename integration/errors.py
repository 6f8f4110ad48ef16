"""Every error this package raises, in one tree.

    IntegrationError
    ├── ConfigurationError          a setting is missing or wrong: the app does not start
    ├── Rejected                    the intake refuses a request; has the HTTP status and says what is wrong and where
    ├── Unavailable                 the intake cannot queue now: 503 with Retry-After
    ├── Transient                   worth trying again later: the worker schedules a copy
    │   └── Outage                  a system as a whole does not work for us: no event's fault, so no event ages
    │       ├── Throttled           the other side said when: carries `retry_after`
    │       └── Paused              we hold our calls back: an open circuit breaker, or somebody paused the system
    ├── Permanent                   trying again cannot help: verdict, then the dead-letter queue
    │   ├── NotFound                the other side does not have the row or resource
    │   └── Unreadable              a queued message is not one of our envelopes
    ├── Conflict                    the ETag that was read is no longer current (412): read again
    ├── Stale                       the other side already holds a newer version than the one in hand
    └── Fenced                      another invocation works on the record: end without a trace

`reason` is a stable word for people and queries (`erp-rejected`, `row-not-found`); the message says what to do.
Messages never hold secrets or column values.
"""

from dataclasses import dataclass


class IntegrationError(Exception):
    """The root; `reason` is a stable word (docs/reference/reasons.md), `service` the system that it is about."""

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
    """A request that no retry will make acceptable; becomes an RFC 9457 problem."""

    reason = "rejected"

    def __init__(self, status: int, title: str, detail: str, *, faults: tuple[Fault, ...] = ()) -> None:
        super().__init__(detail, reason=_REASONS.get(status))
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
    413: "body-too-large",
    415: "not-json",
}


class Unavailable(IntegrationError):
    """The intake cannot hand the event to the broker in time; Dataverse tries once more on 503 only."""

    reason = "unavailable"

    def __init__(self, message: str, *, retry_after: float = 5.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Transient(IntegrationError):
    """Something outside did not work this time: time-outs, 5xx, dropped connections, a broker or table that is away."""

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


class Outage(Transient):
    """A system as a whole does not work for us: unreachable, silent, a gateway's page, our credentials refused.

    Whatever a system did not say in its own words (its problem types, its error codes) is one: it may be away, moved or
    replaced, and what answers in its place knows nothing of the event.
    """

    reason = "outage"


class Throttled(Outage):
    """429 or 503 with Retry-After; `retry_after` (seconds) is obeyed before anything is sent there again."""

    reason = "throttled"


class Paused(Outage):
    """Nothing was sent, as calls to this system are held back; `retry_after` (seconds) where its end is known."""

    reason = "paused"


class Permanent(IntegrationError):
    """The same input will fail again; somebody has to look."""

    reason = "permanent"


class NotFound(Permanent):
    """The other side says, in its own words, that it has no such row or resource.

    `table` (an entity set of Dataverse, a collection of the ERP) and `record_id` say which one, where that is known.
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
    """412 to a request that named the ETag which was read: somebody changed the row after it was read."""

    reason = "conflict"


class Stale(IntegrationError):
    """The other side, or the ledger, already holds a newer version than the one in hand."""

    reason = "stale"


class Fenced(IntegrationError):
    """Another invocation has claimed the record: this one has lost its session and must end without a trace."""

    reason = "fenced"
