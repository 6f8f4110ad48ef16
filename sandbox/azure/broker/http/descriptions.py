"""How the administration API describes entities: QueueDescription, TopicDescription, SubscriptionDescription."""

from sandbox.azure.broker.entities.browsing import counts
from sandbox.azure.broker.entities.options import QueueOptions
from sandbox.azure.broker.entities.queue import Queue
from sandbox.azure.broker.entities.topic import Subscription, Topic
from sandbox.azure.broker.http.atom import COUNTS, INSTANCE, SERVICE_BUS, Markup, element, period, timestamp
from sandbox.azure.broker.http.settings import (
    DUPLICATE_WINDOW_MS,
    MESSAGE_LIMIT_KB,
    QUEUE,
    SIZE_LIMIT_MB,
    SUBSCRIPTION,
    TOPIC,
)
from sandbox.azure.broker.rules.filters import SqlFilter


def describe(entity: Queue, host: str) -> str:
    """The description of a queue, topic or subscription, with its counts."""
    if isinstance(entity, Topic):
        return _description(TOPIC, _topic(entity))
    if isinstance(entity, Subscription):
        return _description(SUBSCRIPTION, _subscription(entity, host))
    return _description(QUEUE, _queue(entity, host))


def _description(name: str, parts: list[str]) -> str:
    return element(name, Markup.of(parts), xmlns=SERVICE_BUS, xmlns__i=INSTANCE)


def _queue(queue: Queue, host: str) -> list[str]:
    options = queue.options
    return [
        element("LockDuration", period(options.lock_duration)),
        _kept(options, "MaxSizeInMegabytes", SIZE_LIMIT_MB),
        element("RequiresDuplicateDetection", options.duplicate_window > 0),
        element("RequiresSession", options.requires_session),
        element("DefaultMessageTimeToLive", period(options.time_to_live)),
        element("DeadLetteringOnMessageExpiration", options.dead_letter_expired),
        _window(options),
        element("MaxDeliveryCount", options.max_delivery_count),
        _kept(options, "EnableBatchedOperations", True),
        element("SizeInBytes", _size(queue)),
        element("MessageCount", _message_count(queue)),
        element("IsAnonymousAccessible", False),
        _kept(options, "AuthorizationRules", None),
        element("Status", options.status),
        element("ForwardTo", _url(options.forward_to, host)),
        _kept(options, "UserMetadata", None),
        *_times(queue),
        _kept(options, "SupportOrdering", True),
        _count_details(queue),
        _kept(options, "AutoDeleteOnIdle", period(None)),
        _kept(options, "EnablePartitioning", False),
        element("EntityAvailabilityStatus", "Available"),
        _kept(options, "EnableExpress", False),
        element("ForwardDeadLetteredMessagesTo", _url(options.forward_dead_letters_to, host)),
        element("MaxMessageSizeInKilobytes", MESSAGE_LIMIT_KB),
    ]


def _topic(topic: Topic) -> list[str]:
    options = topic.options
    return [
        element("DefaultMessageTimeToLive", period(options.time_to_live)),
        _kept(options, "MaxSizeInMegabytes", SIZE_LIMIT_MB),
        element("RequiresDuplicateDetection", options.duplicate_window > 0),
        _window(options),
        _kept(options, "EnableBatchedOperations", True),
        element("SizeInBytes", _size(topic)),
        _kept(options, "FilteringMessagesBeforePublishing", False),
        element("IsAnonymousAccessible", False),
        _kept(options, "AuthorizationRules", None),
        element("Status", options.status),
        _kept(options, "UserMetadata", None),
        *_times(topic),
        _kept(options, "SupportOrdering", True),
        _count_details(topic),
        element("SubscriptionCount", len(topic.subscriptions)),
        *_filter_counts(topic),
        _kept(options, "AutoDeleteOnIdle", period(None)),
        _kept(options, "EnablePartitioning", False),
        element("EntityAvailabilityStatus", "Available"),
        element("EnableSubscriptionPartitioning", False),
        _kept(options, "EnableExpress", False),
        element("MaxMessageSizeInKilobytes", MESSAGE_LIMIT_KB),
    ]


def _subscription(subscription: Subscription, host: str) -> list[str]:
    options = subscription.options
    return [
        element("LockDuration", period(options.lock_duration)),
        element("RequiresSession", options.requires_session),
        element("DefaultMessageTimeToLive", period(options.time_to_live)),
        element("DeadLetteringOnMessageExpiration", options.dead_letter_expired),
        _kept(options, "DeadLetteringOnFilterEvaluationExceptions", False),
        element("MessageCount", _message_count(subscription)),
        element("MaxDeliveryCount", options.max_delivery_count),
        _kept(options, "EnableBatchedOperations", True),
        _kept(options, "AuthorizationRules", None),
        element("Status", options.status),
        element("ForwardTo", _url(options.forward_to, host)),
        _kept(options, "UserMetadata", None),
        *_times(subscription),
        _count_details(subscription),
        element("ForwardDeadLetteredMessagesTo", _url(options.forward_dead_letters_to, host)),
        _kept(options, "AutoDeleteOnIdle", period(None)),
        element("EntityAvailabilityStatus", "Available"),
    ]


def _kept(options: QueueOptions, name: str, default: object) -> str:
    """A setting that is returned as it was given."""
    given = options.kept.get(name)
    if given is None:
        return element(name, default)
    return element(name, Markup(given) if name == "AuthorizationRules" else given)


def _window(options: QueueOptions) -> str:
    name = "DuplicateDetectionHistoryTimeWindow"
    if options.duplicate_window:
        return element(name, period(options.duplicate_window))
    return _kept(options, name, period(DUPLICATE_WINDOW_MS))


def _times(queue: Queue) -> list[str]:
    created = timestamp(queue.created_at)
    return [
        element("CreatedAt", created),
        element("UpdatedAt", created),
        element("AccessedAt", timestamp(queue.accessed_at)),
    ]


def _count_details(queue: Queue) -> str:
    """As Azure counts: what is locked or deferred is active."""
    found = counts(queue)
    values = {
        "ActiveMessageCount": found["active"] + found["locked"] + found["deferred"],
        "DeadLetterMessageCount": found["deadLetter"],
        "ScheduledMessageCount": found["scheduled"],
        "TransferMessageCount": 0,
        "TransferDeadLetterMessageCount": 0,
    }
    details = Markup.of(element(f"c:{name}", value) for name, value in values.items())
    return element("CountDetails", details, xmlns__c=COUNTS)


def _filter_counts(topic: Topic) -> list[str]:
    """As API version 2024-05 has them; `$Default` counts as an SQL filter."""
    filters = [rule.filter for each in topic.subscriptions.values() for rule in each.rules.values()]
    sql = sum(isinstance(each, SqlFilter) for each in filters)
    return [element("SqlFilterCount", sql), element("CorrelationFilterCount", len(filters) - sql)]


def _message_count(queue: Queue) -> int:
    return sum(counts(queue).values())


def _size(queue: Queue) -> int:
    """Bytes of the messages' bodies."""
    return sum(len(message.content.tail) for message in queue.messages.values())


def _url(name: str | None, host: str) -> str | None:
    return None if name is None else f"sb://{host}/{name}"
