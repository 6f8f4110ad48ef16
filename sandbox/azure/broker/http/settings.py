"""What a posted description asks for, checked as Azure's Standard tier checks it.

No setting is ignored: it is simulated, or kept and returned as it was given (`QueueOptions.kept`), or refused. Each
kind of entity has its own.
Ranges: https://learn.microsoft.com/azure/service-bus-messaging/service-bus-quotas
"""

import re
from collections.abc import Callable, Mapping

from sandbox.azure.broker.config import duration
from sandbox.azure.broker.entities.options import STATES, QueueOptions
from sandbox.azure.broker.http.atom import NO_DURATION, Node, inner, local_name
from sandbox.azure.broker.namespace import path_of

QUEUE, TOPIC, SUBSCRIPTION = "QueueDescription", "TopicDescription", "SubscriptionDescription"
DELIVERIES = 10  # Azure's default; Config.json's is 3
DUPLICATE_WINDOW_MS = 600_000
SIZE_LIMIT_MB = 1024
MESSAGE_LIMIT_KB = 256

_SECOND, _MINUTE, _DAY = 1_000, 60_000, 86_400_000
_OF_ALL = frozenset(
    {"DefaultMessageTimeToLive", "Status", "EnableBatchedOperations", "AutoDeleteOnIdle", "UserMetadata"}
)
_OF_RECEIVING = frozenset(
    {"LockDuration", "RequiresSession", "MaxDeliveryCount", "DeadLetteringOnMessageExpiration", "ForwardTo"}
    | {"ForwardDeadLetteredMessagesTo"}
)
_OF_SENDING = frozenset(
    {"RequiresDuplicateDetection", "DuplicateDetectionHistoryTimeWindow", "MaxSizeInMegabytes", "EnablePartitioning"}
    | {"EnableExpress", "MaxMessageSizeInKilobytes", "AuthorizationRules", "SupportOrdering"}
)
_SETTINGS: Mapping[str, frozenset[str]] = {
    QUEUE: _OF_ALL | _OF_RECEIVING | _OF_SENDING,
    TOPIC: _OF_ALL | _OF_SENDING | {"FilteringMessagesBeforePublishing"},
    SUBSCRIPTION: _OF_ALL
    | _OF_RECEIVING
    | {"DeadLetteringOnFilterEvaluationExceptions", "DefaultRuleDescription", "AuthorizationRules"},
}
_KEPT_FLAGS = frozenset(
    {"EnableBatchedOperations", "EnablePartitioning", "EnableExpress", "SupportOrdering"}
    | {"FilteringMessagesBeforePublishing", "DeadLetteringOnFilterEvaluationExceptions"}
)
_KEPT = _KEPT_FLAGS | {"MaxSizeInMegabytes", "AutoDeleteOnIdle", "UserMetadata", "AuthorizationRules"}
"""Settings that are returned as they were given."""
_OF_THE_SERVICE = frozenset(
    {"SizeInBytes", "MessageCount", "CreatedAt", "UpdatedAt", "AccessedAt", "CountDetails", "SubscriptionCount"}
    | {"EntityAvailabilityStatus", "SqlFilterCount", "CorrelationFilterCount"}
)
"""What the service itself says of an entity: clients send it back as they got it."""
_CONSTANT = {"IsAnonymousAccessible": "false", "EnableSubscriptionPartitioning": "false", "IsExpress": "false"}
_ENTITY_NAME = re.compile(r"[A-Za-z0-9](?:[\w\-./~]*[A-Za-z0-9])?")
_SHORT_NAME = re.compile(r"\$?[A-Za-z0-9](?:[\w\-.]*[A-Za-z0-9])?")
_ENTITY_LENGTH, _SHORT_LENGTH = 260, 50


def check_name(name: str, *, short: bool = False) -> None:
    """Raises ValueError for a name that Azure refuses; subscriptions, rules and consumer groups have `short` ones."""
    pattern, length = (_SHORT_NAME, _SHORT_LENGTH) if short else (_ENTITY_NAME, _ENTITY_LENGTH)
    if len(name) > length:
        raise ValueError(f"The name '{name}' has {len(name)} characters, and {length} are allowed.")
    if pattern.fullmatch(name) is None:
        raise ValueError(f"The name '{name}' contains what a name may not contain.")


