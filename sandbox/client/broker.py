"""The broker from outside: its dead letters through the SDK, and its test controls."""

from dataclasses import dataclass
from typing import Any

import requests
from azure.servicebus import ServiceBusClient, ServiceBusReceivedMessage, ServiceBusSubQueue

_TIMEOUT = 10.0
_PEEKED = 250
"""Messages of one answer; Service Bus gives no more."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message in $DeadLetterQueue."""

    message_id: str
    session_id: str
    reason: str
    delivery_count: int
    body: bytes


class Broker:
    """Service Bus at `connection_string`, and the controls at `url`."""

    def __init__(self, connection_string: str, url: str) -> None:
        self.connection_string = connection_string
        self.url = url
        self._session = requests.Session()
        self._session.trust_env = False

    def dead_letters(self, queue: str = "work") -> list[DeadLetter]:
        """What is in the queue's $DeadLetterQueue, oldest first; it stays there."""
        with (
            ServiceBusClient.from_connection_string(self.connection_string) as client,
            client.get_queue_receiver(queue, sub_queue=ServiceBusSubQueue.DEAD_LETTER) as receiver,
        ):
            found: list[ServiceBusReceivedMessage] = []
            while page := receiver.peek_messages(
                max_message_count=_PEEKED, sequence_number=(found[-1].sequence_number or 0) + 1 if found else 0
            ):
                found += page
            return [
                DeadLetter(
                    message_id=str(message.message_id),
                    session_id=str(message.session_id),
                    reason=str(message.dead_letter_reason),
                    delivery_count=message.delivery_count or 0,
                    body=b"".join(message.body),
                )
                for message in found
            ]

    def entities(self) -> dict[str, Any]:
        """Counts per queue (active, deadLetter, scheduled, deferred, locked) and per hub partition (events)."""
        found: dict[str, Any] = self._control("GET", "entities").json()
        return found

    def events_in(self, hub: str) -> int:
        """How many events the partitions of a hub have."""
        return sum(partition["events"] for partition in self.entities()["hubs"][hub].values())

    def counters(self) -> dict[str, int]:
        """How often each thing has happened since the broker started, by the names that its engine uses."""
        found: dict[str, int] = self._control("GET", "counters").json()
        return found

    def add_fault(self, **fault: Any) -> None:
        """Refuse (`refuse`), slow down (`delay_ms`) or answer busy (`server_busy`) until `clear_faults`."""
        self._control("POST", "fault", json=fault)

    def clear_faults(self) -> None:
        """Work as usual again."""
        self._control("DELETE", "fault")

    def drop_connections(self) -> None:
        """Cut every AMQP connection."""
        self._control("POST", "drop")

    def advance_clock(self, seconds: float) -> None:
        """Move the broker's clock forward: locks expire, scheduled messages become due."""
        self._control("POST", "clock", json={"advance_seconds": seconds})

    def _control(self, method: str, path: str, **arguments: Any) -> requests.Response:
        answer = self._session.request(method, f"{self.url}/control/{path}", timeout=_TIMEOUT, **arguments)
        answer.raise_for_status()
        return answer
