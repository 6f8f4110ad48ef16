"""The span of a call."""

from collections.abc import Iterator

import pytest

from integration.telemetry import spans
from integration.telemetry.spans import Kind, Span
from integration.transport import NO_CONTEXT, CallContext, Request, Response, call_span

REQUEST = Request("erp", "put customer", "PUT", "https://erp.contoso.example/api/customers/1")
OF_AN_EVENT = CallContext(traceparent=f"00-{'a' * 32}-{'b' * 16}-01")


@pytest.fixture
def exported() -> Iterator[list[Span]]:
    found: list[Span] = []
    spans.switch_on(spans.Switch(found.extend))
    yield found
    spans.switch_on(None)


def called(context: CallContext, origin: str, status: int | None, reason: str = "") -> Span | None:
    with spans.recorded(spans.begin("process work", Kind.CONSUMER, context.traceparent, {})):
        span = call_span.begun(REQUEST, context, origin)
        if span is not None:
            answer = None if status is None else Response(REQUEST, status, {}, b"")
            call_span.ended(span, answer, reason)
        return span


@pytest.mark.parametrize(
    ("origin", "host", "port"),
    [
        ("https://erp.contoso.example", "erp.contoso.example", 443),
        ("http://127.0.0.1:7081", "127.0.0.1", 7081),
        ("http://[::1]:7081", "[::1]", 7081),
        ("https://[::1]", "[::1]", 443),
    ],
)
def test_it_names_what_was_called(exported: list[Span], origin: str, host: str, port: int) -> None:
    span = called(OF_AN_EVENT, origin, 200)
    assert span is not None
    assert (span.name, span.kind, span.error) == ("erp put customer", Kind.CLIENT, "")
    assert (span.attributes["server.address"], span.attributes["server.port"]) == (host, port)
    assert span.attributes["http.response.status_code"] == 200


@pytest.mark.parametrize(("status", "reason", "error"), [(503, "", "503"), (None, "erp-timeout", "erp-timeout")])
def test_it_says_why_it_failed(exported: list[Span], status: int | None, reason: str, error: str) -> None:
    span = called(OF_AN_EVENT, "https://erp.contoso.example", status, reason)
    assert span is not None
    assert span.error == error


def test_a_call_that_is_not_made_for_an_event_has_none(exported: list[Span]) -> None:
    """Tables, tokens: they are the same for every event."""
    assert called(NO_CONTEXT, "https://account.table.core.windows.net", 204) is None
