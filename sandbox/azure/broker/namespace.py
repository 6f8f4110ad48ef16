"""The namespace: every entity of both services, found by its address."""

from collections.abc import Iterator
from dataclasses import dataclass

from sandbox.azure.broker.entities.engine import Engine
from sandbox.azure.broker.entities.eventhub import DEFAULT_GROUP, EventHub, Partition
from sandbox.azure.broker.entities.options import QueueOptions
from sandbox.azure.broker.entities.queue import DEAD_LETTER_SUFFIX, Queue
from sandbox.azure.broker.entities.store import StoredEntity, StoredHub
from sandbox.azure.broker.entities.topic import Subscription, Topic
from sandbox.azure.broker.errors import already_exists, not_allowed, not_found
from sandbox.azure.broker.message import BrokeredMessage
from sandbox.azure.broker.rules.rule import Rule

_TRANSFER_SUFFIX = "/$Transfer" + DEAD_LETTER_SUFFIX


@dataclass(frozen=True, slots=True)
class HubAddress:
    """A hub, or one of its partitions; with a consumer group it can be read."""

    hub: EventHub
    partition: Partition | None = None
    group: str | None = None


class Namespace:
    """Owns the entities, which are driven by `engine`."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.created_at = engine.clock.now()
        self.queues: dict[str, Queue] = {}  # by lower-case name; subscriptions are among them
        self.topics: dict[str, Topic] = {}
        self.hubs: dict[str, EventHub] = {}

    # ---- building

    def add_queue(self, name: str, options: QueueOptions) -> Queue:
        """Adds a queue. Both services share their names: one that is taken raises, here and below."""
        self._check_free(name)
        queue = self.queues[name.lower()] = Queue(self.engine, name, options, self.send)
        return queue

    def add_topic(self, name: str, options: QueueOptions) -> Topic:
        """Adds a topic without subscriptions."""
        self._check_free(name)
        topic = self.topics[name.lower()] = Topic(self.engine, name, options, self.send)
        return topic

    def add_subscription(self, topic: Topic, name: str, options: QueueOptions, rules: list[Rule]) -> Subscription:
        """Adds a subscription to a topic; without rules everything passes."""
        subscription = Subscription(self.engine, topic.name, name, options, self.send)
        self._check_free(subscription.name)
        subscription.replace_rules(rules or [Rule.default(self.engine.clock.now())])
        self.queues[subscription.name.lower()] = topic.subscriptions[name.lower()] = subscription
        return subscription

    def add_hub(self, name: str, partitions: int, groups: list[str], retention: int | None = None) -> EventHub:
        """Adds an event hub; `retention` in milliseconds, the emulators' hour when it is None."""
        self._check_free(name)
        hub = self.hubs[name.lower()] = EventHub(self.engine, name, partitions, groups, retention)
        return hub

    def create_hub(self, name: str, partitions: int, retention: int, kept: dict[str, str]) -> EventHub:
        """Adds an event hub on request, and stores it."""
        hub = self.add_hub(name, partitions, [], retention)
        hub.kept = kept
        self._remember_hub(hub)
        return hub

    def change_hub(self, hub: EventHub, retention: int | None, kept: dict[str, str]) -> None:
        """Gives a hub other settings, and stores them."""
        hub.change(retention, kept)
        self._remember_hub(hub)

    def create_group(self, hub: EventHub, name: str) -> None:
        """Adds a consumer group; raises when there is one of that name."""
        if name.lower() in hub.groups:
            raise already_exists(f"{hub.name}/ConsumerGroups/{name}")
        hub.groups.add(name.lower())
        self._remember_hub(hub)

    def delete_group(self, hub: EventHub, name: str) -> None:
        """Deletes a consumer group, whose readers are detached; `$Default` stays."""
        path = f"{hub.name}/ConsumerGroups/{name}"
        if name.lower() == DEFAULT_GROUP:
            raise not_allowed("The consumer group $Default cannot be deleted.")
        if name.lower() not in hub.groups:
            raise not_found(path)
        hub.groups.discard(name.lower())
        hub.close(not_found(path), name.lower())
        self._remember_hub(hub)

    def delete_hub(self, hub: EventHub) -> None:
        """Deletes a hub with its events; its readers are detached."""
        del self.hubs[hub.name.lower()]
        hub.close(not_found(hub.name))
        self.engine.store.delete_hub(hub.name)

    def _remember_hub(self, hub: EventHub) -> None:
        groups = sorted(hub.groups - {DEFAULT_GROUP})
        stored = StoredHub(hub.name, len(hub.partitions), hub.retention, groups, hub.kept, hub.created_at)
        self.engine.store.put_hub(stored)

    def _check_free(self, name: str) -> None:
        key = name.lower()
        if key in self.queues or key in self.topics or key in self.hubs:
            raise already_exists(name)

    def create(self, name: str, options: QueueOptions, *, is_topic: bool) -> Queue:
        """Adds a queue or topic on request, and stores it."""
        self._check_targets(options)
        entity = self.add_topic(name, options) if is_topic else self.add_queue(name, options)
        self._remember(entity)
        return entity

    def create_subscription(self, topic: Topic, name: str, options: QueueOptions, rules: list[Rule]) -> Subscription:
        """Adds a subscription on request, and stores it and its rules."""
        self._check_targets(options)
        subscription = self.add_subscription(topic, name, options, rules)
        self._remember(subscription)
        self.engine.store.put_rules(subscription.name, subscription.rules.values())
        return subscription

    def change_options(self, entity: Queue, options: QueueOptions) -> None:
        """Gives an entity other options, and stores them."""
        self._check_targets(options)
        entity.change(options)
        self._remember(entity)

    def _remember(self, entity: Queue) -> None:
        topic, name = None, entity.name
        if isinstance(entity, Subscription):
            topic, name = entity.topic, entity.subscription_name
        kind = type(entity).__name__
        self.engine.store.put_entity(
            StoredEntity(entity.name.lower(), kind, topic, name, entity.options, entity.created_at)
        )

    def delete(self, path: str) -> None:
        """Deletes a queue, a subscription, or a topic with its subscriptions; raises when it is not there."""
        key = path.lower()
        topic, queue = self.topics.pop(key, None), self.queues.pop(key, None)
        if queue is None and topic is None:
            raise not_found(path)
        for subscription in list(topic.subscriptions.values()) if topic is not None else ():
            self.delete(subscription.name)
        if isinstance(queue, Subscription) and (owner := self.topics.get(queue.topic.lower())):
            del owner.subscriptions[queue.subscription_name.lower()]
        for entity in (topic, queue):
            if entity is not None:
                entity.delete()
                queues = [queue.name for queue in (entity, entity.dead_letters) if queue is not None]
                self.engine.store.delete_entity(entity.name, queues)

    # ---- finding

    def all_queues(self) -> Iterator[Queue]:
        """Queues, subscriptions, topics, and the dead-letter queue of each."""
        for queue in (*self.queues.values(), *self.topics.values()):
            yield queue
            if queue.dead_letters is not None:
                yield queue.dead_letters

    def resolve(self, path: str) -> Queue | HubAddress:
        """The entity at a path (no scheme, no host; case does not matter)."""
        key = path.strip("/").lower()
        entity = self.queues.get(key) or self.topics.get(key)
        if entity is not None:
            return entity
        if key in self.hubs:
            return HubAddress(self.hubs[key])
        for suffix in (_TRANSFER_SUFFIX.lower(), DEAD_LETTER_SUFFIX.lower()):
            if key.endswith(suffix) and (queue := self.queues.get(key.removesuffix(suffix))) is not None:
                dead = queue.transfer_dead_letters if suffix == _TRANSFER_SUFFIX.lower() else queue.dead_letters
                if dead is not None:
                    return dead
        return self._resolve_partition(path, key)

    def _resolve_partition(self, path: str, key: str) -> HubAddress:
        match key.split("/"):
            case [hub, "partitions", partition] if hub in self.hubs:
                return HubAddress(self.hubs[hub], self.hubs[hub].partition(partition))
            case [hub, "consumergroups", group, "partitions", partition] if hub in self.hubs:
                if group not in self.hubs[hub].groups:
                    raise not_found(path)
                return HubAddress(self.hubs[hub], self.hubs[hub].partition(partition), group)
        raise not_found(path)

    def knows(self, path: str) -> bool:
        """Whether a token audience names something here: an entity, anything below one, or the whole namespace."""
        parts = path.strip("/").lower().split("/")
        names = ("/".join(parts[:length]) for length in range(1, len(parts) + 1))
        return parts == [""] or any(name in self.queues or name in self.topics or name in self.hubs for name in names)

    def target(self, name: str) -> Queue:
        """The queue or topic that messages are forwarded to."""
        target = self.topics.get(name.lower()) or self.queues.get(name.lower())
        if target is None:
            raise not_found(name)
        return target

    def send(self, name: str, message: BrokeredMessage) -> int:
        """Forwards a message to a queue or topic."""
        target = self.target(name)
        target.check(message)
        return target.send(message)

    def check_forwarding(self) -> None:
        """Raises when an entity forwards to something that is not there."""
        for queue in self.all_queues():
            self._check_targets(queue.options)

    def _check_targets(self, options: QueueOptions) -> None:
        for name in (options.forward_to, options.forward_dead_letters_to):
            if name:
                self.target(name)

    def expire(self) -> None:
        """Does everything that is due by now."""
        partitions = [partition for hub in self.hubs.values() for partition in hub.partitions]
        self.engine.expire([*self.all_queues(), *partitions])


def path_of(address: str) -> str:
    """The path of an address such as `amqps://localhost:5672/queue.1/$management`; JavaScript sends the path alone."""
    _, scheme, rest = address.partition("://")
    if scheme:
        _, _, address = rest.partition("/")
    return address.strip("/")
