"""Malformed frames: the broker stays up, does not grow, and serves the others.

`run.py chaos broker-frames` is the long scenario.
"""

import socket
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sandbox.azure.amqp import Accepted
from tests.chaos.broker.fuzz import QUEUE, Conversations
from tests.contract.sandbox.azure.broker.amqp_client import AmqpClient, text
from tests.contract.sandbox.azure.broker.broker_process import BrokerProcess

ROUNDS = 10
ALLOWED_GROWTH_KB = 10_000


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[BrokerProcess]:
    process = BrokerProcess(tmp_path)
    process.start()
    yield process
    process.kill()


def talk(port: int, seed: int, frames: int) -> int:
    """Has that many strange frames sent on one connection after the other; gives how many connections that took."""
    conversations, connections, sent = Conversations(seed), 0, 0
    while sent < frames:
        data, count = conversations.next()
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            try:
                connection.sendall(data)
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(65536):
                    pass
            except ConnectionError:
                pass  # the broker hung up first
        sent += count
        connections += 1
    return connections


def resident_kb(broker: BrokerProcess) -> int:
    """The memory that the broker's process occupies, without what the entities hold by then."""
    if sys.platform != "linux" or broker.process is None:
        return 0
    status = Path(f"/proc/{broker.process.pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))


def empty(client: AmqpClient) -> None:
    """Takes away what the strange frames have left in the queues: they may well hold a good message."""
    for address in (QUEUE, f"{QUEUE}/$DeadLetterQueue", "fuzz-topic/Subscriptions/sub"):
        link = client.receiver(address, credit=100_000, snd_settle_mode=1)
        assert client.drain(link, 30)
        link.detach()
    client.received.clear()


class Witness:
    """A client whose messages go through all the time."""

    def __init__(self, client: AmqpClient) -> None:
        self._client = client
        self._sender = client.sender("send")
        self._receiver = client.receiver("send", snd_settle_mode=1)

    def send_one(self) -> None:
        began = time.monotonic()
        assert self._client.send(self._sender, text("witness")) == Accepted()
        self._receiver.grant(1)
        [(_, message)] = self._client.receive(1)
        assert message.body() == b"witness"
        assert time.monotonic() - began < 5


def run(broker: BrokerProcess, frames: int, *, show: Callable[[int], None] = lambda _turn: None) -> dict[str, int]:
    """Send so many strange frames; the figures, once the broker has stood all of them."""
    sizes, connections = [], 0
    with AmqpClient(broker.port) as client, ThreadPoolExecutor(2) as pool:
        witness = Witness(client)
        for turn in range(ROUNDS):
            futures = [pool.submit(talk, broker.port, 2 * turn + half, frames // ROUNDS // 2) for half in range(2)]
            while not all(future.done() for future in futures):
                witness.send_one()
            connections += sum(future.result() for future in futures)
            empty(client)
            sizes.append(resident_kb(broker))
            show(turn + 1)
        witness.send_one()
    assert broker.process is not None
    assert broker.process.poll() is None
    assert max(sizes[ROUNDS // 2 :]) - max(sizes[: ROUNDS // 2]) < ALLOWED_GROWTH_KB, sizes
    assert broker.call("GET", "/control/counters")["open"] == 0, "connections of disconnected clients are kept"
    assert "could not be handled" not in broker.log_text(), "a frame has met an error that is not one of the protocol"
    assert broker.stop() == 0
    return {
        "frames": frames,
        "connections": connections,
        "kB after the first tenth": sizes[0],
        "kB after the last tenth": sizes[-1],
    }


def test_a_thousand_strange_frames_do_no_harm(broker: BrokerProcess) -> None:
    run(broker, 1_000)
