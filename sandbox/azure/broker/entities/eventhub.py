"""Event hubs: partitions as append-only logs, read from any position."""

import re
from bisect import bisect_left, bisect_right
from typing import Protocol

from sandbox.azure.amqp.codec import encode
from sandbox.azure.amqp.message import Sections
from sandbox.azure.amqp.types import Int, Raw, Symbol, Timestamp
from sandbox.azure.broker.entities.engine import Engine
from sandbox.azure.broker.entities.event import Event
from sandbox.azure.broker.entities.partition_hash import partition_of
from sandbox.azure.broker.errors import BrokerError, out_of_range
from sandbox.azure.broker.message import ENQUEUED_TIME, OFFSET, PARTITION_KEY, SEQUENCE_NUMBER

DEFAULT_GROUP = "$default"
_SEQUENCE_NUMBER_EPOCH = Symbol("x-opt-sequence-number-epoch")
_SET_BY_BROKER = frozenset((_SEQUENCE_NUMBER_EPOCH, SEQUENCE_NUMBER, OFFSET, ENQUEUED_TIME))
_MAX_READERS = 5  # without epoch, per partition and consumer group
_SELECTOR = re.compile(
    r"amqp\.annotation\.x-opt-(offset|sequence-number|enqueued-time(?:-utc)?)\s*(>=?)\s*'?([^']*)'?\s*"
)
_OVERHEAD = 64  # bytes by which an event advances the offset, besides its size
DEFAULT_RETENTION_MS = 3_600_000  # the emulators': one hour
_TRIMS_PER_RETENTION = 100  # old events are removed in so many rounds, not one by one


class Reader(Protocol):
    """A receiving link on a partition."""

    group: str
    epoch: int | None

    def pump(self) -> bool:
        """Sends the events that it has credit for; True if it could take more at once."""

    def entity_closed(self, error: BrokerError) -> None:
        """The hub or its consumer group was deleted."""

    def stolen(self, epoch: int) -> None:
        """A reader with a higher epoch takes its place."""


