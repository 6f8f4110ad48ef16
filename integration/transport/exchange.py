"""Requests to other systems and their answers, as plain values."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, Protocol

from integration.errors import Outage

_MOST_CALLS: Final = 5
_LONGEST_HEADER: Final = 512


class Caused(Protocol):
    """An event, as far as calls take anything from it."""

    @property
    def correlation_id(self) -> str: ...
    @property
    def traceparent(self) -> str | None: ...
    @property
    def tracestate(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class CallContext:
    """What every call takes from its event, so that one trace spans all systems and one deadline holds for all calls.

    `traceparent` and `tracestate` are W3C Trace Context, `correlation_id` is the event's own.
    `deadline` is a time of the clock's `monotonic()`; every call of this context ends before it. `calls` notes how they
    went, for people who look at an event that failed.
    """

    correlation_id: str | None = None
    traceparent: str | None = None
    tracestate: str | None = None
    deadline: float | None = None
    calls: "Calls | None" = field(default=None, compare=False)

    def headers(self) -> dict[str, str]:
        """The context as HTTP headers; a value from outside that is not valid in a header is left out."""
        pairs = {"x-correlation-id": self.correlation_id, "traceparent": self.traceparent}
        if self.traceparent is not None:
            pairs["tracestate"] = self.tracestate
        return {name: value for name, value in pairs.items() if value and _fits_a_header(value)}

    @classmethod
    def of(cls, event: "Caused", *, deadline: float | None = None, calls: "Calls | None" = None) -> "CallContext":
        """What calls for this event take from it."""
        return cls(event.correlation_id, event.traceparent, event.tracestate, deadline, calls)


NO_CONTEXT = CallContext()


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request; `service` and `operation` are the words for it in errors and logs (`erp`, `put customer`).

    `repeatable` says of a POST that sending it twice has the effect of sending it once.
    """

    service: str
    operation: str
    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    repeatable: bool = False

    @property
    def idempotent(self) -> bool:
        """Whether sending it twice has the effect of sending it once (RFC 9110 9.2.2, or said by a header)."""
        if self.repeatable or self.method in {
            "GET",
            "HEAD",
            "OPTIONS",
            "PUT",
            "DELETE",
            "MERGE",
        }:  # MERGE: Azure Tables
            return True
        return any(name.lower() in {"idempotency-key", "if-match"} for name in self.headers)


@dataclass(frozen=True, slots=True)
class Response:
    """One complete HTTP answer; header names are in lower case, `retry_after` is in seconds."""

    request: Request
    status: int
    headers: Mapping[str, str]
    body: bytes
    retry_after: float | None = None

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def media_type(self) -> str:
        """The media type of the body, in lower case and without parameters; empty if there is no header."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def is_json(self) -> bool:
        """Whether the media type is JSON (`application/json`, `application/problem+json`, ...)."""
        return self.media_type == "application/json" or self.media_type.endswith("+json")

    def json(self) -> Any:
        """The body as JSON; numbers with a fraction are `Decimal`, with the digits that were sent.

        Raises `Outage` (`<service>-answer-unreadable`) if it is not JSON, because then something else answered (a
        gateway or proxy).
        """
        if self.is_json:
            try:
                return json.loads(self.body, parse_float=Decimal)
            except ValueError:
                pass
        service = self.request.service
        raise Outage(
            f"{service} answered {self.status} to '{self.request.operation}' with something other than JSON",
            reason=f"{service}-answer-unreadable",
            service=service,
        )


@dataclass(frozen=True, slots=True)
class Call:
    """A request that was sent, and what came back; `answer` is None where nothing did.

    `request` is what the client made, without the headers that admit it to the system. `at` is when it was sent, and
    `seconds` how long the whole answer took, or how long it was waited for.
    """

    request: Request
    answer: Response | None
    at: datetime
    seconds: float

    @property
    def failed(self) -> bool:
        """Whether there is no answer, or one that is not 2xx."""
        return self.answer is None or not self.answer.ok


class Calls:
    """The calls of one attempt: the newest five of those that did not succeed, and the last one whatever came of it.

    Where debug detail is on, it is a `DetailedCalls`.
    """

    def __init__(self) -> None:
        self._noted: tuple[Call, ...] = ()

    def note(self, call: Call) -> None:
        """The transport says how a call went; one that succeeded is let go when another one is made."""
        before = self._noted[:-1] if self._noted and not self._noted[-1].failed else self._noted
        self._noted = (*before, call)[-_MOST_CALLS:]

    @property
    def noted(self) -> tuple[Call, ...]:
        """In the order in which they were made."""
        return self._noted


def _fits_a_header(value: str) -> bool:
    return len(value) <= _LONGEST_HEADER and value.isascii() and value.isprintable()
