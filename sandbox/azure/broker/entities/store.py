"""The data that survives a crash: one SQLite file, with one commit for all changes of a turn.

All changes of one turn of the event loop go into one transaction, and clients are answered only after `commit`.
Locks are not stored: after a crash a locked message is available again, its delivery count unchanged. The file is in
WAL mode with synchronous=NORMAL: a kill loses nothing that was committed, a power cut may lose the last commits.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from sandbox.azure.broker.entities.event import Event
from sandbox.azure.broker.entities.options import QueueOptions
from sandbox.azure.broker.message import BrokeredMessage, State
from sandbox.azure.broker.rules.rule import Rule

_SCHEMA = """
CREATE TABLE IF NOT EXISTS message(
    queue TEXT, sequence_number INTEGER, state INTEGER, delivery_count INTEGER, enqueued_at INTEGER,
    scheduled_for INTEGER, dead_letter_source TEXT, enqueued_sequence_number INTEGER, content BLOB,
    PRIMARY KEY(queue, sequence_number)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS counter(queue TEXT PRIMARY KEY, next INTEGER) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS seen(
    queue TEXT, message_id TEXT, seen_at INTEGER, PRIMARY KEY(queue, message_id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS session(
    queue TEXT, id TEXT, state BLOB, set_at INTEGER, PRIMARY KEY(queue, id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS event(
    hub TEXT, part INTEGER, sequence_number INTEGER, byte_offset INTEGER, enqueued_at INTEGER, encoded BLOB,
    PRIMARY KEY(hub, part, sequence_number)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS partition(
    hub TEXT, part INTEGER, sequence_number INTEGER, byte_offset INTEGER, enqueued_at INTEGER, encoded BLOB,
    PRIMARY KEY(hub, part)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS entity(
    path TEXT PRIMARY KEY, kind TEXT, topic TEXT, name TEXT, options TEXT, created_at INTEGER) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS hub(
    path TEXT PRIMARY KEY, name TEXT, partitions INTEGER, retention INTEGER, groups TEXT, kept TEXT,
    created_at INTEGER) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS rules(subscription TEXT PRIMARY KEY, rules TEXT) WITHOUT ROWID;
"""
_SET_COUNTER = "INSERT INTO counter VALUES(?,?) ON CONFLICT(queue) DO UPDATE SET next = max(next, excluded.next)"
_IDS_BETWEEN_CLEANINGS = 5_000


@dataclass(frozen=True, slots=True)
class StoredEntity:
    """A queue, topic or subscription that was created or changed on request, not by Config.json."""

    path: str  # in lower case
    kind: str  # Queue, Topic or Subscription
    topic: str | None  # of a subscription
    name: str
    options: QueueOptions
    created_at: int


@dataclass(frozen=True, slots=True)
class StoredHub:
    """An event hub that was created or changed on request. `retention` in milliseconds."""

    name: str
    partitions: int
    retention: int
    groups: list[str]
    kept: dict[str, str]
    created_at: int


class Store:
    """The file at `path`; `:memory:` forgets everything at the end."""

    def __init__(self, path: str) -> None:
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(_SCHEMA)
        self._counters: dict[str, int] = {}  # the next sequence numbers, by queue, as far as they have changed
        self._writing = False
        self._ids_written = 0

    def _write(self, statement: str, values: tuple[object, ...]) -> None:
        if not self._writing:
            self._db.execute("BEGIN IMMEDIATE")
            self._writing = True
        self._db.execute(statement, values)

    def commit(self) -> None:
        """Makes everything written so far durable."""
        if not self._writing:
            return
        for queue, number in self._counters.items():
            self._db.execute(_SET_COUNTER, (queue, number))
        self._counters.clear()
        self._db.execute("COMMIT")
        self._writing = False

    def close(self) -> None:
        """Commits and closes the file."""
        self.commit()
        self._db.close()

    # ---- writing

    def put(self, queue: str, message: BrokeredMessage) -> None:
        """A new message in the queue of that name."""
        self._write(
            "INSERT OR REPLACE INTO message VALUES(?,?,?,?,?,?,?,?,?)",
            (
                queue,
                message.sequence_number,
                int(message.state),
                message.delivery_count,
                message.enqueued_at,
                message.scheduled_for,
                message.dead_letter_source,
                message.enqueued_sequence_number,
                message.stored(),
            ),
        )
        self._counters[queue] = max(self._counters.get(queue, 0), message.sequence_number + 1)

    def update(self, queue: str, message: BrokeredMessage) -> None:
        """A message's state or delivery count has changed."""
        self._write(
            "UPDATE message SET state=?, delivery_count=? WHERE queue=? AND sequence_number=?",
            (int(message.state), message.delivery_count, queue, message.sequence_number),
        )

    def delete(self, queue: str, sequence_number: int) -> None:
        """A message is no longer there."""
        self._write("DELETE FROM message WHERE queue=? AND sequence_number=?", (queue, sequence_number))

    def remember_id(self, queue: str, message_id: object, seen_at: int, oldest: int) -> None:
        """A message id, for duplicate detection; ids seen before `oldest` (milliseconds) may be forgotten."""
        self._write("INSERT OR REPLACE INTO seen VALUES(?,?,?)", (queue, str(message_id), seen_at))
        self._ids_written += 1
        if self._ids_written >= _IDS_BETWEEN_CLEANINGS:
            self._ids_written = 0
            self._write("DELETE FROM seen WHERE queue=? AND seen_at<?", (queue, oldest))

    def put_session(self, queue: str, session_id: str, state: bytes | None, set_at: int) -> None:
        """A session's state was set or, with None, cleared."""
        if state is None:
            self._write("DELETE FROM session WHERE queue=? AND id=?", (queue, session_id))
        else:
            self._write("INSERT OR REPLACE INTO session VALUES(?,?,?,?)", (queue, session_id, state, set_at))

    def put_rules(self, subscription: str, rules: Iterable[Rule]) -> None:
        """A subscription's rules were changed: from now on these hold, not those of Config.json."""
        written = [(rule.name, rule.to_config(), rule.created_at) for rule in rules]
        self._write("INSERT OR REPLACE INTO rules VALUES(?,?)", (subscription, json.dumps(written)))

    def put_entity(self, entity: StoredEntity) -> None:
        """An entity was created or its options were changed on request."""
        options = json.dumps(asdict(entity.options))
        values = (entity.path, entity.kind, entity.topic, entity.name, options, entity.created_at)
        self._write("INSERT OR REPLACE INTO entity VALUES(?,?,?,?,?,?)", values)

    def delete_entity(self, name: str, queues: Iterable[str]) -> None:
        """An entity was deleted, with all that was in `queues`: itself and its dead-letter queue."""
        self._write("DELETE FROM entity WHERE path=?", (name.lower(),))
        self._write("DELETE FROM rules WHERE subscription=?", (name,))
        for queue in queues:
            self._counters.pop(queue, None)
            for table in ("message", "counter", "seen", "session"):
                self._write(f"DELETE FROM {table} WHERE queue=?", (queue,))  # noqa: S608 -- the names of the tables above

    def put_hub(self, hub: StoredHub) -> None:
        """A hub was created or changed on request."""
        values = (hub.name, hub.partitions, hub.retention, json.dumps(hub.groups), json.dumps(hub.kept), hub.created_at)
        self._write("INSERT OR REPLACE INTO hub VALUES(?,?,?,?,?,?,?)", (hub.name.lower(), *values))

    def delete_hub(self, name: str) -> None:
        """A hub was deleted, with all its events."""
        self._write("DELETE FROM hub WHERE path=?", (name.lower(),))
        for table in ("event", "partition"):
            self._write(f"DELETE FROM {table} WHERE hub=?", (name,))  # noqa: S608 -- the names of the tables above

    def append(self, hub: str, partition: int, event: Event) -> None:
        """A new event in a partition of a hub."""
        self._write("INSERT INTO event VALUES(?,?,?,?,?,?)", (hub, partition, *_row(event)))

    def trim(self, hub: str, partition: int, first: int, newest: Event) -> None:
        """Removes events before sequence number `first`. Also notes the newest event, in case none is left."""
        values = (hub, partition, *_row(newest))
        self._write("INSERT OR REPLACE INTO partition VALUES(?,?,?,?,?,?)", values)
        self._write("DELETE FROM event WHERE hub=? AND part=? AND sequence_number<?", (hub, partition, first))

    # ---- reading back

    def entities(self) -> Iterator[StoredEntity]:
        """The entities that were created or changed on request, topics before subscriptions."""
        for path, kind, topic, name, options, created_at in self._db.execute(
            "SELECT * FROM entity ORDER BY kind='Subscription'"
        ):
            yield StoredEntity(path, kind, topic, name, QueueOptions(**json.loads(options)), created_at)

    def hubs(self) -> Iterator[StoredHub]:
        """The hubs that were created or changed on request."""
        for _, name, partitions, retention, groups, kept, created_at in self._db.execute("SELECT * FROM hub"):
            yield StoredHub(name, partitions, retention, json.loads(groups), json.loads(kept), created_at)

    def rules(self) -> Iterator[tuple[str, list[Rule]]]:
        """The rules of each subscription whose rules were changed on request, by its name."""
        for name, rules in self._db.execute("SELECT * FROM rules"):
            yield name, [Rule.from_config(*rule) for rule in json.loads(rules)]

    def session_states(self) -> Iterator[tuple[str, str, bytes, int]]:
        """Queue, session id, state, and when it was set."""
        yield from self._db.execute("SELECT * FROM session")

    def next_sequence_numbers(self) -> Iterator[tuple[str, int]]:
        """By queue."""
        yield from self._db.execute("SELECT queue, next FROM counter")

    def seen_ids(self) -> Iterator[tuple[str, str, int]]:
        """Queue, message id, and when it was seen; the oldest first."""
        yield from self._db.execute("SELECT * FROM seen ORDER BY seen_at")

    def messages(self) -> Iterator[tuple[str, BrokeredMessage]]:
        """Queue and message, in order."""
        for queue, *row in self._db.execute("SELECT * FROM message ORDER BY queue, sequence_number"):
            yield queue, _message(row)

    def newest_events(self) -> Iterator[tuple[str, int, Event]]:
        """Hub, partition, and the newest event at the time of the last `trim`; it may have been removed since."""
        for hub, partition, *row in self._db.execute("SELECT * FROM partition"):
            yield hub, partition, Event(*row)

    def events(self) -> Iterator[tuple[str, int, Event]]:
        """Hub, partition and event, in order."""
        for hub, partition, *row in self._db.execute("SELECT * FROM event ORDER BY hub, part, sequence_number"):
            yield hub, partition, Event(*row)


def _row(event: Event) -> tuple[int, int, int, bytes]:
    return event.sequence_number, event.offset, event.enqueued_at, event.encoded


def _message(row: list[Any]) -> BrokeredMessage:
    """A message from its row, without the queue's name."""
    number, state, delivery_count, enqueued_at, scheduled_for, source, enqueued_number, content = row
    message = BrokeredMessage.receive(content)
    message.sequence_number = number
    message.state = State(state)
    message.delivery_count = delivery_count
    message.enqueued_at = enqueued_at
    message.scheduled_for = scheduled_for
    message.dead_letter_source = source
    message.enqueued_sequence_number = enqueued_number
    return message
