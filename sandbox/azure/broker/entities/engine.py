"""Drives the entities of a namespace: clock, store, counters, and which entity has work to do, and when."""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Protocol

from sandbox.azure.broker.entities.clock import BrokerClock
from sandbox.azure.broker.entities.store import Store


class Entity(Protocol):
    """A queue, a topic or a partition, as the engine sees it."""

    def pump(self) -> None:
        """Delivers what can be delivered."""

    def expire(self, now: int) -> None:
        """Does what is due at `now` (milliseconds)."""

    def next_deadline(self) -> int | None:
        """When `expire` has something to do next, in milliseconds."""


class Engine:
    """What all entities share, and their pending work.

    `on_change` is called when deliveries may have become possible, `on_deadline` with the time of the next deadline
    (milliseconds) when it has come nearer.
    """

    def __init__(self, store: Store, clock: BrokerClock) -> None:
        self.store = store
        self.clock = clock
        self.counters: Counter[str] = Counter()
        self.on_change: Callable[[], None] = lambda: None
        self.on_deadline: Callable[[int], None] = lambda _: None
        self._changed: set[Entity] = set()
        self._next_deadline: int | None = None

    def count(self, name: str) -> None:
        """Counts what has happened, for tests."""
        self.counters[name] += 1

    def changed(self, entity: Entity) -> None:
        """Deliveries from this entity may have become possible."""
        self._changed.add(entity)
        self.on_change()

    def pump(self) -> None:
        """Delivers what can be delivered from the entities that have changed."""
        changed, self._changed = self._changed, set()
        for entity in changed:
            entity.pump()

    def wake_at(self, when: int) -> None:
        """Something becomes due at `when` (milliseconds)."""
        if self._next_deadline is None or when < self._next_deadline:
            self._next_deadline = when
            self.on_deadline(when)

    def expire(self, entities: Iterable[Entity]) -> None:
        """Does everything in all `entities` that is due by now, and sees to the next deadline."""
        now = self.clock.now()
        self._next_deadline = None
        entities = list(entities)
        for entity in entities:
            entity.expire(now)
        times = [when for entity in entities if (when := entity.next_deadline()) is not None]
        if times:
            self.wake_at(min(times))
