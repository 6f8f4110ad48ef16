"""Service Bus messages as the extension (v5) hands them to a function.

Source: azure-sdk-for-net ServiceBusTriggerBindingStrategy.cs. Known defects are kept: keys of a JSON body overwrite
metadata (single dispatch of text), and empty entries of string arrays are dropped, so that they shift (batches).
"""

import functools
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.azure.amqp import Delivery, Sections
from sandbox.azure.amqp.types import Timestamp
from sandbox.azure.host.encoding import values
from sandbox.azure.host.encoding.values import Encoded, Longs, Text
from sandbox.azure.host.workers.protos import TypedData

_FOREVER = datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class ServiceBusMessage:
    """A received message with the fields that become trigger metadata."""

    body: bytes
    message_id: str | None
    delivery_count: int
    lock_token: str
    sequence_number: int
    enqueued_time: datetime
    expires_at: datetime
    application_properties: dict[str, Any]
    content_type: str | None = None
    correlation_id: str | None = None
    dead_letter_source: str | None = None
    partition_key: str | None = None
    reply_to: str | None = None
    reply_to_session_id: str | None = None
    session_id: str | None = None
    subject: str | None = None
    to: str | None = None
    transaction_partition_key: str | None = None

    @classmethod
    def read(cls, delivery: Delivery) -> "ServiceBusMessage":
        """Read a delivery; raises `ValueError` for a body that is neither bytes nor text."""
        message = Sections.parse(delivery.payload)
        properties = message.properties()
        annotations = message.annotations()
        enqueued = values.from_milliseconds(annotations.get("x-opt-enqueued-time") or 0)
        return cls(
            body=_body(message.body()),
            message_id=_text(properties.message_id),
            delivery_count=message.delivery_count + 1,
            lock_token=str(uuid.UUID(bytes_le=delivery.tag)) if len(delivery.tag) == 16 else str(uuid.UUID(int=0)),
            sequence_number=annotations.get("x-opt-sequence-number") or 0,
            enqueued_time=enqueued,
            expires_at=_expiry(enqueued, message.ttl, properties.absolute_expiry_time),
            application_properties={_key(key): _net(item) for key, item in message.application_properties().items()},
            content_type=_text(properties.content_type),
            correlation_id=_text(properties.correlation_id),
            dead_letter_source=_text(annotations.get("x-opt-deadletter-source")),
            partition_key=_text(annotations.get("x-opt-partition-key")),
            reply_to=_text(properties.reply_to),
            reply_to_session_id=_text(properties.reply_to_group_id),
            session_id=_text(properties.group_id),
            subject=_text(properties.subject),
            to=_text(properties.to),
            transaction_partition_key=_text(annotations.get("x-opt-via-partition-key")),
        )


def synthetic(text: str) -> ServiceBusMessage:
    """The message that the admin API makes of its input."""
    return ServiceBusMessage(
        body=text.encode(),
        message_id=uuid.uuid4().hex,
        delivery_count=1,
        lock_token=str(uuid.uuid4()),
        sequence_number=0,
        enqueued_time=datetime.now(UTC),
        expires_at=_FOREVER,
        application_properties={},
    )


def _body(body: Any) -> bytes:
    if isinstance(body, str):
        return body.encode()
    if body is None or isinstance(body, bytes):
        return body or b""
    raise ValueError(f"the message's body is an AMQP {type(body).__name__}, which no function can take")


def _text(value: Any) -> str | None:
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return None if value is None else str(value)


def _key(value: Any) -> str:
    return _text(value) or ""


def _net(value: Any) -> Any:
    """An AMQP value as .NET has it; a timestamp is a DateTime of kind Utc."""
    if type(value) is Timestamp:
        return values.UtcDateTime.fromtimestamp(value / 1000, UTC)
    return value


def _expiry(enqueued: datetime, ttl: int | None, absolute: int | None) -> datetime:
    if absolute is not None:
        return values.from_milliseconds(absolute)
    try:
        return _FOREVER if ttl is None else enqueued + timedelta(milliseconds=ttl)
    except OverflowError:
        return _FOREVER