class Partition:
    """One partition: its events in order, without gaps, and its readers. Events older than `retention` (ms) go."""

    def __init__(self, engine: Engine, hub: str, index: int, retention: int) -> None:
        self.engine = engine
        self.hub = hub
        self.index = index
        self.retention = retention
        self.events: list[Event] = []
        self.readers: list[Reader] = []
        self.next_sequence_number = 0
        self.next_offset = 0
        self.last: Event | None = None  # the newest event, which may have been removed since

    @property
    def first_sequence_number(self) -> int:
        """The sequence number of the oldest event that is kept; -1 when there has never been an event."""
        return -1 if self.last is None else self.next_sequence_number - len(self.events)

    def append(self, content: Sections) -> None:
        """Takes an event."""
        number, offset = self.next_sequence_number, self.next_offset
        now = self.engine.clock.now()
        content.message_annotations = {
            _SEQUENCE_NUMBER_EPOCH: Raw(encode(Int(-1))),
            SEQUENCE_NUMBER: Raw(encode(number)),
            OFFSET: Raw(encode(str(offset))),
            ENQUEUED_TIME: Raw(encode(Timestamp(now))),
        } | {key: raw for key, raw in content.message_annotations.items() if key not in _SET_BY_BROKER}
        event = Event(number, offset, now, content.encode(with_header=False))
        self.engine.store.append(self.hub, self.index, event)
        self.restore(event)
        self.engine.count("events")
        self.changed()

    def restore(self, event: Event) -> None:
        """Adds a stored event at the end."""
        self.events.append(event)
        self.last = event
        self.next_sequence_number = event.sequence_number + 1
        self.next_offset = event.offset + len(event.encoded) + _OVERHEAD
        if len(self.events) == 1:
            self.engine.wake_at(self.next_deadline() or 0)

    def next_deadline(self) -> int | None:
        """When `expire` has something to do next."""
        return self.events[0].enqueued_at + self._kept_for if self.events else None

    @property
    def _kept_for(self) -> int:
        return self.retention + self.retention // _TRIMS_PER_RETENTION

    def expire(self, now: int) -> None:
        """Removes events older than the retention; the newest is remembered, for sequence numbers and properties."""
        if self.last is None or not self.events or self.events[0].enqueued_at + self._kept_for > now:
            return
        count = bisect_right(self.events, now - self.retention, key=lambda event: event.enqueued_at)
        del self.events[:count]
        self.engine.store.trim(self.hub, self.index, self.first_sequence_number, self.last)

    def position(self, selector: str | None) -> int:
        """The sequence number of the first event that a selector (SDK: `EventPosition`) asks for."""
        return max(self.first_sequence_number, 0) + self._index(selector)

    def _index(self, selector: str | None) -> int:
        if not selector:
            return 0
        found = _SELECTOR.fullmatch(selector.strip())
        if found is None:
            raise BrokerError("amqp:not-implemented", f"The filter '{selector}' is not understood.")
        subject, comparison, value = found.groups()
        if value == "@latest":
            return len(self.events)
        search = bisect_left if comparison == ">=" else bisect_right
        try:
            wanted = int(value)
        except ValueError:
            raise BrokerError("com.microsoft:argument-error", f"'{value}' is not a position.") from None
        if subject == "offset":
            return search(self.events, wanted, key=lambda event: event.offset)
        if subject == "sequence-number":
            return search(self.events, wanted, key=lambda event: event.sequence_number)
        return search(self.events, wanted, key=lambda event: event.enqueued_at)

    def attach(self, reader: Reader) -> None:
        """Admits a reader: the highest epoch of its consumer group wins, at most five read without one."""
        rivals = [other for other in self.readers if other.group == reader.group]
        highest = max((other.epoch for other in rivals if other.epoch is not None), default=None)
        if highest is not None and (reader.epoch is None or reader.epoch < highest):
            raise BrokerError(
                "amqp:link:stolen",
                f"Receiver 'nil' with a higher epoch '{highest}' already exists. Receiver 'nil' with epoch "
                f"{reader.epoch or 0} cannot be created. Make sure you are creating receiver with increasing epoch "
                "value to ensure connectivity, or ensure all old epoch receivers are closed or disconnected.",
            )
        if reader.epoch is not None:
            for other in rivals:
                self.readers.remove(other)
                other.stolen(reader.epoch)
        elif len(rivals) >= _MAX_READERS:
            raise BrokerError(
                "amqp:resource-limit-exceeded",
                "Exceeded the maximum number of allowed receivers per partition in a consumer group which is 5.",
            )
        self.readers.append(reader)
        self.changed()

    def detach(self, reader: Reader) -> None:
        """The reader has detached."""
        if reader in self.readers:
            self.readers.remove(reader)

    def changed(self) -> None:
        """Readers may have become able to go on."""
        self.engine.changed(self)

    def pump(self) -> None:
        """Gives every reader what it has credit for."""
        for reader in self.readers:
            if reader.pump():
                self.changed()


class EventHub:
    """A hub: its partitions and consumer groups (lower case; `$default` is always there)."""

    def __init__(self, engine: Engine, name: str, partitions: int, groups: list[str], retention: int | None) -> None:
        self.name = name
        self.created_at = engine.clock.now()
        self.retention = DEFAULT_RETENTION_MS if retention is None else retention
        self.is_deleted = False
        self.kept: dict[str, str] = {}  # settings that are returned as they were given
        self.partitions = [Partition(engine, name, index, self.retention) for index in range(partitions)]
        self.groups = {DEFAULT_GROUP} | {group.lower() for group in groups}
        self._turn = 0

    def change(self, retention: int | None, kept: dict[str, str]) -> None:
        """Applies another retention (milliseconds; None keeps it) and other settings from now on."""
        self.kept = kept
        if retention is not None:
            self.retention = retention
            for partition in self.partitions:
                partition.retention = retention

    def close(self, error: BrokerError, group: str | None = None) -> None:
        """Detaches the readers of one consumer group; without a group, all readers, and takes no more events."""
        self.is_deleted = group is None
        for partition in self.partitions:
            for reader in list(partition.readers):
                if group in {None, reader.group}:
                    partition.detach(reader)
                    reader.entity_closed(error)

    def partition(self, name: str) -> Partition:
        """The partition of that id."""
        if not name.isdigit() or int(name) >= len(self.partitions):
            raise out_of_range(
                "The specified partition is invalid for an EventHub partition sender or receiver. It should be between "
                f"0 and {len(self.partitions) - 1}. Parameter name: PartitionId"
            )
        return self.partitions[int(name)]

    def choose(self, content: Sections) -> Partition:
        """The partition for a message or batch: by its partition key, else in turn."""
        key = content.annotation(PARTITION_KEY)
        if isinstance(key, str):
            return self.partitions[partition_of(key, len(self.partitions))]
        self._turn += 1
        return self.partitions[self._turn % len(self.partitions)]
