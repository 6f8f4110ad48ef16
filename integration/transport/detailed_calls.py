"""The calls of an attempt that debug detail is on for: each is logged, and all are kept for those who may see them."""

from typing import Final

from integration.telemetry import Subject, detailed_event, get_logger
from integration.transport.exchange import Call, Calls

_MOST: Final = 50
_log = get_logger(__name__)


class DetailedCalls(Calls):
    """Notes the first fifty; what is logged of each has no value that was sent or received."""

    def __init__(self, event: Subject) -> None:
        super().__init__()
        self._event = event

    def note(self, call: Call) -> None:
        if len(self._noted) < _MOST:
            self._noted = (*self._noted, call)
        request, answer = call.request, call.answer
        _log.debug(
            "debug-call",
            event=self._event,
            service=request.service,
            operation=request.operation,
            method=request.method,
            status=answer.status if answer is not None else 0,
            sent_bytes=len(request.body or b""),
            size_bytes=len(answer.body) if answer is not None else 0,
            duration_ms=call.seconds * 1000,
        )


def calls_of_attempt() -> Calls:
    """What notes the calls of the attempt that the calling code makes."""
    event = detailed_event()
    return Calls() if event is None else DetailedCalls(event)
