"""What the sandbox's broker costs: `python -m tests.benchmarks.broker` (Linux; about a minute).

CPU time of the broker's process per message of 1 KB, from a pipelined client without SDK, so that the broker and not
the client is what is measured; the time to start; CPU time while nothing happens, alone and with 100 connections.
"""

import contextlib
import itertools
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from sandbox.azure.amqp import Accepted, Properties, build
from sandbox.azure.amqp.message import BATCH_FORMAT, encode_batch
from tests.contract.sandbox.azure.broker.amqp_client import AmqpClient
from tests.contract.sandbox.azure.broker.broker_process import BrokerProcess

MESSAGES = 10_000
WINDOW = 200
BATCH = 100
IDLE_SECONDS = 10
CONNECTIONS = 100
STARTS = 5
_TICKS = os.sysconf("SC_CLK_TCK")
_numbers = itertools.count()


def cpu_seconds(broker: BrokerProcess) -> float:
    """User and system time that the broker's process has taken."""
    if broker.process is None:
        raise RuntimeError("the broker does not run")
    fields = Path(f"/proc/{broker.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


@contextlib.contextmanager
def running(*arguments: str) -> Iterator[BrokerProcess]:
    with tempfile.TemporaryDirectory() as folder:
        broker = BrokerProcess(Path(folder), *arguments)
        broker.start()
        try:
            yield broker
        finally:
            broker.stop()


def message() -> bytes:
    return build(b"x" * 1024, properties=Properties(message_id=str(next(_numbers)))).encode()


def send(client: AmqpClient, address: str) -> None:
    """Messages one by one, a window of them on their way."""
    link = client.sender(address)
    for _ in range(MESSAGES // WINDOW):
        numbers = [link.send(message(), b"tag") for _ in range(WINDOW)]
        client.wait_for_outcomes(numbers, 30)


def send_batches(client: AmqpClient, address: str) -> None:
    link = client.sender(address)
    for _ in range(MESSAGES // BATCH):
        client.send(link, encode_batch([message() for _ in range(BATCH)]), BATCH_FORMAT)


def receive_and_complete(client: AmqpClient, address: str) -> None:
    link = client.receiver(address)
    for _ in range(MESSAGES // WINDOW):
        link.grant(WINDOW)
        taken = [delivery.delivery_id for delivery, _ in client.receive(WINDOW, 30)]
        for number in taken:
            link.dispose(number, Accepted())
        client.wait_for_settlements(taken, 30)
        client.settlements.clear()


def read_events(client: AmqpClient, address: str) -> None:
    client.receiver(address, credit=2 * MESSAGES)
    client.receive(MESSAGES, 60)


SCENARIOS = [
    ("queue: send one by one", send, "load"),
    ("queue: peek-lock and complete", receive_and_complete, "load"),
    ("queue: send batches of 100", send_batches, "load"),
    ("hub: send batches of 100", send_batches, "load-events/Partitions/0"),
    ("hub: read", read_events, "load-events/ConsumerGroups/$Default/Partitions/0"),
]


def report(what: str, figure: str) -> None:
    print(f"{what:<60}{figure:>24}", flush=True)  # noqa: T201 -- it is a command


def main() -> int:
    """Measures and prints."""
    with tempfile.TemporaryDirectory() as folder:
        broker, times = BrokerProcess(Path(folder)), []
        for _ in range(STARTS):
            times.append(broker.start())
            broker.stop()
    report(f"start until /health answers, median of {STARTS}", f"{statistics.median(times):.2f} s")
    for name, arguments in (("memory", ("--db", ":memory:")), ("file", ())):
        with running(*arguments) as broker:
            for scenario, work, address in SCENARIOS:
                with AmqpClient(broker.port) as client:
                    before, began = cpu_seconds(broker), time.monotonic()
                    work(client, address)
                    used, elapsed = cpu_seconds(broker) - before, time.monotonic() - began
                report(f"{scenario}, {name}", f"{used / MESSAGES * 1e6:.0f} us, {MESSAGES / elapsed:,.0f}/s")
    with running() as broker, contextlib.ExitStack() as stack:
        for count in (0, CONNECTIONS):
            for _ in range(count):
                stack.enter_context(AmqpClient(broker.port)).receiver("send", credit=1)
            time.sleep(1)
            before = cpu_seconds(broker)
            time.sleep(IDLE_SECONDS)
            used = cpu_seconds(broker) - before
            report(f"idle with {count} connections", f"{used / IDLE_SECONDS:.2%} of a core")
    return 0


if __name__ == "__main__":
    sys.exit(main())
