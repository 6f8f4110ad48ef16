"""The span of a call for an event: a named dependency, with its system, its operation and its status."""

from typing import Final

from integration.telemetry import spans
from integration.telemetry.spans import Kind, Span
from integration.transport.exchange import CallContext, Request, Response

_PORTS: Final = {"http": 80, "https": 443}


def begun(request: Request, context: CallContext, origin: str) -> Span | None:
    """The span of a call that is about to be sent; None for one that is not made for an event, or not recorded."""
    recording = spans.current()
    if recording is None or context.traceparent is None:
        return None
    scheme, _, address = origin.partition("://")
    host, _, port = address.rpartition(":") if not address.endswith("]") and ":" in address else (address, "", "")
    return recording.start(
        f"{request.service} {request.operation}",
        Kind.CLIENT,
        {
            "http.request.method": request.method,
            "url.scheme": scheme,
            "server.address": host,
            "server.port": int(port) if port else _PORTS[scheme],
            "peer.service": request.service,
            "integration.system": request.service,
            "integration.operation": request.operation,
        },
    )


def ended(span: Span, answer: Response | None, error: str) -> None:
    """It was answered, or not."""
    if answer is not None:
        span.attributes["http.response.status_code"] = answer.status
        error = "" if answer.ok else str(answer.status)
    span.end(error)
