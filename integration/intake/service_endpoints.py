"""Messages that a service endpoint of Dataverse posted to a queue, a topic or an event hub."""

from typing import Any, Final

from integration.errors import Rejected
from integration.events import IntegrationEvent
from integration.events.body import parse_body
from integration.intake.dataverse_contexts import DataverseContexts
from integration.intake.message_properties import check_properties, text_properties
from integration.intake.receiving import EndpointMessage, Receiving
from integration.intake.taking_in import TakingIn

_BINARY_TYPE: Final = "application/msbin1"
_BINARY_START: Final = b"@"
"""How .NET binary XML begins: the record of an element with a short name ([MC-NBFX] 2.2.1.2)."""
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


class ServiceEndpoints(Receiving):
    """Takes messages in, but for the app's own writes. `host` is that of the environment's URL."""

    def __init__(self, taking_in: TakingIn, contexts: DataverseContexts, *, host: str) -> None:
        super().__init__(taking_in)
        self._contexts = contexts
        self._host = host

    def read(self, message: EndpointMessage, source: str) -> list[IntegrationEvent]:
        """The events of a context whose message agrees with it."""
        properties = text_properties(message.properties)
        context = _context(message)
        check_properties(properties, context, host=self._host)
        events = self._contexts.read(context, properties)
        self._taking_in.check_tables(events, source)
        return self._contexts.foreign(events, source)


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
