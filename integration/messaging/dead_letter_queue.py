"""The dead-letter queue of the work queue: shows its messages, and removes those that need no further work."""

from collections.abc import Callable, Collection
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

from azure.servicebus import ServiceBusClient, ServiceBusReceivedMessage, ServiceBusReceiver, ServiceBusSubQueue

from integration.errors import Transient

_BATCH: Final = 100
_MOST_HELD: Final = 1_000
"""Messages that are locked at once, to reach those behind them."""
_MOST_PAGES: Final = 100
_WAIT_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True)
class DeadMessage:
    """A message in the dead-letter queue; `cause` is why the broker has moved it (MaxDeliveryCountExceeded, ...)."""

    sequence_number: int
    body: bytes
    cause: str


class DeadLetterQueue:
    """Blocking: call it from a thread of its own. `connect` opens a client, which each call closes again.

    Raises `Transient` (broker-unavailable).
    """

    def __init__(self, connect: Callable[[], ServiceBusClient], queue_name: str) -> None:
        self._connect = connect
        self._queue_name = queue_name

    def peek(self, after: int, most: int) -> list[DeadMessage]:
        """Up to `most` messages behind the sequence number `after`, oldest first; they stay as they are."""
        found: list[DeadMessage] = []
        with ExitStack() as stack:
            try:
                receiver = self._receiver(stack)
                while len(found) < most:
                    start = (found[-1].sequence_number if found else after) + 1
                    page = receiver.peek_messages(min(_BATCH, most - len(found)), sequence_number=start)
                    if not page:
                        break
                    found += map(_dead_message, page)
            except Exception as error:
                raise self._away(error) from error
        return found

    def find(self, event_id: str) -> bytes | None:
        """The body of the message of this event; None where it is not among the 10,000 oldest."""
        with ExitStack() as stack:
            try:
                receiver, start = self._receiver(stack), 1
                for _ in range(_MOST_PAGES):
                    page = receiver.peek_messages(_BATCH, sequence_number=start)
                    for message in page:
                        if (message.message_id or "").partition("#")[0] == event_id:
                            return b"".join(message.body)
                    if not page:
                        break
                    start = (page[-1].sequence_number or start) + 1
            except Exception as error:
                raise self._away(error) from error
        return None

    def remove(self, sequence_numbers: Collection[int]) -> int:
        """Complete these messages; returns how many were found.

        Messages cannot be asked for by number: those before them are locked meanwhile and given back.
        """
        wanted = set(sequence_numbers)
        held: list[ServiceBusReceivedMessage] = []
        removed = 0
        with ExitStack() as stack:
            try:
                receiver = self._receiver(stack)
                while removed < len(wanted) and len(held) < _MOST_HELD:
                    page = receiver.receive_messages(_BATCH, max_wait_time=_WAIT_SECONDS)
                    if not page:
                        break
                    for message in page:
                        if message.sequence_number in wanted:
                            receiver.complete_message(message)
                            removed += 1
                        else:
                            held.append(message)
                for message in held:
                    receiver.abandon_message(message)
            except Exception as error:
                raise self._away(error) from error
        return removed

    def _receiver(self, stack: ExitStack) -> ServiceBusReceiver:
        client = stack.enter_context(self._connect())
        return stack.enter_context(
            client.get_queue_receiver(self._queue_name, sub_queue=ServiceBusSubQueue.DEAD_LETTER)
        )

    def _away(self, error: Exception) -> Transient:
        return Transient(
            f"the dead-letter queue of {self._queue_name} cannot be read ({type(error).__name__})",
            reason="broker-unavailable",
        )


def _dead_message(message: ServiceBusReceivedMessage) -> DeadMessage:
    return DeadMessage(message.sequence_number or 0, b"".join(message.body), message.dead_letter_reason or "")
