"""A ticketing system behind a Service Bus queue: it reads tickets there when it has time."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from azure.servicebus import ServiceBusClient, ServiceBusMessage, ServiceBusSender

from integration.coalescing import Coalescer
from integration.errors import Outage
from integration.systems import Message

_SEND_SECONDS = 30.0


class Ticket(Message):
    """One ticket, as it shall be; `id` is that of the case, whose latest state counts (`source_version`)."""

    id: str
    title: str
    priority: str | None
    customer_id: str | None
    contact_email: str | None
    answer_by: datetime | None
    status: str
    source_version: int


@dataclass(frozen=True, slots=True)
class _Outgoing:
    ticket: Ticket
    key: str


class TicketQueue:
    """Sends tickets; the session is the ticket, so that its states stay in order.

    The MessageId is the Idempotency-Key: what is sent again within the queue's duplicate detection window is dropped,
    and after it the reader sees an older `source_version`. In `_tools` of `integration/composition/services.py`:

        tickets = TicketQueue(lambda: connections.service_bus_client(settings), "tickets")
        ... systems={**systems.others, "ticketing": tickets}
    """

    def __init__(self, connect: Callable[[], ServiceBusClient], queue: str) -> None:
        self._connect = connect
        self._queue = queue
        self._client: ServiceBusClient | None = None
        self._sender: ServiceBusSender | None = None
        self._coalescer: Coalescer[_Outgoing] = Coalescer("ticket-queue", self._send)

    async def send(self, ticket: Ticket, *, key: str) -> None:
        """Queue a ticket; raises `Outage` where the broker does not acknowledge it."""
        await asyncio.wrap_future(self._coalescer.submit(_Outgoing(ticket, key)))

    def _send(self, outgoing: Sequence[_Outgoing]) -> None:
        try:
            if self._sender is None:
                self._client = self._connect()
                self._sender = self._client.get_queue_sender(self._queue)
            self._sender.send_messages([_message(it) for it in outgoing], timeout=_SEND_SECONDS)
        except Exception as error:
            client, self._client, self._sender = self._client, None, None
            if client is not None:
                with suppress(Exception):  # the connection is broken already
                    client.close()
            raise Outage("the queue of tickets did not acknowledge", reason="ticketing-unavailable") from error


def _message(it: _Outgoing) -> ServiceBusMessage:
    return ServiceBusMessage(
        it.ticket.model_dump_json(by_alias=True),
        message_id=it.key[:128],
        session_id=it.ticket.id,
        content_type="application/json",
        subject="ticket",
    )
