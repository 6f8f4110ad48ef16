"""How the administration API describes entities: QueueDescription, TopicDescription, SubscriptionDescription."""

from collections.abc import Mapping

from sandbox.azure.broker.config import duration
from sandbox.azure.broker.entities.browsing import counts
from sandbox.azure.broker.entities.options import QueueOptions
from sandbox.azure.broker.entities.queue import Queue
from sandbox.azure.broker.entities.topic import Subscription, Topic
from sandbox.azure.broker.http.atom import COUNTS, INSTANCE, SERVICE_BUS, Markup, element, period, timestamp
from sandbox.azure.broker.namespace import path_of

_SIZE_LIMIT_MB = 1024
_MESSAGE_LIMIT_KB = 256
_DELIVERIES = 10  # Azure's default; Config.json's is 3
_DUPLICATE_WINDOW_MS = 600_000


def describe(entity: Queue, host: str) -> str:
    """The description of a queue, topic or subscription, with its counts."""
    if isinstance(entity, Topic):
        return _description("TopicDescription", _topic(entity))
    if isinstance(entity, Subscription):
        return _description("SubscriptionDescription", _subscription(entity, host))
    return _description("QueueDescription", _queue(entity, host))


def _description(name: str, parts: list[str]) -> str:
    return element(name, Markup.of(parts), xmlns=SERVICE_BUS, xmlns__i=INSTANCE)


def _queue(queue: Queue, host: str) -> list[str]:
    options = queue.options
    return [
        element("LockDuration", period(options.lock_duration)),
        element("MaxSizeInMegabytes", _SIZE_LIMIT_MB),
        element("RequiresDuplicateDetection", options.duplicate_window > 0),
        element("RequiresSession", options.requires_session),
        element("DefaultMessageTimeToLive", period(options.time_to_live)),
        element("DeadLetteringOnMessageExpiration", options.dead_letter_expired),
        element("DuplicateDetectionHistoryTimeWindow", period(options.duplicate_window or _DUPLICATE_WINDOW_MS)),
        element("MaxDeliveryCount", options.max_delivery_count),
        element("EnableBatchedOperations", True),
        element("SizeInBytes", _size(queue)),
        element("MessageCount", _message_count(queue)),
        element("IsAnonymousAccessible", False),
        element("Status", "Active"),
        element("ForwardTo", _url(options.forward_to, host)),
        *_times(queue),
        element("SupportOrdering", True),
        _count_details(queue),
        element("AutoDeleteOnIdle", period(None)),
        element("EnablePartitioning", False),
        element("EntityAvailabilityStatus", "Available"),
        element("EnableExpress", False),
        element("ForwardDeadLetteredMessagesTo", _url(options.forward_dead_letters_to, host)),
        element("MaxMessageSizeInKilobytes", _MESSAGE_LIMIT_KB),
    ]


def _topic(topic: Topic) -> list[str]:
    options = topic.options
    return [
        element("DefaultMessageTimeToLive", period(options.time_to_live)),
        element("MaxSizeInMegabytes", _SIZE_LIMIT_MB),
        element("RequiresDuplicateDetection", options.duplicate_window > 0),
        element("DuplicateDetectionHistoryTimeWindow", period(options.duplicate_window or _DUPLICATE_WINDOW_MS)),
        element("EnableBatchedOperations", True),
        element("SizeInBytes", _size(topic)),
        element("FilteringMessagesBeforePublishing", False),
        element("IsAnonymousAccessible", False),
        element("Status", "Active"),
        *_times(topic),
        element("SupportOrdering", True),
        _count_details(topic),
        element("SubscriptionCount", len(topic.subscriptions)),
        element("AutoDeleteOnIdle", period(None)),
        element("EnablePartitioning", False),
        element("EntityAvailabilityStatus", "Available"),
        element("EnableSubscriptionPartitioning", False),
        element("EnableExpress", False),
        element("MaxMessageSizeInKilobytes", _MESSAGE_LIMIT_KB),
    ]


def _subscription(subscription: Subscription, host: str) -> list[str]:
    options = subscription.options
    return [
        element("LockDuration", period(options.lock_duration)),
        element("RequiresSession", options.requires_session),
        element("DefaultMessageTimeToLive", period(options.time_to_live)),
        element("DeadLetteringOnMessageExpiration", options.dead_letter_expired),
        element("DeadLetteringOnFilterEvaluationExceptions", False),
        element("MessageCount", _message_count(subscription)),
        element("MaxDeliveryCount", options.max_delivery_count),
        element("EnableBatchedOperations", True),
        element("Status", "Active"),
        element("ForwardTo", _url(options.forward_to, host)),
        *_times(subscription),
        _count_details(subscription),
        element("ForwardDeadLetteredMessagesTo", _url(options.forward_dead_letters_to, host)),
        element("AutoDeleteOnIdle", period(None)),
        element("EntityAvailabilityStatus", "Available"),
    ]


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


def _message_count(queue: Queue) -> int:
    return sum(counts(queue).values())


def _size(queue: Queue) -> int:
    """Bytes of the messages' bodies."""
    return sum(len(message.content.tail) for message in queue.messages.values())


def _url(name: str | None, host: str) -> str | None:
    return None if name is None else f"sb://{host}/{name}"


def options_from(given: Mapping[str, str]) -> QueueOptions:
    """The options in a posted description; where it says nothing, Azure's defaults. Raises ValueError."""

    def milliseconds(name: str, default: int | None) -> int | None:
        text = given.get(name)
        return default if text is None else (None if text.startswith("P10675199D") else duration(text))

    def flag(name: str) -> bool:
        return given.get(name, "false").lower() == "true"

    def target(name: str) -> str | None:
        return path_of(given[name]) if name in given else None

    window = milliseconds("DuplicateDetectionHistoryTimeWindow", _DUPLICATE_WINDOW_MS) or 0
    return QueueOptions(
        lock_duration=milliseconds("LockDuration", 60_000) or 60_000,
        max_delivery_count=int(given.get("MaxDeliveryCount", _DELIVERIES)),
        time_to_live=milliseconds("DefaultMessageTimeToLive", None),
        dead_letter_expired=flag("DeadLetteringOnMessageExpiration"),
        requires_session=flag("RequiresSession"),
        duplicate_window=window if flag("RequiresDuplicateDetection") else 0,
        forward_to=target("ForwardTo"),
        forward_dead_letters_to=target("ForwardDeadLetteredMessagesTo"),
    )