def options_from(description: Node, before: QueueOptions | None = None) -> QueueOptions:
    """The options that a description asks for; where it says nothing, Azure's defaults. Raises ValueError.

    `before` are those of the entity that is changed: some of them are fixed.
    """
    kind = local_name(description)
    if kind not in _SETTINGS:
        raise ValueError(f"'{kind}' describes neither a queue nor a topic nor a subscription.")
    given = {local_name(node): inner(node) for node in description}
    for name, value in given.items():
        if name not in _OF_THE_SERVICE | _CONSTANT.keys() | _SETTINGS[kind]:
            raise ValueError(f"'{name}' is not a property of a {kind}.")
        if name in _CONSTANT and value.lower() not in {"", _CONSTANT[name]}:
            raise ValueError(f"The value '{value}' of {name} is not simulated: it is {_CONSTANT[name]}.")
    detects = _flag(given, "RequiresDuplicateDetection")
    window = _span(given, "DuplicateDetectionHistoryTimeWindow", 20 * _SECOND, 7 * _DAY) or DUPLICATE_WINDOW_MS
    options = QueueOptions(
        lock_duration=_span(given, "LockDuration", 5 * _SECOND, 5 * _MINUTE) or _MINUTE,
        max_delivery_count=_number(given, "MaxDeliveryCount", DELIVERIES, lambda value: 1 <= value <= 2000),
        time_to_live=_span(given, "DefaultMessageTimeToLive", _SECOND, None),
        dead_letter_expired=_flag(given, "DeadLetteringOnMessageExpiration"),
        requires_session=_flag(given, "RequiresSession"),
        duplicate_window=window if detects else 0,
        forward_to=_target(given, "ForwardTo"),
        forward_dead_letters_to=_target(given, "ForwardDeadLetteredMessagesTo"),
        status=_status(given),
        kept=_kept(given, window, detects=detects),
    )
    return options if before is None else _changed(options, before)


def _kept(given: Mapping[str, str], window: int, *, detects: bool) -> dict[str, str]:
    _number(given, "MaxSizeInMegabytes", SIZE_LIMIT_MB, lambda value: value % 1024 == 0 and 1024 <= value <= 5120)
    if _number(given, "MaxMessageSizeInKilobytes", MESSAGE_LIMIT_KB, lambda value: value >= 0) != MESSAGE_LIMIT_KB:
        raise ValueError("MaxMessageSizeInKilobytes can be set in the Premium tier only; the broker has Standard's.")
    _span(given, "AutoDeleteOnIdle", 5 * _MINUTE, None)
    for name in sorted(_KEPT_FLAGS):
        _flag(given, name)
    if _flag(given, "EnableExpress") and detects:
        raise ValueError(
            "Both DelayedPersistence property and RequiresDuplicateDetection property cannot be enabled together."
        )
    if len(given.get("UserMetadata", "")) > 1024:
        raise ValueError("UserMetadata has at most 1024 characters.")
    kept = {name: given[name] for name in _KEPT if given.get(name)}
    if not detects and window != DUPLICATE_WINDOW_MS:
        kept["DuplicateDetectionHistoryTimeWindow"] = given["DuplicateDetectionHistoryTimeWindow"]
    return kept


def _changed(options: QueueOptions, before: QueueOptions) -> QueueOptions:
    fixed: dict[str, tuple[object, object]] = {
        "RequiresSession": (options.requires_session, before.requires_session),
        "RequiresDuplicateDetection": (options.duplicate_window > 0, before.duplicate_window > 0),
        "EnablePartitioning": (_partitioned(options), _partitioned(before)),
    }
    for name, (wanted, has) in fixed.items():
        if wanted != has:
            raise ValueError(f"The value of {name} of an existing entity cannot be changed.")
    return options


def _partitioned(options: QueueOptions) -> str:
    return options.kept.get("EnablePartitioning", "false")


def _span(given: Mapping[str, str], name: str, least: int, most: int | None) -> int | None:
    """A duration in milliseconds; None if there is none, or if it has no end."""
    text = given.get(name)
    if not text:
        return None
    value = None if text.startswith(NO_DURATION) else duration(text)
    if value is None and most is None:
        return None
    if value is None or value < least or (most is not None and value > most):
        limits = f"at least {least // 1000} s" + ("" if most is None else f" and at most {most // 1000} s")
        raise ValueError(f"The value '{text}' of {name} is out of range: it is {limits}.")
    return value


def _number(given: Mapping[str, str], name: str, default: int, allowed: Callable[[int], bool]) -> int:
    text = given.get(name)
    if not text:
        return default
    if not text.lstrip("-").isdigit() or not allowed(int(text)):
        raise ValueError(f"The value '{text}' of {name} is not allowed.")
    return int(text)


def _flag(given: Mapping[str, str], name: str) -> bool:
    text = given.get(name, "").lower()
    if text not in {"", "true", "false", "1", "0"}:
        raise ValueError(f"The value '{text}' of {name} is neither true nor false.")
    return text in {"true", "1"}


def _status(given: Mapping[str, str]) -> str:
    status = given.get("Status") or "Active"
    if status not in STATES:
        raise ValueError(f"The Status '{status}' cannot be set: there are {', '.join(STATES)}.")
    return status


def _target(given: Mapping[str, str], name: str) -> str | None:
    return path_of(given[name]) if given.get(name) else None
