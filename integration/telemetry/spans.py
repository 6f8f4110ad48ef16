"""Spans: what was done for an event, from when to when, and as part of what.

A recording has the spans of one invocation: an event that is taken in, an attempt of the worker, a delivery. They are
kept until it ends, because only then it is known whether they are wanted: those of a sampled trace are, and all of a
recording that failed. To record costs two looks at the clock and an object for each span, and nothing here imports
OpenTelemetry: that is behind `export`, where spans become those of its SDK.

Names and attributes are OpenTelemetry's (semantic conventions 1.37, HTTP and messaging), and those of this app begin
with `integration.`. While nothing is switched on, `begin` gives None.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar, Token
from dataclasses import dataclass, field
from enum import IntEnum
from types import TracebackType
from typing import Any, Final, Protocol, Self, TypeAlias

from integration.telemetry.trace_parent import TraceParent

Value: TypeAlias = str | int | float | bool
Export: TypeAlias = Callable[[Sequence["Span"]], None]
"""Takes the spans of a recording that ended; it must not wait, and must not raise."""
_TRACE_IDS: Final = 2**64


class Kind(IntEnum):
    """The kinds of spans, with the numbers of OpenTelemetry's API."""

    INTERNAL = 0
    SERVER = 1
    CLIENT = 2
    PRODUCER = 3
    CONSUMER = 4


@dataclass(slots=True)
class Span:
    """One span; times are nanoseconds since the epoch, `error` is why it failed in a word, empty if it did not."""

    name: str
    kind: Kind
    context: TraceParent
    parent_id: str | None
    started: int
    attributes: dict[str, Value]
    links: tuple[TraceParent, ...] = ()
    ended: int = 0
    error: str = ""

    def end(self, error: str = "") -> None:
        """It is over."""
        self.ended = time.time_ns()
        self.error = error


@dataclass(frozen=True, slots=True)
class Switch:
    """How spans are recorded in this process.

    `ratio` of all traces are sampled. `joins_host`: the Functions host records its invocations in the same place, so
    that what a trigger calls becomes a part of the host's span, and does not record the invocation a second time.
    """

    export: Export
    ratio: float = 1.0
    joins_host: bool = False

    def samples(self, trace_id: str) -> bool:
        """Whether a trace is sampled: by its id alone, as OpenTelemetry's TraceIdRatioBased does."""
        return int(trace_id[16:], 16) < self.ratio * _TRACE_IDS


@dataclass(slots=True)
class Recording:
    """The spans of one invocation; as a context manager, it is what `current` gives."""

    root: Span
    _switch: Switch
    _spans: list[Span] = field(default_factory=list)
    _token: Token["Recording | None"] | None = None
    _kept: bool = False
    _exported: bool = False

    @property
    def traceparent(self) -> str:
        """What comes after it continues its trace under this."""
        return str(self.root.context)

    def start(self, name: str, kind: Kind, attributes: dict[str, Value]) -> Span:
        """A span in it; end it."""
        root = self.root.context
        span = Span(name, kind, root.child(), root.span_id, time.time_ns(), attributes)
        self._spans.append(span)
        return span

    def followed(self, traceparent: str | None) -> str | None:
        """The parent of the next attempt. In a sampled trace it stays `traceparent`, so that attempts are siblings.

        An attempt that failed is recorded although its trace is not sampled, and so is what comes after it: under this.
        """
        context = self.root.context
        if context.sampled:
            return traceparent
        self._kept = True
        return str(TraceParent(context.trace_id, context.span_id, sampled=True))

    def end(self, error: str = "") -> None:
        """Export it, if it is wanted; `error` says why it failed, if that is not known yet."""
        root = self.root
        root.ended = time.time_ns()
        root.error = root.error or error
        if root.context.sampled or root.error or self._kept:
            self._export()

    def want(self) -> None:
        """Export it although its trace is not sampled, also where it has ended by now."""
        self._kept = True
        if self.root.ended and not self._exported:
            self._export()

    def _export(self) -> None:
        self._exported = True
        self._switch.export([self.root, *(span for span in self._spans if span.ended)])

    def __enter__(self) -> Self:
        self._token = _current.set(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._token is not None:
            _current.reset(self._token)
        self.end("" if error is None else reason_of(error))


def reason_of(error: BaseException) -> str:
    """Why something failed, as spans have it: the reason of our errors, the name of others."""
    return str(getattr(error, "reason", None) or type(error).__name__)


def switched_on() -> Switch | None:
    """How spans are recorded; None while they are not."""
    return _switch


def switch_on(switch: Switch | None) -> None:
    """Record from now on; None switches it off."""
    global _switch  # noqa: PLW0603 -- one for the process, as with logging
    _switch = switch


def begin(
    name: str,
    kind: Kind,
    parent: str | None,
    attributes: dict[str, Value],
    *,
    started: int | None = None,
    sampled: Callable[[str], bool] | None = None,
    alone: bool = True,
) -> Recording | None:
    """A recording that begins now, or began at `started`; None while nothing is switched on.

    `parent` is the traceparent that came with the event. Where spans join those of the host, the invocation is the
    parent if it is of the same trace, or if nothing else is known; it is linked to otherwise, and where the event is
    not `alone` in its invocation. `sampled` decides by the trace's id; without it, that is decided already.
    """
    switch = _switch
    if switch is None:
        return None
    above = TraceParent.parse(parent)
    links: tuple[TraceParent, ...] = ()
    if switch.joins_host:
        kind = kind if kind is Kind.PRODUCER else Kind.INTERNAL
        above, links = _joined(above, TraceParent.parse(_invocation.get()), alone=alone)
    context = above.child() if above else TraceParent.new()
    if sampled is not None:
        context = TraceParent(context.trace_id, context.span_id, sampled(context.trace_id))
    parent_id = above.span_id if above else None
    return Recording(Span(name, kind, context, parent_id, started or time.time_ns(), attributes, links), switch)


OUTSIDE: Final[Any] = None
"""The context of a trigger that something else than the host calls; the host demands a type that has no None."""


class InvocationContext(Protocol):
    """The Functions host's context of an invocation, as far as spans go."""

    @property
    def trace_context(self) -> Any: ...


def invoked(context: InvocationContext | None) -> None:
    """A trigger says in which invocation of the host it was called."""
    if _switch is not None and _switch.joins_host:
        _invocation.set(context.trace_context.trace_parent if context is not None else None)


def recorded(recording: Recording | None) -> AbstractContextManager[Recording | None]:
    """The recording as a context manager, also where there is none."""
    return recording if recording is not None else _NOTHING


def current() -> Recording | None:
    """The recording that the calling code is in."""
    return _current.get()


def ago(seconds: float) -> int:
    """The time that was so many seconds ago, as spans have it."""
    return time.time_ns() - int(seconds * 1e9)


def _joined(
    carried: TraceParent | None, invocation: TraceParent | None, *, alone: bool
) -> tuple[TraceParent | None, tuple[TraceParent, ...]]:
    if invocation is None:
        return carried, ()
    if (carried is None and alone) or (carried is not None and carried.trace_id == invocation.trace_id):
        return invocation, ()
    return carried, (invocation,)


_switch: Switch | None = None
_current: ContextVar[Recording | None] = ContextVar("recording", default=None)
_invocation: ContextVar[str | None] = ContextVar("invocation", default=None)
_NOTHING: Final = nullcontext()
