"""Kills the broker under load again and again: what it has acknowledged is there, what it has completed stays away.

`run.py chaos broker-messages` is the long scenario.
"""

import itertools
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox.azure.amqp import Accepted, Link, build
from sandbox.azure.amqp.message import Properties
from tests.contract.sandbox.azure.broker.amqp_client import AmqpClient
from tests.contract.sandbox.azure.broker.broker_process import BrokerProcess

WINDOW = 10  # messages on their way at once


class Load:
    """Producers and a consumer that reconnect for ever, and what was acknowledged to them."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.stop = threading.Event()
        self.acknowledged: set[str] = set()
        self.events: set[str] = set()
        self.received: Counter[str] = Counter()
        self.completed: set[str] = set()
        self.unknown: set[str] = set()  # completion was requested and a kill took the answer: both are right
        self.resurrected: set[str] = set()
        self._count = itertools.count()

    def _connected(self, work: Callable[[AmqpClient], None]) -> None:
        while not self.stop.is_set():
            try:
                with AmqpClient(self.port) as client:
                    work(client)
            except (OSError, AssertionError):  # the broker was killed, perhaps while something was awaited
                time.sleep(0.05)

    def produce(self) -> None:
        self._connected(lambda client: self._send(client, "load", self.acknowledged))

    def publish(self) -> None:
        self._connected(lambda client: self._send(client, "load-events/Partitions/1", self.events))

    def _send(self, client: AmqpClient, address: str, told: set[str]) -> None:
        link = client.sender(address)
        while not self.stop.is_set():
            names = [f"{threading.get_ident()}-{next(self._count)}" for _ in range(WINDOW)]
            numbers = [link.send(message(name), b"tag") for name in names]
            try:
                assert client.wait_for_outcomes(numbers)
            finally:
                told.update(
                    name
                    for name, number in zip(names, numbers, strict=True)
                    if isinstance(client.outcomes.pop(number, None), Accepted)
                )

    def consume(self) -> None:
        self._connected(self._receive)

    def _receive(self, client: AmqpClient) -> None:
        link = client.receiver("load", credit=2 * WINDOW)
        while not self.stop.is_set():
            taken = {delivery.delivery_id: content.body().decode() for delivery, content in client.receive(WINDOW, 0.2)}
            self._complete(client, link, taken)
            link.grant(2 * WINDOW)

    def _complete(self, client: AmqpClient, link: Link, taken: dict[int, str]) -> None:
        self.received.update(taken.values())
        self.resurrected |= self.completed.intersection(taken.values())
        self.unknown.update(taken.values())
        for number in taken:
            link.dispose(number, Accepted())
        try:
            assert client.wait(lambda: client.settlements.keys() >= taken.keys())
        finally:
            for number, name in taken.items():
                if number in client.settlements:
                    self.unknown.discard(name)
                if isinstance(client.settlements.pop(number, None), Accepted):
                    self.completed.add(name)


def message(name: str) -> bytes:
    """A message that says only its name."""
    return build(name.encode(), properties=Properties(message_id=name)).encode()


def everything(port: int, address: str) -> set[str]:
    """All that can still be read at an address."""
    with AmqpClient(port) as client:
        link = client.receiver(address, credit=1_000_000, snd_settle_mode=1)
        link.request_drain()
        assert client.wait(lambda: link.credit == 0, seconds=60)
        return {content.body().decode() for _, content in client.receive(len(client.received))}


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[BrokerProcess]:
    process = BrokerProcess(tmp_path)
    process.start()
    yield process
    process.kill()


def run(
    broker: BrokerProcess,
    kills: int,
    messages: int,
    *,
    show: Callable[[int, int], None] = lambda _kills, _messages: None,
) -> dict[str, int]:
    """Kill until it was done so often and so many messages were acknowledged; the figures, once all of it holds."""
    load = Load(broker.port)
    threads = [threading.Thread(target=work) for work in (load.produce, load.produce, load.consume, load.publish)]
    for thread in threads:
        thread.start()
    done = 0
    try:
        while done < kills or len(load.acknowledged) < messages:
            time.sleep(random.uniform(0.3, 1.0))  # noqa: S311 -- any moment will do
            broker.kill()
            broker.start()
            done += 1
            show(done, len(load.acknowledged))
        time.sleep(0.5)
    finally:
        load.stop.set()
        for thread in threads:
            thread.join(20)
    broker.kill()  # frees what the consumer had locked
    broker.start()
    left = everything(broker.port, "load")
    stored = everything(broker.port, "load-events/ConsumerGroups/$Default/Partitions/1")
    assert broker.stop() == 0
    lost = load.acknowledged - load.completed - load.unknown - left
    back = load.resurrected | (load.completed & left)
    again = sum(count - 1 for count in load.received.values())
    assert len(load.acknowledged) > 20 * kills, "there was no load"
    assert len(load.completed) > 5 * kills
    assert lost == set(), "acknowledged messages are lost"
    assert back == set(), "completed messages have come back"
    assert len(load.unknown) <= WINDOW * done, "only settlements on their way at a kill can have an unknown outcome"
    assert load.events
    assert load.events - stored == set(), "acknowledged events are lost"
    return {
        "kills": done,
        "messages acknowledged": len(load.acknowledged),
        "messages completed": len(load.completed),
        "messages delivered again": again,
        "completions whose answer fell to a kill": len(load.unknown),
        "messages lost": len(lost),
        "completed messages that came back": len(back),
        "events acknowledged": len(load.events),
        "events lost": len(load.events - stored),
    }


def test_a_few_kills_lose_and_resurrect_nothing(broker: BrokerProcess) -> None:
    run(broker, 2, 300)
