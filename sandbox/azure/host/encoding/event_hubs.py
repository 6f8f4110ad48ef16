"""Event Hubs events as the extension (v6) hands them to a function.

Source: azure-sdk-for-net EventHubTriggerBindingStrategy.cs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sandbox.azure.amqp import Delivery, Sections
from sandbox.azure.host.encoding import values
from sandbox.azure.host.encoding.values import Encoded, Longs, Text
from sandbox.azure.host.workers.protos import TypedData

_OWN_ANNOTATIONS = {"x-opt-sequence-number", "x-opt-offset", "x-opt-enqueued-time", "x-opt-partition-key"}


@dataclass(frozen=True, slots=True)
class Event:
    """A received event; `offset` is opaque text."""

    body: bytes
    sequence_number: int
    offset: str
    enqueued_time: datetime
    partition_key: str | None
    properties: dict[str, Any]
    system_properties: dict[str, Any]

    @classmethod
    def read(cls, delivery: Delivery) -> "Event":
        """Read a delivery of a partition."""
        message = Sections.parse(delivery.payload)
        annotations = {str(key): _plain(value) for key, value in message.annotations().items()}
        key = annotations.get("x-opt-partition-key")
        body = message.body()
        properties = message.properties()
        named = {name: getattr(properties, field) for name, field in _NAMED_PROPERTIES.items()}
        return cls(
            body=body if isinstance(body, bytes) else str("" if body is None else body).encode(),
            sequence_number=int(annotations.get("x-opt-sequence-number") or 0),
            offset=str(annotations.get("x-opt-offset") or ""),
            enqueued_time=values.from_milliseconds(annotations.get("x-opt-enqueued-time") or 0),
            partition_key=None if key is None else str(key),
            properties={str(_plain(name)): _plain(value) for name, value in message.application_properties().items()},
            system_properties={name: _plain(value) for name, value in named.items() if value is not None}
            | {name: value for name, value in annotations.items() if name not in _OWN_ANNOTATIONS},
        )

    @property
    def numeric_offset(self) -> int:
        """The offset as a number; -1 if it is not a number (geo-replicated namespaces)."""
        return int(self.offset) if self.offset.lstrip("-").isdigit() else -1

    def all_system_properties(self) -> dict[str, Any]:
        """`SystemProperties` as the extension makes them: annotations, and five under names of their own."""
        return self.system_properties | {
            "SequenceNumber": self.sequence_number,
            "Offset": self.numeric_offset,
            "OffsetString": self.offset,
            "PartitionKey": self.partition_key,
            "EnqueuedTimeUtc": self.enqueued_time.replace(tzinfo=None),
        }


_NAMED_PROPERTIES = {
    "message-id": "message_id",
    "to": "to",
    "subject": "subject",
    "reply-to": "reply_to",
    "correlation-id": "correlation_id",
    "content-type": "content_type",
    "content-encoding": "content_encoding",
    "group-id": "group_id",
    "reply-to-group-id": "reply_to_group_id",
}


def _plain(value: Any) -> Any:
    return value.decode(errors="replace") if isinstance(value, bytes) else value


@dataclass(frozen=True, slots=True)
class PartitionContext:
    """Where events come from."""

    namespace: str
    hub: str
    group: str
    partition: str
    checkpointing: bool = True

    def as_json(self) -> dict[str, Any]:
        """As `TriggerPartitionContext` shows itself."""
        return {
            "IsCheckpointingAfterInvocation": self.checkpointing,
            "FullyQualifiedNamespace": self.namespace,
            "EventHubName": self.hub,
            "ConsumerGroup": self.group,
            "PartitionId": self.partition,
        }


def synthetic(text: str) -> Event:
    """The event that the admin API makes of its input."""
    return Event(text.encode(), 0, "0", datetime.now(UTC), None, {}, {})


def batch(events: Sequence[Event], context: PartitionContext, *, binary: bool) -> Encoded:
    """A batch: values and metadata, one array for each property."""
    partition = context.as_json()
    metadata = {
        "TriggerPartitionContext": partition,
        "PartitionContext": partition,
        "PartitionKeyArray": Text(event.partition_key for event in events),
        "OffsetArray": Text(str(event.numeric_offset) for event in events),
        "OffsetStringArray": Text(event.offset for event in events),
        "SequenceNumberArray": Longs(event.sequence_number for event in events),
        "EnqueuedTimeUtcArray": [event.enqueued_time.replace(tzinfo=None) for event in events],
        "PropertiesArray": [event.properties for event in events],
        "SystemPropertiesArray": [event.all_system_properties() for event in events],
    }
    return values.bodies([event.body for event in events], binary=binary), values.typed_metadata(metadata)


def single(event: Event, context: PartitionContext, *, binary: bool) -> Encoded:
    """One event: value and metadata."""
    partition = context.as_json()
    metadata = {
        "TriggerPartitionContext": partition,
        "PartitionContext": partition,
        "PartitionKey": event.partition_key,
        "Offset": str(event.numeric_offset),
        "OffsetString": event.offset,
        "SequenceNumber": event.sequence_number,
        "EnqueuedTimeUtc": event.enqueued_time.replace(tzinfo=None),
        "Properties": event.properties,
        "SystemProperties": event.all_system_properties(),
    }
    if binary:
        return TypedData(bytes=event.body), values.typed_metadata(metadata)
    body = event.body.decode(errors="replace")
    values.apply_binding_data(body, metadata)
    return TypedData(string=body), values.typed_metadata(metadata)
