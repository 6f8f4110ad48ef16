"""After a restart, gives the entities of a namespace their data from the store."""

from sandbox.azure.broker.entities.queue import Queue
from sandbox.azure.broker.entities.store import Store
from sandbox.azure.broker.namespace import Namespace


def recover(namespace: Namespace) -> None:
    """Adds the entities that were created on request, and gives every entity its messages, events, states and numbers.

    Data of entities that are no longer configured stays in the store unchanged.
    """
    store = namespace.engine.store
    _recover_entities(namespace, store)
    _recover_hubs(namespace, store)
    _recover_rules(namespace, store)
    _recover_queues({queue.name: queue for queue in namespace.all_queues()}, store)
    _recover_events(namespace, store)


def _recover_entities(namespace: Namespace, store: Store) -> None:
    for stored in store.entities():
        entity: Queue | None = namespace.queues.get(stored.path) or namespace.topics.get(stored.path)
        topic = namespace.topics.get((stored.topic or "").lower())
        if entity is not None:
            entity.change(stored.options)
        elif stored.kind == "Topic":
            entity = namespace.add_topic(stored.name, stored.options)
        elif stored.kind == "Queue":
            entity = namespace.add_queue(stored.name, stored.options)
        elif topic is not None:
            entity = namespace.add_subscription(topic, stored.name, stored.options, [])
        if entity is not None:
            entity.created_at = stored.created_at


def _recover_hubs(namespace: Namespace, store: Store) -> None:
    for stored in store.hubs():
        hub = namespace.hubs.get(stored.name.lower())
        if hub is None:
            hub = namespace.add_hub(stored.name, stored.partitions, [], stored.retention)
        hub.groups |= set(stored.groups)
        hub.change(stored.retention, stored.kept)
        hub.created_at = stored.created_at


def _recover_rules(namespace: Namespace, store: Store) -> None:
    subscriptions = {item.name: item for topic in namespace.topics.values() for item in topic.subscriptions.values()}
    for name, rules in store.rules():
        if (subscription := subscriptions.get(name)) is not None:
            subscription.replace_rules(rules)


def _recover_queues(queues: dict[str, Queue], store: Store) -> None:
    for name, session_id, state, set_at in store.session_states():
        if name in queues and (sessions := queues[name].sessions) is not None:
            sessions.restore_state(session_id, state, set_at)
    for name, number in store.next_sequence_numbers():
        if name in queues:
            queues[name].next_sequence_number = number
    for name, message_id, seen_at in store.seen_ids():
        if name in queues:
            queues[name].duplicates.restore(message_id, seen_at)
            queues[name].engine.clock.not_before(seen_at)
    for name, message in store.messages():
        if name in queues:
            queues[name].admit(message)


def _recover_events(namespace: Namespace, store: Store) -> None:
    partitions = {(hub.name, item.index): item for hub in namespace.hubs.values() for item in hub.partitions}
    for hub, index, event in store.newest_events():
        if (partition := partitions.get((hub, index))) is not None:
            partition.restore(event)
            partition.events.clear()
    for hub, index, event in store.events():
        if (partition := partitions.get((hub, index))) is not None:
            partition.restore(event)
