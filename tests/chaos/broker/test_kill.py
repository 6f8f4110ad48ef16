"""Kills the broker under load again and again: what it has acknowledged is there, what it has completed stays away.

`BROKER_CHAOS_KILLS` sets how often the long form kills (default 20).
"""

import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox.amqp import Accepted, Link, build
from sandbox.amqp.message import Properties, Sections
from tests.contract.broker.amqp_client import AmqpClient
from tests.contract.broker.broker_process import BrokerProcess

KILLS = int(os.environ.get("BROKER_CHAOS_KILLS", "20"))


class Load:
    """Producers and a consumer that reconnect for ever, and what they were told."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.stop = threading.Event()
        self.acknowledged: set[str] = set()
        self.events: set[str] = set()
        self.received: Counter[str] = Counter()
        self.completed: set[str] = set()
        self.in_doubt: set[str] = set()  # completion was asked for, the answer fell to a kill: either is right
        self.resurrected: set[str] = set()
        self._count = 0

    def _connected(self, work: Callable[[AmqpClient], None]) -> None:
        while not self.stop.is_set():
            try:
                with AmqpClient(self.port) as client:
                    work(client)
            except (OSError, AssertionError):  # the broker is gone, or went while something was waited for
                time.sleep(0.05)

    def produce(self) -> None:
        self._connected(lambda client: self._send(client, "load", self.acknowledged))

    def publish(self) -> None:
        self._connected(lambda client: self._send(client, "load-events/Partitions/1", self.events))

    def _send(self, client: AmqpClient, address: str, told: set[str]) -> None:
        link = client.sender(address)
        while not self.stop.is_set():
            self._count += 1
            name = f"{threading.get_ident()}-{self._count}"
            state = client.send(link, build(name.encode(), properties=Properties(message_id=name)).encode())
            if isinstance(state, Accepted):
                told.add(name)

    def consume(self) -> None:
        self._connected(self._receive)

    def _receive(self, client: AmqpClient) -> None:
        link = client.receiver("load", credit=20)
        while not self.stop.is_set():
            for delivery, message in client.receive(1, seconds=0.3):
                self._settle(client, link, delivery.delivery_id, message)
            link.grant(20)

    def _settle(self, client: AmqpClient, link: Link, delivery_id: int, message: Sections) -> None:
        name = message.body().decode()
        self.received[name] += 1
        if name in self.completed:
            self.resurrected.add(name)
        self.in_doubt.add(name)
        link.dispose(delivery_id, Accepted())
        assert client.wait(lambda: delivery_id in client.settlements)
        if isinstance(client.settlements[delivery_id], Accepted):
            self.completed.add(name)
        self.in_doubt.discard(name)


def everything(port: int, address: str) -> set[str]:
    """All that can still be read at an address."""
    found: set[str] = set()
    with AmqpClient(port) as client:
        client.receiver(address, credit=100_000, snd_settle_mode=1)
        while batch := client.receive(1, seconds=1.0):
            found.update(message.body().decode() for _, message in batch)
    return found


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[BrokerProcess]:
    process = BrokerProcess(tmp_path)
    process.start()
    yield process
    process.kill()


def run(broker: BrokerProcess, kills: int) -> Load:
    load = Load(broker.port)
    threads = [threading.Thread(target=work) for work in (load.produce, load.produce, load.consume, load.publish)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(kills):
            time.sleep(random.uniform(0.6, 1.4))  # noqa: S311 -- any moment will do
            broker.kill()
            broker.start()
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
    assert len(load.acknowledged) > 20 * kills, "there was no load"
    assert len(load.completed) > 5 * kills
    assert load.acknowledged - load.completed - load.in_doubt - left == set(), "acknowledged messages are lost"
    assert load.resurrected | (load.completed & left) == set(), "completed messages have come back"
    assert len(load.in_doubt) <= kills, "at most one settlement can be on its way when the broker is killed"
    assert load.events
    assert load.events - stored == set(), "acknowledged events are lost"
    return load


def test_three_kills_lose_and_resurrect_nothing(broker: BrokerProcess) -> None:
    run(broker, 3)


@pytest.mark.slow
def test_many_kills_lose_and_resurrect_nothing(broker: BrokerProcess) -> None:
    load = run(broker, KILLS)
    assert max(load.received.values()) >= 1
