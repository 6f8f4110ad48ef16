"""Event hubs forget what is older than their retention, in memory and in the file, and go on counting."""

from pathlib import Path

from sandbox.azure.amqp import build
from sandbox.azure.broker.entities.engine import Engine
from sandbox.azure.broker.entities.eventhub import Partition
from sandbox.azure.broker.entities.store import Store
from sandbox.azure.broker.namespace import Namespace
from sandbox.azure.broker.recovery import recover
from tests.contract.sandbox.azure.broker.still_clock import StillClock

HOUR_MS = 3_600_000


def partition_of(path: Path, clock: StillClock, retention: int | None = None) -> Partition:
    """The only partition of a hub in a namespace on that file."""
    namespace = Namespace(Engine(Store(str(path)), clock))
    hub = namespace.add_hub("h", 1, [], retention)
    recover(namespace)
    return hub.partitions[0]


def test_old_events_go_and_numbers_go_on(tmp_path: Path) -> None:
    """Also when nothing is left, and across a restart; positions before the oldest event begin with it."""
    path, clock = tmp_path / "db", StillClock()
    partition = partition_of(path, clock, 2 * HOUR_MS + 1)
    offsets = []
    for index in range(6):
        partition.append(build(str(index)))
        offsets.append(partition.events[-1].offset)
        clock.advance(HOUR_MS)
    partition.engine.expire([partition])
    assert [event.sequence_number for event in partition.events] == [4, 5]
    assert (partition.first_sequence_number, partition.position("amqp.annotation.x-opt-offset > '-1'")) == (4, 4)
    assert partition.position(f"amqp.annotation.x-opt-offset > '{offsets[4]}'") == 5
    assert partition.position("amqp.annotation.x-opt-offset > '@latest'") == 6
    partition.engine.store.close()
    partition = partition_of(path, clock, 2 * HOUR_MS + 1)
    assert [event.sequence_number for event in partition.events] == [4, 5]
    clock.advance(3 * HOUR_MS)
    partition.engine.expire([partition])
    assert partition.events == []
    partition.engine.store.close()
    partition = partition_of(path, clock, 2 * HOUR_MS + 1)
    assert partition.last is not None
    assert partition.last.sequence_number == 5, "properties still show the last event"
    partition.append(build("later"))
    assert partition.events[0].sequence_number == 6
    assert partition.events[0].offset > offsets[5]


def test_an_hour_is_kept_when_nothing_is_said(tmp_path: Path) -> None:
    """As Microsoft's emulator does; the broker wakes up for it."""
    clock = StillClock()
    partition = partition_of(tmp_path / "db", clock)
    woken: list[int] = []
    partition.engine.on_deadline = woken.append
    partition.append(build("x"))
    [when] = woken
    assert HOUR_MS <= when - clock.now() <= 1.02 * HOUR_MS
    clock.advance(when - clock.now())
    partition.engine.expire([partition])
    assert partition.events == []


def test_the_file_does_not_grow_beyond_the_retention(tmp_path: Path) -> None:
    """Twenty hours at a steady rate leave one hour of events in memory and in the file."""
    clock = StillClock()
    partition = partition_of(tmp_path / "db", clock)
    for _ in range(20 * 60):
        partition.append(build("x"))
        clock.advance(60_000)
        partition.engine.expire([partition])
    assert 60 <= len(partition.events) <= 62
    partition.engine.store.close()
    assert len(partition_of(tmp_path / "db", clock).events) == len(partition.events)
