"""What the broker remembers across a crash: one sqlite file, written through, committed in groups.

Every change of one turn of the event loop goes into one transaction; whoever calls `commit` tells clients only
afterwards. Locks are not stored: after a crash a locked message is available again, its delivery count unchanged.
The file is in WAL mode with synchronous=NORMAL: a kill loses nothing that was committed, a power cut may lose the end.
"""

import json
import sqlite3
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from sandbox.azure.broker.eventhub import Event, Partition
from sandbox.azure.broker.message import BrokeredMessage, State
from sandbox.azure.broker.options import QueueOptions
from sandbox.azure.broker.rules import Rule

if TYPE_CHECKING:
    from sandbox.azure.broker.namespace import Namespace
    from sandbox.azure.broker.queue import Queue
    from sandbox.azure.broker.sessions import Session
    from sandbox.azure.broker.topic import Subscription

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
CREATE TABLE IF NOT EXISTS rules(subscription TEXT PRIMARY KEY, rules TEXT) WITHOUT ROWID;
"""
_IDS_BETWEEN_CLEANINGS = 5_000


class Store:
    """The file at `path`; `:memory:` forgets everything at the end."""

    def __init__(self, path: str) -> None:
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(_SCHEMA)
        self._counters: dict[str, int] = {}
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
            self._db.execute("INSERT OR REPLACE INTO counter VALUES(?,?)", (queue, number))
        self._counters.clear()
        self._db.execute("COMMIT")
        self._writing = False

    def close(self) -> None:
        """Commits and closes the file."""
        self.commit()
        self._db.close()

    # ---- writing

    def put(self, queue: "Queue", message: BrokeredMessage) -> None:
        """A new message."""
        self._write(
            "INSERT OR REPLACE INTO message VALUES(?,?,?,?,?,?,?,?,?)",
            (
                queue.name,
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
        self._counters[queue.name] = max(queue.next_sequence_number, message.sequence_number + 1)

    def update(self, queue: "Queue", message: BrokeredMessage) -> None:
        """A message's state or delivery count has changed."""
        self._write(
            "UPDATE message SET state=?, delivery_count=? WHERE queue=? AND sequence_number=?",
            (int(message.state), message.delivery_count, queue.name, message.sequence_number),
        )

    def delete(self, queue: "Queue", message: BrokeredMessage) -> None:
        """A message is gone."""
        self._write("DELETE FROM message WHERE queue=? AND sequence_number=?", (queue.name, message.sequence_number))

    def remember_id(self, queue: "Queue", message_id: object, seen_at: int) -> None:
        """A message id, for duplicate detection."""
        self._write("INSERT OR REPLACE INTO seen VALUES(?,?,?)", (queue.name, str(message_id), seen_at))
        self._ids_written += 1
        if self._ids_written >= _IDS_BETWEEN_CLEANINGS:
            self._ids_written = 0
            oldest = seen_at - queue.duplicates.window_ms
            self._write("DELETE FROM seen WHERE queue=? AND seen_at<?", (queue.name, oldest))

    def put_session(self, queue: "Queue", session: "Session") -> None:
        """A session's state was set or cleared."""
        if session.state is None:
            self._write("DELETE FROM session WHERE queue=? AND id=?", (queue.name, session.id))
        else:
            values = (queue.name, session.id, session.state, session.state_set_at)
            self._write("INSERT OR REPLACE INTO session VALUES(?,?,?,?)", values)

    def put_rules(self, subscription: "Subscription") -> None:
        """A subscription's rules were changed: from now on these hold, not those of Config.json."""
        rules = [(rule.name, rule.to_config(), rule.created_at) for rule in subscription.rules.values()]
        self._write("INSERT OR REPLACE INTO rules VALUES(?,?)", (subscription.name, json.dumps(rules)))

    def put_entity(self, entity: "Queue") -> None:
        """An entity was created or its options were changed on request."""
        values = (
            entity.name.lower(),
            type(entity).__name__,
            getattr(entity, "topic", None),
            getattr(entity, "subscription_name", entity.name),
            json.dumps(asdict(entity.options)),
            entity.created_at,
        )
        self._write("INSERT OR REPLACE INTO entity VALUES(?,?,?,?,?,?)", values)

    def delete_entity(self, entity: "Queue") -> None:
        """An entity is gone, with all that was in it."""
        self._write("DELETE FROM entity WHERE path=?", (entity.name.lower(),))
        self._write("DELETE FROM rules WHERE subscription=?", (entity.name,))
        for queue in (entity, entity.dead_letters):
            if queue is not None:
                self._counters.pop(queue.name, None)
                for table in ("message", "counter", "seen", "session"):
                    self._write(f"DELETE FROM {table} WHERE queue=?", (queue.name,))  # noqa: S608 -- names from here

    def append(self, partition: Partition, event: Event) -> None:
        """A new event."""
        self._write(
            "INSERT INTO event VALUES(?,?,?,?,?,?)",
            (
                partition.hub,
                partition.index,
                event.sequence_number,
                event.offset,
                event.enqueued_at,
                event.encoded,
            ),
        )

    def trim(self, partition: Partition) -> None:
        """A partition's oldest events are gone; its newest is kept apart, for when it is empty."""
        last = partition.last
        if last is None:
            return
        values = (partition.hub, partition.index, last.sequence_number, last.offset, last.enqueued_at, last.encoded)
        self._write("INSERT OR REPLACE INTO partition VALUES(?,?,?,?,?,?)", values)
        self._write(
            "DELETE FROM event WHERE hub=? AND part=? AND sequence_number<?",
            (partition.hub, partition.index, partition.first_sequence_number),
        )

    # ---- reading back

    def load(self, namespace: "Namespace") -> None:
        """Adds the entities that were created on request, and gives every entity what the file has of it.

        What the file has of entities that are no longer configured is left alone.
        """
        self._load_entities(namespace)
        queues = {queue.name: queue for queue in namespace.all_queues()}
        self._load_rules(namespace)
        self._load_sessions(queues)
        for name, number in self._db.execute("SELECT queue, next FROM counter"):
            if name in queues:
                queues[name].next_sequence_number = number
        for name, message_id, seen_at in self._db.execute("SELECT * FROM seen ORDER BY seen_at"):
            if name in queues:
                queues[name].duplicates.restore(message_id, seen_at)
        for name, *row in self._db.execute("SELECT * FROM message ORDER BY queue, sequence_number"):
            if name in queues:
                queues[name].admit(_message(row))
        self._load_events({(hub.name, item.index): item for hub in namespace.hubs.values() for item in hub.partitions})

    def _load_entities(self, namespace: "Namespace") -> None:
        rows = self._db.execute("SELECT * FROM entity ORDER BY kind='Subscription'").fetchall()  # topics come first
        for path, kind, topic, name, settings, created_at in rows:
            options = QueueOptions(**json.loads(settings))
            entity = namespace.queues.get(path) or namespace.topics.get(path)
            if entity is not None:
                entity.options = options
            elif kind == "Topic":
                entity = namespace.add_topic(name, options)
            elif kind == "Queue":
                entity = namespace.add_queue(name, options)
            elif topic.lower() in namespace.topics:
                entity = namespace.add_subscription(namespace.topics[topic.lower()], name, options, [])
            if entity is not None:
                entity.created_at = created_at

    def _load_rules(self, namespace: "Namespace") -> None:
        subscriptions = {
            item.name: item for topic in namespace.topics.values() for item in topic.subscriptions.values()
        }
        for name, rules in self._db.execute("SELECT * FROM rules"):
            if (subscription := subscriptions.get(name)) is not None:
                subscription.replace_rules([Rule.from_config(*rule) for rule in json.loads(rules)])

    def _load_sessions(self, queues: "dict[str, Queue]") -> None:
        for name, session_id, state, set_at in self._db.execute("SELECT * FROM session"):
            if name in queues and (sessions := queues[name].sessions) is not None:
                sessions.restore_state(session_id, state, set_at)

    def _load_events(self, partitions: dict[tuple[str, int], Partition]) -> None:
        for hub, part, *event in self._db.execute("SELECT * FROM partition"):
            if (hub, part) in partitions:
                partitions[hub, part].restore(Event(*event))
                partitions[hub, part].events.clear()
        for hub, part, *event in self._db.execute("SELECT * FROM event ORDER BY hub, part, sequence_number"):
            if (hub, part) in partitions:
                partitions[hub, part].restore(Event(*event))


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
