"""Topics: copies of each message for the subscriptions whose rules want it."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from sandbox.broker.message import BrokeredMessage
from sandbox.broker.options import QueueOptions
from sandbox.broker.queue import Queue

if TYPE_CHECKING:
    from sandbox.broker.namespace import Namespace


class Filter(Protocol):
    """Decides about a message."""

    def matches(self, message: BrokeredMessage) -> bool:
        """Whether the message passes."""


@dataclass(slots=True)
class Subscription:
    """A queue behind a topic. A message passes when any rule matches, or when there is no rule."""

    queue: Queue
    rules: list[Filter] = field(default_factory=list)

    def wants(self, message: BrokeredMessage) -> bool:
        """Whether a copy goes into this subscription."""
        return not self.rules or any(rule.matches(message) for rule in self.rules)


class Topic(Queue):
    """A queue that nobody receives from: a message that becomes active in it is copied to its subscriptions.

    So scheduling, cancelling and duplicate detection are those of a queue.
    """

    def __init__(self, namespace: "Namespace", name: str, options: QueueOptions) -> None:
        super().__init__(namespace, name, options)
        self.subscriptions: dict[str, Subscription] = {}

    def check(self, message: BrokeredMessage) -> None:
        for subscription in self.subscriptions.values():
            if subscription.wants(message):
                subscription.queue.check(message)

    def activate(self, message: BrokeredMessage) -> None:
        for subscription in self.subscriptions.values():
            if subscription.wants(message):
                copy = message.copy()
                copy.enqueued_sequence_number = message.sequence_number
                copy.scheduled_for = None
                limits = [limit for limit in (copy.content.ttl, self.options.time_to_live) if limit is not None]
                copy.content.ttl = min(limits, default=None)
                subscription.queue.send(copy)
        self.remove(message)
