"""Which spans are recorded, under what, and which of them are exported."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace
from unittest.mock import Mock

import pytest

from integration.telemetry import TraceParent, recordings, spans
from integration.telemetry.spans import Kind, Span
from tests.builders import event

TRACE = "0af7651916cd43dd8448eb211c80319c"
CALLER = f"00-{TRACE}-b7ad6b7169203331-01"
HOST_SPAN = "00f067aa0ba902b7"


@pytest.fixture
def exported() -> Iterator[list[Span]]:
    """What is exported; whatever a test switches on is switched off after it."""
    found: list[Span] = []
    on(found)
    yield found
    spans.switch_on(None)


def on(found: list[Span], ratio: float = 1.0, *, joins_host: bool = False) -> None:
    def export(recorded: Sequence[Span]) -> None:
        found.extend(recorded)

    spans.switch_on(spans.Switch(export, ratio, joins_host=joins_host))


def attempt(parent: str | None, error: str = "") -> spans.Recording:
    recording = spans.begin("process work", Kind.CONSUMER, parent, {})
    assert recording is not None
    recording.start("erp put customer", Kind.CLIENT, {}).end()
    recording.root.error = error
    return recording


def unsampled() -> str:
    return CALLER.removesuffix("01") + "00"


def test_nothing_is_recorded_while_nothing_is_switched_on() -> None:
    assert spans.begin("process work", Kind.CONSUMER, CALLER, {}) is None
    assert recordings.of_sent(event(), "work", source="webhook") is None
    with spans.recorded(None) as recording:
        assert recording is None
        assert spans.current() is None


def test_spans_stand_under_their_recording_and_that_under_what_the_event_brought(exported: list[Span]) -> None:
    attempt(CALLER).end()
    root, call = exported
    assert (root.context.trace_id, root.parent_id) == (TRACE, "b7ad6b7169203331")
    assert (call.context.trace_id, call.parent_id) == (TRACE, root.context.span_id)
    assert root.started <= call.started <= call.ended <= root.ended


def test_whether_a_trace_is_sampled_is_decided_once_and_by_its_id(exported: list[Span]) -> None:
    """The caller's flag does not decide: a sender that sets it always would switch sampling off. Later spans obey."""
    on(exported, ratio=0.5)
    low, high = f"00-{'a' * 16}{'0' * 15}1-{'b' * 16}-00", f"00-{'a' * 16}{'f' * 16}-{'b' * 16}-01"
    flags = []
    for parent in (low, high):
        recording = recordings.of_sent(replace(event(), traceparent=parent), "work", source="webhook")
        assert recording is not None
        flags.append(recording.traceparent[-2:])
        recording.end()
    assert flags == ["01", "00"]
    assert [it.context.trace_id[-1] for it in exported] == ["1"]


def test_an_attempt_that_fails_is_exported_with_its_calls_although_its_trace_is_not_sampled(
    exported: list[Span],
) -> None:
    attempt(unsampled()).end()
    assert exported == []
    attempt(unsampled(), "erp-unavailable").end()
    assert [(it.name, it.error) for it in exported] == [("process work", "erp-unavailable"), ("erp put customer", "")]


def test_what_follows_a_failed_attempt_is_sampled_and_stands_under_it(exported: list[Span]) -> None:
    """W3C Trace Context 3.4: whoever changes the flag changes the parent id too."""
    recording = attempt(unsampled(), "erp-unavailable")
    onward = recording.followed(unsampled())
    assert onward == f"00-{TRACE}-{recording.root.context.span_id}-01"
    recording.end()
    attempt(onward).end()
    assert [it.name for it in exported] == ["process work", "erp put customer"] * 2
    sampled = attempt(CALLER, "erp-unavailable")
    assert sampled.followed(CALLER) == CALLER


def test_an_exception_is_the_error_of_its_recording(exported: list[Span]) -> None:
    with pytest.raises(KeyError), spans.recorded(attempt(unsampled())):
        raise KeyError("x")
    assert exported[0].error == "KeyError"


def test_a_span_that_is_not_over_when_its_recording_is_is_left_out(exported: list[Span]) -> None:
    recording = attempt(CALLER)
    recording.start("erp put customer", Kind.CLIENT, {})
    recording.end()
    assert [it.name for it in exported] == ["process work", "erp put customer"]


@pytest.mark.parametrize(
    ("parent", "invocation", "trace", "under", "links"),
    [
        (None, f"00-{TRACE}-{HOST_SPAN}-01", TRACE, HOST_SPAN, 0),
        (CALLER, f"00-{TRACE}-{HOST_SPAN}-01", TRACE, HOST_SPAN, 0),
        (CALLER, f"00-{'c' * 32}-{HOST_SPAN}-01", TRACE, "b7ad6b7169203331", 1),
        (CALLER, None, TRACE, "b7ad6b7169203331", 0),
    ],
    ids=["nothing came", "the same trace", "another trace", "no invocation"],
)
def test_where_the_host_records_its_invocations_ours_join_them(  # noqa: PLR0917 -- one case
    exported: list[Span], parent: str | None, invocation: str | None, trace: str, under: str, links: int
) -> None:
    """Our span is under the host's, and of a kind that does not count as a second request.

    A host that begins a trace of its own (azure-functions-host #11734) does not break the event's: it is linked to.
    """
    on(exported, joins_host=True)

    async def invoked() -> None:
        spans.invoked(Mock(trace_context=Mock(trace_parent=invocation)) if invocation else None)
        attempt(parent).end()

    asyncio.run(invoked())
    root = exported[0]
    assert (root.kind, root.context.trace_id, root.parent_id, len(root.links)) == (Kind.INTERNAL, trace, under, links)


def test_several_events_of_one_invocation_have_a_trace_each(exported: list[Span]) -> None:
    on(exported, joins_host=True)

    async def invoked() -> None:
        spans.invoked(Mock(trace_context=Mock(trace_parent=f"00-{TRACE}-{HOST_SPAN}-01")))
        for _ in range(2):
            recording = recordings.of_sent(event(), "work", source="webhook", alone=False)
            assert recording is not None
            recording.end()

    asyncio.run(invoked())
    assert len({TRACE, *(it.context.trace_id for it in exported)}) == 3
    assert [it.links for it in exported] == [(TraceParent(TRACE, HOST_SPAN),)] * 2


@pytest.mark.parametrize("late", [True, False])
def test_a_recording_that_somebody_wants_is_exported_once_also_where_it_has_ended(
    exported: list[Span], late: bool
) -> None:
    recording = attempt(unsampled())
    if not late:
        recording.want()
    recording.end()
    assert len(exported) == (0 if late else 2)
    recording.want()
    assert len(exported) == 2


def test_an_attempt_that_somebody_wants_is_sampled_and_what_follows_it(exported: list[Span]) -> None:
    recording = recordings.of_attempt(replace(event(), traceparent=unsampled()), "work", started=1, wanted=True)
    assert recording is not None
    assert (recording.root.context.trace_id, recording.root.context.sampled) == (TRACE, True)
