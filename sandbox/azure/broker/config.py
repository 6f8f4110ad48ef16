"""The Config.json of Microsoft's emulators, for Service Bus and for Event Hubs.

Reading is lenient, because Microsoft's samples need it: `//` comments, trailing commas, numbers as text, any duration.
The emulators' own limits (one hour to live, ten deliveries) are not enforced; nor is the number of entities. A key that
nothing reads is refused.
"""

import json
import re
from pathlib import Path
from typing import Any

from sandbox.azure.broker.entities.options import QueueOptions
from sandbox.azure.broker.namespace import Namespace
from sandbox.azure.broker.rules.rule import DEFAULT_RULE, Rule

_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?")
_STRING_OR_COMMENT = re.compile(r'("(?:\\.|[^"\\])*")|//[^\n]*|/\*.*?\*/', re.DOTALL)
_OF_TOPICS = frozenset(
    {"DefaultMessageTimeToLive", "DuplicateDetectionHistoryTimeWindow", "RequiresDuplicateDetection"}
)
_OF_SUBSCRIPTIONS = frozenset(
    {"DeadLetteringOnMessageExpiration", "DefaultMessageTimeToLive", "LockDuration", "MaxDeliveryCount"}
    | {"ForwardDeadLetteredMessagesTo", "ForwardTo", "RequiresSession"}
)
_OF_QUEUES = _OF_TOPICS | _OF_SUBSCRIPTIONS
_OF_RULES = frozenset({"FilterType", "CorrelationFilter", "SqlFilter", "Action"})
_TRAILING_COMMA = re.compile(r'("(?:\\.|[^"\\])*")|,(?=\s*[}\]])')


class ConfigError(Exception):
    """The file cannot be read, or its content makes no sense."""


def load(path: Path, namespace: Namespace) -> None:
    """Adds the entities of the file at `path` to the namespace."""
    try:
        settings = json.loads(strip_comments(path.read_text(encoding="utf-8-sig")))["UserConfig"]
        for item in settings.get("Namespaces", []):
            for queue in item.get("Queues", []):
                namespace.add_queue(queue["Name"], _options(_properties(queue, allowed=_OF_QUEUES)))
            for topic in item.get("Topics", []):
                _add_topic(namespace, topic)
        for item in settings.get("NamespaceConfig", []):
            for hub in item.get("Entities", []):
                groups = [group["Name"] for group in hub.get("ConsumerGroups", [])]
                namespace.add_hub(hub["Name"], int(hub["PartitionCount"]), groups, _retention(hub))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(f"{path}: {type(error).__name__}: {error}") from error


def strip_comments(text: str) -> str:
    """JSON without comments and trailing commas; text inside strings is left alone."""
    text = _STRING_OR_COMMENT.sub(lambda match: match.group(1) or "", text)
    return _TRAILING_COMMA.sub(lambda match: match.group(1) or "", text)


def duration(text: str) -> int:
    """An ISO 8601 duration (days to seconds) in milliseconds."""
    match = _DURATION.fullmatch(text)
    if match is None or text in {"P", "PT"}:
        raise ValueError(f"'{text}' is not a duration")
    days, hours, minutes, seconds = (float(part or 0) for part in match.groups())
    return int((days * 86400 + hours * 3600 + minutes * 60 + seconds) * 1000)


def _retention(hub: dict[str, Any]) -> int | None:
    """In milliseconds. The key is Azure's (`retentionTimeInHours`); Microsoft's emulator has none."""
    hours = hub.get("RetentionTimeInHours")
    return None if hours is None else int(float(hours) * 3_600_000)


def _properties(item: dict[str, Any], *own: str, allowed: frozenset[str]) -> dict[str, Any]:
    """The Properties of an entity; ConfigError for a key that nothing reads, in the entity or its Properties."""
    properties: dict[str, Any] = item.get("Properties", {})
    unknown = [*sorted(item.keys() - {"Name", "Properties", *own}), *sorted(properties.keys() - allowed)]
    if unknown:
        raise ConfigError(f"'{unknown[0]}' is not a setting of '{item.get('Name')}'")
    return properties


def _options(properties: dict[str, Any]) -> QueueOptions:
    default = QueueOptions()
    return QueueOptions(
        lock_duration=duration(properties.get("LockDuration") or "PT1M"),
        max_delivery_count=int(properties.get("MaxDeliveryCount") or default.max_delivery_count),
        time_to_live=duration(properties.get("DefaultMessageTimeToLive") or "PT1H"),
        dead_letter_expired=bool(properties.get("DeadLetteringOnMessageExpiration")),
        requires_session=bool(properties.get("RequiresSession")),
        duplicate_window=_duplicate_window(properties),
        forward_to=properties.get("ForwardTo") or None,
        forward_dead_letters_to=properties.get("ForwardDeadLetteredMessagesTo") or None,
    )


def _duplicate_window(properties: dict[str, Any]) -> int:
    if not properties.get("RequiresDuplicateDetection"):
        return 0
    return duration(properties.get("DuplicateDetectionHistoryTimeWindow") or "PT20S")


def _add_topic(namespace: Namespace, settings: dict[str, Any]) -> None:
    properties = _properties(settings, "Subscriptions", allowed=_OF_TOPICS)
    topic = namespace.add_topic(settings["Name"], _options(properties))
    for item in settings.get("Subscriptions", []):
        now = namespace.engine.clock.now()
        rules = [
            Rule.from_config(rule.get("Name", DEFAULT_RULE), _properties(rule, allowed=_OF_RULES), now)
            for rule in item.get("Rules", [])
        ]
        options = _options(_properties(item, "Rules", allowed=_OF_SUBSCRIPTIONS))
        namespace.add_subscription(topic, item["Name"], options, rules)
