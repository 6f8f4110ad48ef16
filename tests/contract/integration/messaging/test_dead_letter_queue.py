"""The dead-letter queue is looked at page by page, and relieved of single messages."""

from collections.abc import Iterator

import pytest
from azure.servicebus import ServiceBusClient, ServiceBusMessage

from integration.errors import Transient
from integration.messaging import DeadLetterQueue
from tests.contract.sandbox.azure.broker.broker_process import BrokerProcess

QUEUE = "sessions"


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrokerProcess]:
    process = BrokerProcess(tmp_path_factory.mktemp("broker"))
    process.start()
    yield process
    process.stop()


def test_messages_are_removed_from_among_others(broker: BrokerProcess) -> None:
    """Those in front of them stay, at once free for others; sessions do not matter in a dead-letter queue."""
    with ServiceBusClient.from_connection_string(broker.connection_string) as client:
        with client.get_queue_sender(QUEUE) as sender:
            sender.send_messages([ServiceBusMessage(f"m{n}", session_id="s", message_id=f"e-{n}#7") for n in range(5)])
        with client.get_queue_receiver(QUEUE, session_id="s") as receiver:
            taken: list[object] = []
            while len(taken) < 5:
                for message in receiver.receive_messages(5, max_wait_time=5):
                    receiver.dead_letter_message(message, reason="Why")
                    taken.append(message)
    letters = DeadLetterQueue(lambda: ServiceBusClient.from_connection_string(broker.connection_string), QUEUE)

    found = letters.peek(0, 100)
    assert [(it.body, it.cause) for it in found] == [(f"m{number}".encode(), "Why") for number in range(5)]
    assert [it.body for it in letters.peek(found[1].sequence_number, 2)] == [b"m2", b"m3"]

    assert (letters.find("e-3"), letters.find("e")) == (b"m3", None)

    assert letters.remove([found[1].sequence_number, found[4].sequence_number]) == 2
    assert [it.body for it in letters.peek(0, 100)] == [b"m0", b"m2", b"m3"]
    assert letters.remove([found[0].sequence_number, found[4].sequence_number]) == 1
    assert [it.body for it in letters.peek(0, 100)] == [b"m2", b"m3"]


def test_a_broker_that_is_away_is_transient() -> None:
    def connect() -> ServiceBusClient:
        raise ConnectionError

    letters = DeadLetterQueue(connect, QUEUE)
    with pytest.raises(Transient):
        letters.peek(0, 1)
    with pytest.raises(Transient):
        letters.remove([1])
    with pytest.raises(Transient):
        letters.find("e-1")
