"""The dead-letter queue is read in pages and relieved of single messages; everything is closed again."""

from types import SimpleNamespace
from typing import Any, Self

import pytest
from azure.servicebus import ServiceBusSubQueue

from integration.errors import Transient
from integration.messaging import DeadLetterQueue, DeadMessage


class Broker:
    """A client and its receiver, with messages that carry the numbers from 1 to `count`."""

    def __init__(self, count: int) -> None:
        self.waiting = [
            SimpleNamespace(sequence_number=number, body=[b"m", b"%d" % number], dead_letter_reason="Why")
            for number in range(1, count + 1)
        ]
        self.locked: list[Any] = []
        self.open = 0
        self.asked: tuple[str, object] | None = None
        self.broken = False
        self.largest_page = 0
        self.waited: list[float] = []

    def get_queue_receiver(self, name: str, *, sub_queue: ServiceBusSubQueue) -> "Broker":
        self.asked = name, sub_queue
        return self

    def __enter__(self) -> Self:
        self.open += 1
        return self

    def __exit__(self, *_: object) -> None:
        self.open -= 1

    def peek_messages(self, most: int, *, sequence_number: int) -> list[Any]:
        self._check()
        self.largest_page = max(self.largest_page, most)
        return [message for message in self.waiting if message.sequence_number >= sequence_number][:most]

    def receive_messages(self, most: int, *, max_wait_time: float) -> list[Any]:
        self._check()
        self.waited.append(max_wait_time)
        page, self.waiting = self.waiting[:most], self.waiting[most:]
        self.locked += page
        return page

    def complete_message(self, message: Any) -> None:
        self.locked.remove(message)

    def abandon_message(self, message: Any) -> None:
        self.locked.remove(message)
        self.waiting.append(message)

    def _check(self) -> None:
        if self.broken:
            raise ConnectionError

    @property
    def numbers(self) -> list[int]:
        return sorted(message.sequence_number for message in self.waiting)


def letters(broker: Broker) -> DeadLetterQueue:
    def connect() -> Any:
        return broker

    return DeadLetterQueue(connect, "work")


def test_messages_are_found_behind_a_number_oldest_first() -> None:
    broker = Broker(5)

    assert letters(broker).peek(2, 2) == [DeadMessage(3, b"m3", "Why"), DeadMessage(4, b"m4", "Why")]
    assert broker.asked == ("work", ServiceBusSubQueue.DEAD_LETTER)
    assert broker.open == 0


def test_as_many_pages_are_read_as_it_takes() -> None:
    """A page is of a size that the broker gives at once; no message comes twice, and none too many."""
    broker = Broker(250)

    assert [it.sequence_number for it in letters(broker).peek(0, 230)] == list(range(1, 231))
    assert [it.sequence_number for it in letters(broker).peek(0, 1000)] == list(range(1, 251))
    assert broker.largest_page <= 100


def test_nothing_is_said_of_a_message_that_came_without_a_cause() -> None:
    broker = Broker(1)
    broker.waiting[0].dead_letter_reason = None

    assert letters(broker).peek(0, 1) == [DeadMessage(1, b"m1", "")]


def test_only_the_messages_that_are_named_are_removed() -> None:
    """Those that were locked to get at them are free again."""
    broker = Broker(150)

    assert letters(broker).remove([3, 120]) == 2
    assert broker.numbers == [number for number in range(1, 151) if number not in (3, 120)]
    assert not broker.locked
    assert broker.open == 0


def test_no_more_are_locked_than_it_takes() -> None:
    broker = Broker(500)

    assert letters(broker).remove([1]) == 1
    assert len(broker.waited) == 1


def test_a_message_that_is_not_there_ends_the_search_at_the_end_of_the_queue() -> None:
    """Nothing is removed, and everything is where it was."""
    broker = Broker(120)

    assert letters(broker).remove([7, 9000]) == 1
    assert len(broker.numbers) == 119
    assert max(broker.waited) <= 5


def test_only_so_many_messages_are_locked_at_once() -> None:
    """What lies behind a thousand others has to wait: their locks would end before they are given back."""
    broker = Broker(1_500)

    assert letters(broker).remove([1_400]) == 0
    assert len(broker.waited) == 10
    assert len(broker.numbers) == 1_500


def test_a_broker_that_goes_away_is_transient_and_everything_is_closed() -> None:
    broker = Broker(1)
    broker.broken = True

    with pytest.raises(Transient) as peeked:
        letters(broker).peek(0, 1)
    with pytest.raises(Transient) as removed:
        letters(broker).remove([1])
    assert {peeked.value.reason, removed.value.reason} == {"broker-unavailable"}
    assert broker.open == 0
