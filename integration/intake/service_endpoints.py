"""What the intake does with messages that a service endpoint of Dataverse posted to a queue, a topic or an event hub.

A message is completed, or a partition goes on, only when the broker has acknowledged what was made of it: an event in
the work queue, or a refused message on its way to the dead-letter queue. Nobody hears a refusal here, so none is ever
raised: a queue would deliver such a message again at once, and a partition would stop at it.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from integration.errors import Rejected, Transient, Unavailable
from integration.events.body import parse_body
from integration.intake.dataverse_contexts import DataverseContexts
from integration.intake.message_properties import check_properties, text_properties
from integration.intake.taking_in import TakingIn
from integration.telemetry import get_logger

_HOLD_SECONDS: Final = 100.0
_PAUSE_SECONDS: Final = 5.0
_BINARY_TYPE: Final = "application/msbin1"
_BINARY_START: Final = b"@"
"""How .NET binary XML begins: the record of an element with a short name ([MC-NBFX] 2.2.1.2)."""
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class EndpointMessage:
    """A message of a queue or topic, or an event of a hub, as Dataverse posted it."""

    body: bytes
    properties: Mapping[Any, Any] = field(default_factory=dict)
    content_type: str = ""


class ServiceEndpoints:
    """Takes messages in. `host` is that of the environment's URL. Raises `Transient` where the broker takes nothing."""

    def __init__(self, taking_in: TakingIn, contexts: DataverseContexts, *, host: str) -> None:
        self._taking_in = taking_in
        self._contexts = contexts
        self._host = host

    async def take_in_all(self, messages: Sequence[EndpointMessage], source: str) -> None:
        """Take in a batch; returns when each message is where it belongs."""
        await asyncio.gather(*(self.take_in(message, source) for message in messages))

    async def take_in(self, message: EndpointMessage, source: str) -> None:
        """Take in one message; `source` says which way it came, and stands for its caller.

        A broker that takes nothing is tried for minutes: raising at once would use up the message's deliveries within
        seconds.
        """
        clock = self._taking_in.clock
        started = clock.monotonic()
        while True:
            try:
                await self._take_in(message, source, started)
            except Unavailable as error:
                if clock.monotonic() + _PAUSE_SECONDS >= started + _HOLD_SECONDS:
                    raise Transient("the work queue takes no event", reason="broker-unavailable") from error
                await asyncio.sleep(_PAUSE_SECONDS)
            else:
                return

    async def _take_in(self, message: EndpointMessage, source: str, started: float) -> None:
        try:
            self._taking_in.check_size(message.body)
            properties = text_properties(message.properties)
            context = _context(message)
            check_properties(properties, context, host=self._host)
            events = self._contexts.read(context, properties)
            self._taking_in.check_tables(events, source)
        except Rejected as error:
            await self._taking_in.set_aside(message.body, source, error, source=source)
            return
        except Exception as error:  # noqa: BLE001 -- a defect of ours must not stop a partition
            _log.error("intake-failed", error=error)
            await self._taking_in.set_aside(message.body, source, _defect(), source=source)
            return
        await self._taking_in.queue_all(self._contexts.foreign(events, source), source, source, started)


def _defect() -> Rejected:
    return Rejected(
        500,
        "A defect of the app",
        "The app failed while it read the message; intake-failed in the log says where. Report it.",
        reason="unexpected-error",
    )


def _context(message: EndpointMessage) -> dict[str, Any]:
    """The body says itself what it is: content types are lost when people send a message again."""
    body = message.body.removeprefix(_BYTE_ORDER_MARK).lstrip()
    declared = message.content_type.partition(";")[0].strip().lower()
    if declared == _BINARY_TYPE or body.startswith(_BINARY_START):
        raise Rejected(
            415,
            "The message is .NET binary XML",
            "Only .NET can read this message. Set the message format of the service endpoint to JSON (messageformat 2; "
            "in the Plug-in Registration Tool: Message Format), and save the row once more.",
            reason="binary-message",
        )
    if not body.startswith(b"<"):
        return parse_body(body)
    from integration.events.data_contract_xml import parse_xml  # noqa: PLC0415 -- few endpoints send XML

    return parse_xml(body)
