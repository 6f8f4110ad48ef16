"""The sandbox's broker alone: what it has acknowledged is there, and nothing that it is sent brings it down."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.chaos.broker import test_fuzz, test_kill
from tests.chaos.scenario import Run, Scenario
from tests.contract.sandbox.azure.broker.broker_process import BrokerProcess


def kill_under_load(run: Run) -> None:
    """Killed while messages and events are sent, received and completed."""
    kills, messages = run.size(20, 100), run.size(10_000, 100_000)

    def show(done: int, acknowledged: int) -> None:
        run.show(done, f"kills, {acknowledged} messages", total=kills)

    with _broker(run) as broker:
        run.figures |= test_kill.run(broker, kills, messages, show=show)


def send_strange_frames(run: Run) -> None:
    """Conversations that begin well and then break the protocol, while somebody else is served."""
    with _broker(run) as broker:
        run.figures |= test_fuzz.run(
            broker, run.size(20_000, 100_000), show=lambda turn: run.show(turn, "tenths", total=test_fuzz.ROUNDS)
        )


@contextmanager
def _broker(run: Run) -> Iterator[BrokerProcess]:
    process = BrokerProcess(run.folder)
    process.start()
    try:
        yield process
    finally:
        process.kill()


SCENARIOS = [
    Scenario("broker-messages", "The broker alone is killed under load.", 2, 10, kill_under_load),
    Scenario("broker-frames", "The broker alone gets frames that break the protocol.", 2, 8, send_strange_frames),
]
