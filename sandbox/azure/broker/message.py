"""A message as the broker keeps it: its sections as received, and what the broker knows about it."""

import uuid
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from sandbox.azure.amqp.codec import encode
from sandbox.azure.amqp.message import Sections
from sandbox.azure.amqp.types import Int, Raw, Symbol, Timestamp
from sandbox.azure.broker.errors import not_allowed, out_of_range

SEQUENCE_NUMBER = Symbol("x-opt-sequence-number")
ENQUEUED_TIME = Symbol("x-opt-enqueued-time")
LOCKED_UNTIL = Symbol("x-opt-locked-until")
LOCK_TOKEN = Symbol("x-opt-lock-token")
ENQUEUED_SEQUENCE_NUMBER = Symbol("x-opt-enqueue-sequence-number")
DEAD_LETTER_SOURCE = Symbol("x-opt-deadletter-source")
MESSAGE_STATE = Symbol("x-opt-message-state")
SCHEDULED_FOR = Symbol("x-opt-scheduled-enqueue-time")
PARTITION_KEY = Symbol("x-opt-partition-key")
OFFSET = Symbol("x-opt-offset")
SYSTEM_PROPERTIES = {  # as rules name them, lower case -> the fields of the properties section
    "contenttype": "content_type",
    "correlationid": "correlation_id",
    "label": "subject",
    "subject": "subject",
    "messageid": "message_id",
    "replyto": "reply_to",
    "replytosessionid": "reply_to_group_id",
    "sessionid": "group_id",
    "to": "to",
}

QUEUE_MESSAGE_LIMIT = 262_144
"""Bytes, the Standard tier's; what is sent together counts as a whole."""
_LONGEST_ID = 128
_LAST_TIME = 253_402_300_799_999  # the end of the year 9999, the last that .NET knows
_SET_BY_BROKER = frozenset(
    (
        SEQUENCE_NUMBER,
        ENQUEUED_TIME,
        LOCKED_UNTIL,
        LOCK_TOKEN,
        ENQUEUED_SEQUENCE_NUMBER,
        DEAD_LETTER_SOURCE,
        MESSAGE_STATE,
        OFFSET,
    )
)


class State(IntEnum):
    """The values of `x-opt-message-state`."""

    ACTIVE = 0
    DEFERRED = 1
    SCHEDULED = 2


@dataclass(slots=True, eq=False)
class BrokeredMessage:
    """One message in one queue or subscription. Times are milliseconds since 1970."""

    content: Sections
    message_id: Any = None
    session_id: str | None = None
    sequence_number: int = 0
    state: State = State.ACTIVE
    delivery_count: int = 0
    enqueued_at: int = 0
    scheduled_for: int | None = None
    expires_at: int | None = None
    dead_letter_source: str | None = None
    enqueued_sequence_number: int | None = None
    lock_token: uuid.UUID | None = None
    locked_until: int = 0
    hops: int = 0  # how often it was forwarded

    @classmethod
    def receive(cls, data: bytes) -> "BrokeredMessage":
        """A message as it was sent. As in Service Bus, one without a message id is given one."""
        content = Sections.parse(data)
        content.delivery_count = 0
        content.message_annotations = {
            key: raw for key, raw in content.message_annotations.items() if key not in _SET_BY_BROKER
        }
        if content.property("message_id") is None:
            content.set_property("message_id", uuid.uuid4().hex)
        message = cls(content)
        message.read_identity()
        scheduled_for = content.annotation(SCHEDULED_FOR)
        if isinstance(scheduled_for, int) and 0 <= scheduled_for <= _LAST_TIME:
            message.scheduled_for = int(scheduled_for)
        return message

    def read_identity(self) -> None:
        """Takes message id and session id from the content, after it was changed."""
        self.message_id = self.content.property("message_id")
        session_id = self.content.property("group_id")
        self.session_id = session_id if isinstance(session_id, str) else None

    def check_ids(self) -> None:
        """Raises `BrokerError` for ids that Azure cannot store.

        https://learn.microsoft.com/azure/service-bus-messaging/service-bus-quotas
        """
        key = self.content.annotation(PARTITION_KEY)
        for name, value in (("MessageId", self.message_id), ("SessionId", self.session_id), ("PartitionKey", key)):
            if isinstance(value, str) and len(value) > _LONGEST_ID:
                raise out_of_range(f"The {name} has {len(value)} characters, and {_LONGEST_ID} are allowed.")
        if key is not None and self.session_id is not None and key != self.session_id:
            raise not_allowed("The PartitionKey of a message must be its SessionId when both are set.")

    def stored(self) -> bytes:
        """The content alone, without what the broker knows."""
        return self.content.encode()

    def copy(self) -> "BrokeredMessage":
        """The same message for another queue: no lock, no sequence number yet."""
        return BrokeredMessage(
            self.content.copy(),
            self.message_id,
            self.session_id,
            delivery_count=self.delivery_count,
            enqueued_at=self.enqueued_at,
            scheduled_for=self.scheduled_for,
            dead_letter_source=self.dead_letter_source,
            enqueued_sequence_number=self.enqueued_sequence_number,
            hops=self.hops,
        )

    def encode(self, *, with_state: bool = False) -> bytes:
        """The message as a receiver gets it, with its lock if it is locked.

        `with_state` adds `x-opt-message-state`, as peeked and deferred messages have it.
        """
        content = self.content.copy()
        content.delivery_count = self.delivery_count
        annotations: dict[Any, Raw] = {
            SEQUENCE_NUMBER: Raw(encode(self.sequence_number)),
            ENQUEUED_TIME: Raw(encode(Timestamp(self.enqueued_at))),
        }
        if self.enqueued_sequence_number is not None:
            annotations[ENQUEUED_SEQUENCE_NUMBER] = Raw(encode(self.enqueued_sequence_number))
        if self.dead_letter_source:
            annotations[DEAD_LETTER_SOURCE] = Raw(encode(self.dead_letter_source))
        if self.lock_token is not None:
            annotations[LOCKED_UNTIL] = Raw(encode(Timestamp(self.locked_until)))
            content.delivery_annotations[LOCK_TOKEN] = Raw(encode(self.lock_token))
        if with_state:
            annotations[MESSAGE_STATE] = Raw(encode(Int(self.state)))
        annotations.update(content.message_annotations)
        content.message_annotations = annotations
        return content.encode()


@dataclass(frozen=True, slots=True)
class DeadLetterReason:
    """Why a message was dead-lettered; becomes application properties of the message."""

    reason: str | None = None
    description: str | None = None
    properties: dict[str, Any] = field(default_factory=dict)

    def entries(self) -> dict[str, Any]:
        """The application properties to add."""
        given = {"DeadLetterReason": self.reason, "DeadLetterErrorDescription": self.description}
        return self.properties | {key: value for key, value in given.items() if value}


EXPIRED = DeadLetterReason("TTLExpiredException", "The message expired and was dead lettered.")


def too_many_deliveries(count: int) -> DeadLetterReason:
    """The reason when MaxDeliveryCount is reached."""
    return DeadLetterReason(
        "MaxDeliveryCountExceeded", f"Message could not be consumed after {count} delivery attempts."
    )
