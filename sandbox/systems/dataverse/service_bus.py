"""Service endpoints that post to a queue, a topic or an event hub: the message, its properties, and how it is sent.

Sent with Microsoft's SDKs, and with the endpoint's own SAS key or a token for its managed identity. Above 192 KB the
bulky parts are left out and a property says so. A broker that takes nothing is tried again, as the asynchronous service
does; its growing pauses are not documented.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from sandbox.systems.dataverse.access_tokens import AccessTokens
from sandbox.systems.dataverse.change import Change
from sandbox.systems.dataverse.context_xml import dumps_xml
from sandbox.systems.dataverse.json_text import dumps_data_contract
from sandbox.systems.dataverse.managed_identity import COLUMN, IdentityCredential
from sandbox.systems.dataverse.store import Values
from sandbox.systems.dataverse.webhook import TRIMMED, Outcome

QUEUE, TOPIC, PERSISTENT_QUEUE, EVENT_HUB = 2, 5, 6, 7
CONTRACTS = frozenset({QUEUE, TOPIC, PERSISTENT_QUEUE, EVENT_HUB})
SAS_KEY, MANAGED_IDENTITY = 2, 9
SIGN_IN = {SAS_KEY: ("saskeyname", "saskey"), MANAGED_IDENTITY: (COLUMN,)}
"""The columns with which Dataverse signs in, by `authtype`."""
BINARY_XML, JSON, TEXT_XML = 1, 2, 3
SIZE_LIMIT = 192 * 1024
ATTEMPTS = 3
CLAIMS = "http://schemas.microsoft.com/xrm/2011/Claims/"
_CONTENT_TYPE = "Content-Type"
_OF_ENDPOINT = ("contract", "namespaceaddress", "path", "authtype", "saskeyname", "saskey")
_OF_IDENTITY = ("applicationid", "tenantid")
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

    def __init__(self, *, retry_delay: float, tokens: AccessTokens) -> None:
        logging.getLogger("azure").setLevel(logging.WARNING)  # at INFO, the SDKs report every state of every link
        self._retry_delay, self._tokens = retry_delay, tokens
        self._senders: dict[tuple[str, ...], Any] = {}
        self._opened: list[Any] = []

    async def call(
        self, endpoint: Values, properties: dict[str, str], body: str, *, identity: Values | None = None
    ) -> Outcome:
        """Send, and again while the broker does not take it; `identity` is the row of the managed identity."""
        attempts: list[dict[str, Any]] = []
        while True:
            attempts.append(await self._attempt(endpoint, identity or {}, properties, body))
            if "error" not in attempts[-1] or len(attempts) == ATTEMPTS:
                return Outcome("error" not in attempts[-1], attempts)
            await asyncio.sleep(self._retry_delay * 2 ** (len(attempts) - 1))

    async def close(self) -> None:
        """Close connections."""
        for client in self._opened:
            await client.close()

    async def _attempt(
        self, endpoint: Values, identity: Values, properties: dict[str, str], body: str
    ) -> dict[str, Any]:
        at = datetime.now(UTC).isoformat()
        key = tuple(str(endpoint.get(name)) for name in _OF_ENDPOINT)
        key += tuple(str(identity.get(name)) for name in _OF_IDENTITY)
        try:
            if key not in self._senders:
                self._senders[key] = self._open(endpoint, self._sign_in(endpoint, identity))
            more = {name: value for name, value in properties.items() if name != _CONTENT_TYPE}
            await self._senders[key](body, properties[_CONTENT_TYPE], more)
        except Exception as failure:  # noqa: BLE001 -- whatever the SDK raises is why the message was not sent
            self._senders.pop(key, None)
            return {"at": at, "error": f"{type(failure).__name__}: {failure}"}
        return {"at": at, "status": 202, "answer": ""}

    def _sign_in(self, endpoint: Values, identity: Values) -> Any:
        """What Microsoft's SDKs sign in with."""
        if endpoint.get("authtype") == MANAGED_IDENTITY:
            return IdentityCredential(self._tokens, identity)
        from azure.core.credentials import AzureNamedKeyCredential  # noqa: PLC0415 -- see below

        return AzureNamedKeyCredential(str(endpoint["saskeyname"]), str(endpoint["saskey"]))

    def _open(self, endpoint: Values, sign_in: Any) -> Callable[[str, str, dict[str, str]], Awaitable[None]]:
        """A namespace on this machine has no TLS, as Microsoft's emulators have none."""
        host, path = str(endpoint["namespaceaddress"]).partition("://")[2].rstrip("/"), str(endpoint["path"])
        options = {"use_tls": not host.startswith("localhost"), "retry_total": 0}
        if endpoint["contract"] == EVENT_HUB:
            return self._hub(host, path, sign_in, options)
        return self._service_bus(host, path, sign_in, options, is_topic=endpoint["contract"] == TOPIC)

    def _service_bus(
        self, host: str, path: str, sign_in: Any, options: dict[str, Any], *, is_topic: bool
    ) -> Callable[[str, str, dict[str, str]], Awaitable[None]]:
        from azure.servicebus import ServiceBusMessage  # noqa: PLC0415 -- slow to import, and seldom needed
        from azure.servicebus.aio import ServiceBusClient  # noqa: PLC0415 -- see above

        client = ServiceBusClient(host, sign_in, **options)
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

    def _hub(
        self, host: str, path: str, sign_in: Any, options: dict[str, Any]
    ) -> Callable[[str, str, dict[str, str]], Awaitable[None]]:
        from azure.eventhub import EventData  # noqa: PLC0415 -- see above
        from azure.eventhub.aio import EventHubProducerClient  # noqa: PLC0415 -- see above

        client = EventHubProducerClient(host, path, sign_in, **options)
        turn = asyncio.Lock()
        self._opened.append(client)

        async def send(body: str, content_type: str, properties: dict[str, str]) -> None:
            event = EventData(body.encode())
            event.content_type = content_type
            event.properties = dict(properties.items())
            async with turn:
                await client.send_batch([event])

        return send
