"""Topics: each message is copied to the subscriptions whose rules match it."""

from sandbox.azure.broker.entities.engine import Engine
from sandbox.azure.broker.entities.options import QueueOptions
from sandbox.azure.broker.entities.queue import Forward, Queue
from sandbox.azure.broker.errors import already_exists, not_found, rule_not_found
from sandbox.azure.broker.message import BrokeredMessage
from sandbox.azure.broker.rules.rule import Rule


class Subscription(Queue):
    """A queue behind a topic: it gets the messages that its rules match. Without a rule it gets none."""

    def __init__(self, engine: Engine, topic: str, name: str, options: QueueOptions, forward: Forward) -> None:
        super().__init__(engine, f"{topic}/Subscriptions/{name}", options, forward)
        self.topic = topic
        self.subscription_name = name
        self.rules: dict[str, Rule] = {}  # by lower-case name

    def _check_status(self) -> None:
        """Nothing to check: a message that the topic has accepted also reaches a subscription that is disabled."""

    def replace_rules(self, rules: list[Rule]) -> None:
        """Puts rules in place as they were configured or stored."""
        self.rules = {rule.name.lower(): rule for rule in rules}

    def add_rule(self, rule: Rule) -> None:
        """Adds a rule; raises when there is one of that name."""
        if rule.name.lower() in self.rules:
            raise already_exists(f"{self.name}/Rules/{rule.name}")
        self.rules[rule.name.lower()] = rule
        self._remember_rules()

    def remove_rule(self, name: str) -> None:
        """Removes a rule."""
        if self.rules.pop(name.lower(), None) is None:
            raise rule_not_found(name)
        self._remember_rules()

    def _remember_rules(self) -> None:
        self.engine.store.put_rules(self.name, self.rules.values())

    def copies(self, message: BrokeredMessage) -> list[BrokeredMessage]:
        """What this subscription gets of a message: one copy for all rules without action, one for each with action.

        https://learn.microsoft.com/azure/service-bus-messaging/topic-filters
        """
        matching = [rule for rule in self.rules.values() if rule.filter.matches(message)]
        changed = [rule.apply(message) for rule in matching if rule.action is not None]
        return changed if len(changed) == len(matching) else [message.copy(), *changed]


class Topic(Queue):
    """A queue that nobody receives from: a message that becomes active in it is copied to its subscriptions.

    Therefore scheduling, cancelling and duplicate detection are those of a queue.
    """

    def __init__(self, engine: Engine, name: str, options: QueueOptions, forward: Forward) -> None:
        super().__init__(engine, name, options, forward)
        self.subscriptions: dict[str, Subscription] = {}

    def check(self, message: BrokeredMessage) -> None:
        if self.is_deleted:
            raise not_found(self.name)
        self._check_status()
        message.check_ids()
        for subscription in self.subscriptions.values():
            if subscription.options.requires_session:
                for copy in subscription.copies(message):
                    subscription.check(copy)

    def activate(self, message: BrokeredMessage) -> None:
        for subscription in self.subscriptions.values():
            for copy in subscription.copies(message):
                copy.enqueued_sequence_number = message.sequence_number
                copy.scheduled_for = None
                limits = [limit for limit in (copy.content.ttl, self.options.time_to_live) if limit is not None]
                copy.content.ttl = min(limits, default=None)
                subscription.send(copy)
        self.remove(message)