@functools.lru_cache(maxsize=16)
def _constant(namespace: str) -> dict[str, TypedData]:
    """The .NET objects of the binding that are the same for every message, as JSON shows them."""
    client = {"FullyQualifiedNamespace": namespace, "IsClosed": False, "TransportType": 0, "Identifier": namespace}
    return values.typed_metadata({"MessageReceiver": {}, "MessageActions": {}, "ReceiveActions": {}, "Client": client})


def _objects(namespace: str, locked_until: datetime | None) -> dict[str, Any]:
    """All .NET objects of the binding, encoded already; in a session they show the lock of the session."""
    session = values.typed({} if locked_until is None else {"SessionLockedUntil": locked_until})
    return _constant(namespace) | {"MessageSession": session, "SessionActions": session}


def single(message: ServiceBusMessage, namespace: str, locked_until: datetime | None, *, binary: bool) -> Encoded:
    """One message: value and metadata. `locked_until` is that of its session."""
    metadata = _objects(namespace, locked_until) | {
        "DeliveryCount": message.delivery_count,
        "DeadLetterSource": message.dead_letter_source,
        "LockToken": message.lock_token,
        "ExpiresAtUtc": message.expires_at.replace(tzinfo=None),
        "ExpiresAt": message.expires_at,
        "EnqueuedTimeUtc": message.enqueued_time.replace(tzinfo=None),
        "EnqueuedTime": message.enqueued_time,
        "MessageId": message.message_id,
        "ContentType": message.content_type,
        "ReplyTo": message.reply_to,
        "SequenceNumber": message.sequence_number,
        "To": message.to,
        "Subject": message.subject,
        "Label": message.subject,
        "CorrelationId": message.correlation_id,
        "ApplicationProperties": message.application_properties,
        "UserProperties": message.application_properties,
        "SessionId": message.session_id,
        "ReplyToSessionId": message.reply_to_session_id,
        "PartitionKey": message.partition_key,
        "TransactionPartitionKey": message.transaction_partition_key,
    }
    if binary:
        return TypedData(bytes=message.body), values.typed_metadata(metadata)
    body = message.body.decode(errors="replace")
    values.apply_binding_data(body, metadata)
    return TypedData(string=body), values.typed_metadata(metadata)


def batch(
    messages: Sequence[ServiceBusMessage], namespace: str, locked_until: datetime | None, *, binary: bool
) -> Encoded:
    """Several messages: values and metadata, one array for each property."""
    metadata = _objects(namespace, locked_until) | {
        "DeliveryCountArray": [message.delivery_count for message in messages],
        "DeadLetterSourceArray": Text(message.dead_letter_source for message in messages),
        "LockTokenArray": Text(message.lock_token for message in messages),
        "ExpiresAtUtcArray": [message.expires_at.replace(tzinfo=None) for message in messages],
        "ExpiresAtArray": [message.expires_at for message in messages],
        "EnqueuedTimeUtcArray": [message.enqueued_time.replace(tzinfo=None) for message in messages],
        "EnqueuedTimeArray": [message.enqueued_time for message in messages],
        "MessageIdArray": Text(message.message_id for message in messages),
        "ContentTypeArray": Text(message.content_type for message in messages),
        "ReplyToArray": Text(message.reply_to for message in messages),
        "SequenceNumberArray": Longs(message.sequence_number for message in messages),
        "ToArray": Text(message.to for message in messages),
        "SubjectArray": Text(message.subject for message in messages),
        "LabelArray": Text(message.subject for message in messages),
        "CorrelationIdArray": Text(message.correlation_id for message in messages),
        "ApplicationPropertiesArray": [message.application_properties for message in messages],
        "UserPropertiesArray": [message.application_properties for message in messages],
        "SessionIdArray": Text(message.session_id for message in messages),
        "ReplyToSessionIdArray": Text(message.reply_to_session_id for message in messages),
        "PartitionKeyArray": Text(message.partition_key for message in messages),
        "TransactionPartitionKeyArray": Text(message.transaction_partition_key for message in messages),
    }
    return values.bodies([message.body for message in messages], binary=binary), values.typed_metadata(metadata)
