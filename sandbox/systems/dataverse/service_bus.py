"""Service endpoints that post to a queue, a topic or an event hub: the message, its properties, and how it is sent.

Sent with Microsoft's SDKs and the endpoint's own SAS key. Above 192 KB the bulky parts are left out and a property says
so. A broker that takes nothing is tried again, as the asynchronous service does; its growing pauses are not documented.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from sandbox.systems.dataverse.change import Change
from sandbox.systems.dataverse.context_xml import dumps_xml
from sandbox.systems.dataverse.json_text import dumps_data_contract
from sandbox.systems.dataverse.store import Values
from sandbox.systems.dataverse.webhook import TRIMMED, Outcome

QUEUE, TOPIC, PERSISTENT_QUEUE, EVENT_HUB = 2, 5, 6, 7
CONTRACTS = frozenset({QUEUE, TOPIC, PERSISTENT_QUEUE, EVENT_HUB})
SAS_KEY = 2
BINARY_XML, JSON, TEXT_XML = 1, 2, 3
SIZE_LIMIT = 192 * 1024
ATTEMPTS = 3
CLAIMS = "http://schemas.microsoft.com/xrm/2011/Claims/"
_CONTENT_TYPE = "Content-Type"
_MEDIA = {JSON: "application/json", TEXT_XML: "application/xml"}


def message(
    change: Change, context: dict[str, Any], organisation_host: str, endpoint: Values
) -> tuple[dict[str, str], str]:
    """Properties (with the content type among them) and body, as the endpoint's message format says."""
    message_format = endpoint.get("messageformat") or JSON
    dumps = dumps_xml if message_format == TEXT_XML else dumps_data_contract
    properties = {
        _CONTENT_TYPE: _MEDIA[message_format],
        f"{CLAIMS}Organization": organisation_host,
        f"{CLAIMS}User": str(context["UserId"]),
        f"{CLAIMS}InitiatingUser": str(context["InitiatingUserId"]),
        f"{CLAIMS}EntityLogicalName": change.table.name,
        f"{CLAIMS}RequestName": change.message,
        f"{CLAIMS}InitiatingUserAgent": "",
    }
    body = dumps(context)
    if len(body.encode()) > SIZE_LIMIT:
        body = dumps({name: value for name, value in context.items() if name not in TRIMMED})
        properties["MessageMaxSizeExceeded"] = "true"
    return properties, body


class ServiceBus:
    """Sends to the brokers that endpoints name; a client for each, opened on first use."""

    def __init__(self, *, retry_delay: float) -> None:
        logging.getLogger("azure").setLevel(logging.WARNING)  # at INFO, the SDKs report every state of every link
        self._retry_delay = retry_delay
        self._senders: dict[tuple[str, ...], Any] = {}
        self._opened: list[Any] = []

    async def call(self, endpoint: Values, properties: dict[str, str], body: str) -> Outcome:
        """Send, and again while the broker does not take it."""
        attempts: list[dict[str, Any]] = []
        while True:
            attempts.append(await self._attempt(endpoint, properties, body))
            if "error" not in attempts[-1] or len(attempts) == ATTEMPTS:
                return Outcome("error" not in attempts[-1], attempts)
            await asyncio.sleep(self._retry_delay * 2 ** (len(attempts) - 1))

    async def close(self) -> None:
        """Close connections."""
        for client in self._opened:
            await client.close()

    async def _attempt(self, endpoint: Values, properties: dict[str, str], body: str) -> dict[str, Any]:
        at = datetime.now(UTC).isoformat()
        key = tuple(
            str(endpoint.get(name)) for name in ("contract", "namespaceaddress", "path", "saskeyname", "saskey")
        )
        try:
            if key not in self._senders:
                self._senders[key] = self._open(endpoint)
            more = {name: value for name, value in properties.items() if name != _CONTENT_TYPE}
            await self._senders[key](body, properties[_CONTENT_TYPE], more)
        except Exception as failure:  # noqa: BLE001 -- whatever the SDK raises is why the message was not sent
            self._senders.pop(key, None)
            return {"at": at, "error": f"{type(failure).__name__}: {failure}"}
        return {"at": at, "status": 202, "answer": ""}

    def _open(self, endpoint: Values) -> Callable[[str, str, dict[str, str]], Awaitable[None]]:
        connection, path = _connection_string(endpoint), str(endpoint["path"])
        if endpoint["contract"] == EVENT_HUB:
            return self._hub(connection, path)
        return self._service_bus(connection, path, is_topic=endpoint["contract"] == TOPIC)

    def _service_bus(
        self, connection: str, path: str, *, is_topic: bool
    ) -> Callable[[str, str, dict[str, str]], Awaitable[None]]:
        from azure.servicebus import ServiceBusMessage  # noqa: PLC0415 -- slow to import, and seldom needed
        from azure.servicebus.aio import ServiceBusClient  # noqa: PLC0415 -- see above

        client = ServiceBusClient.from_connection_string(connection, retry_total=0)
        sender = client.get_topic_sender(path) if is_topic else client.get_queue_sender(path)
        turn = asyncio.Lock()
        self._opened.append(client)

        async def send(body: str, content_type: str, properties: dict[str, str]) -> None:
            given: dict[str | bytes, Any] = dict(properties.items())
            async with turn:
                await sender.send_messages(
                    ServiceBusMessage(body.encode(), content_type=content_type, application_properties=given)
                )

        return send

    def _hub(self, connection: str, path: str) -> Callable[[str, str, dict[str, str]], Awaitable[None]]:
        from azure.eventhub import EventData  # noqa: PLC0415 -- see above
        from azure.eventhub.aio import EventHubProducerClient  # noqa: PLC0415 -- see above

        client = EventHubProducerClient.from_connection_string(connection, eventhub_name=path, retry_total=0)
        turn = asyncio.Lock()
        self._opened.append(client)

        async def send(body: str, content_type: str, properties: dict[str, str]) -> None:
            event = EventData(body.encode())
            event.content_type = content_type
            event.properties = dict(properties.items())
            async with turn:
                await client.send_batch([event])

        return send


def _connection_string(endpoint: Values) -> str:
    """Of the endpoint's own key. A namespace on this machine has no TLS, as Microsoft's emulators have none."""
    address = str(endpoint["namespaceaddress"]).rstrip("/")
    local = ";UseDevelopmentEmulator=true" if "//localhost" in address else ""
    return (
        f"Endpoint={address}/;SharedAccessKeyName={endpoint['saskeyname']};SharedAccessKey={endpoint['saskey']}{local}"
    )
