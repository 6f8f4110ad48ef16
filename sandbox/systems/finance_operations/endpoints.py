"""The endpoints for business events besides HTTPS: a Service Bus queue, and Event Grid.

Three tries, a second apart, as in the parameters of business events; what has failed then is lost here, and waits there
in a log for somebody who sends it again. What Finance writes into an event of Event Grid besides `data` is not
documented.
"""

import asyncio
import json
import logging
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import aiohttp

_TRIES, _PAUSE_SECONDS = 3, 1.0
_CATEGORY = "SalesOrder"
_log = logging.getLogger("sandbox.systems.finance_operations.endpoints")


class _Tried:
    """Sends each event in a task of its own, in turn, and again where that fails."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._turn = asyncio.Lock()

    async def sent(self) -> None:
        """Return when everything so far is sent, or given up."""
        await asyncio.gather(*self._tasks)

    def _send(self, send: Callable[[], Awaitable[None]]) -> None:
        task = asyncio.get_running_loop().create_task(self._tried(send))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _tried(self, send: Callable[[], Awaitable[None]]) -> None:
        for left in reversed(range(_TRIES)):
            try:
                async with self._turn:
                    return await send()
            except Exception as error:  # noqa: BLE001 -- whatever it is, Finance tries again
                _log.warning("%s: %s", "tried again" if left else "given up", error)
            await asyncio.sleep(_PAUSE_SECONDS if left else 0)
        return None


class QueueEndpoint(_Tried):
    """Sends to a queue with a connection string, and properties by which subscribers may filter."""

    def __init__(self, connection: str, queue: str) -> None:
        super().__init__()
        self._connection = connection
        self._queue = queue

    def post(self, name: str, event: dict[str, Any]) -> None:
        """The name is not sent: the queue is the same for all of them."""
        del name
        self._send(lambda: self._to_queue(event))

    async def _to_queue(self, event: dict[str, Any]) -> None:
        from azure.servicebus import ServiceBusMessage  # noqa: PLC0415 -- slow to import, and seldom needed
        from azure.servicebus.aio import ServiceBusClient  # noqa: PLC0415 -- see above

        message = ServiceBusMessage(
            json.dumps(event).encode(),
            content_type="application/json",
            application_properties={
                "BusinessEventCategory": _CATEGORY,
                "BusinessEventId": event["BusinessEventId"],
                "LegalEntity": event["LegalEntity"],
            },
        )
        async with (
            ServiceBusClient.from_connection_string(self._connection, retry_total=0) as client,
            client.get_queue_sender(self._queue) as sender,
        ):
            await sender.send_messages(message)


class EventGridEndpoint(_Tried):
    """Delivers to `url` in the Event Grid schema, after the handshake of a new subscription."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url
        self._subscribed = False

    def post(self, name: str, event: dict[str, Any]) -> None:
        """The name is not sent either."""
        del name
        self._send(lambda: self._deliver(event))

    async def _deliver(self, event: dict[str, Any]) -> None:
        if not self._subscribed:
            code = str(uuid.uuid4())
            answer = await self._post("SubscriptionValidation", _grid(_VALIDATION, "", {"validationCode": code}))
            if json.loads(answer).get("validationResponse") != code:
                raise ValueError("the endpoint has not answered with the validation code")
            self._subscribed = True
        await self._post("Notification", _grid(event["BusinessEventId"], event["LegalEntity"], event))

    async def _post(self, kind: str, event: dict[str, Any]) -> str:
        async with (
            aiohttp.ClientSession(raise_for_status=True) as session,
            session.post(self._url, json=[event], headers={"aeg-event-type": kind}) as answer,
        ):
            return await answer.text()


_VALIDATION = "Microsoft.EventGrid.SubscriptionValidationEvent"


def _grid(event_type: str, subject: str, data: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": str(uuid.uuid4()),
        "topic": "/subscriptions/sandbox/providers/Microsoft.EventGrid/topics/finance-operations",
        "subject": subject,
        "eventType": event_type,
        "eventTime": datetime.now(UTC).isoformat(),
        "data": data,
        "dataVersion": "1.0",
        "metadataVersion": "1",
    }
