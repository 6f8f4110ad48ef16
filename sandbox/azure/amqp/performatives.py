"""The composite types of AMQP 1.0: performatives, delivery states, source, target, error (specification parts 2 and 3).

Each is a dataclass with the specification's fields in the specification's order; `sandbox.azure.amqp.composites` writes
and reads them.
"""

from dataclasses import dataclass, field
from typing import Any

SENDER, RECEIVER = False, True  # the `role` field

SETTLE_UNSETTLED, SETTLE_SETTLED, SETTLE_MIXED = 0, 1, 2  # snd-settle-mode
SETTLE_FIRST, SETTLE_SECOND = 0, 1  # rcv-settle-mode


@dataclass(slots=True)
class Error:
    """Why something was refused. It is sent with all three fields, as the SDKs expect the third to be there."""

    condition: str
    description: str | None = None
    info: dict[Any, Any] | None = field(default_factory=dict)


@dataclass(slots=True)
class Received:
    """Delivery state: received up to here."""

    section_number: int = 0
    section_offset: int = 0


@dataclass(slots=True)
class Accepted:
    """Delivery state: done."""


@dataclass(slots=True)
class Rejected:
    """Delivery state: refused. Service Bus dead-letters the message (condition `com.microsoft:dead-letter`)."""

    error: Error | None = None


@dataclass(slots=True)
class Released:
    """Delivery state: not processed, may be delivered to anybody."""


@dataclass(slots=True)
class Modified:
    """Delivery state: failed here. For Service Bus: abandon, or defer when `undeliverable_here`."""

    delivery_failed: bool | None = None
    undeliverable_here: bool | None = None
    message_annotations: dict[Any, Any] | None = None


DeliveryState = Received | Accepted | Rejected | Released | Modified


@dataclass(slots=True)
class Source:
    """Where a link takes messages from."""

    address: str | None = None
    durable: int | None = None
    expiry_policy: str | None = None
    timeout: int | None = None
    dynamic: bool | None = None
    dynamic_node_properties: dict[Any, Any] | None = None
    distribution_mode: str | None = None
    filter: dict[Any, Any] | None = None
    default_outcome: Any = None
    outcomes: Any = None
    capabilities: Any = None


@dataclass(slots=True)
class Target:
    """Where a link delivers messages to."""

    address: str | None = None
    durable: int | None = None
    expiry_policy: str | None = None
    timeout: int | None = None
    dynamic: bool | None = None
    dynamic_node_properties: dict[Any, Any] | None = None
    capabilities: Any = None


@dataclass(slots=True)
class Open:
    """Opens a connection."""

    container_id: str
    hostname: str | None = None
    max_frame_size: int = 0xFFFFFFFF
    channel_max: int = 65535
    idle_time_out: int | None = None
    outgoing_locales: Any = None
    incoming_locales: Any = None
    offered_capabilities: Any = None
    desired_capabilities: Any = None
    properties: dict[Any, Any] | None = None


@dataclass(slots=True)
class Begin:
    """Begins a session."""

    remote_channel: int | None
    next_outgoing_id: int
    incoming_window: int
    outgoing_window: int
    handle_max: int = 0xFFFFFFFF
    offered_capabilities: Any = None
    desired_capabilities: Any = None
    properties: dict[Any, Any] | None = None


@dataclass(slots=True)
class Attach:
    """Attaches a link."""

    name: str
    handle: int
    role: bool
    snd_settle_mode: int = SETTLE_MIXED
    rcv_settle_mode: int = SETTLE_FIRST
    source: Source | None = None
    target: Target | None = None
    unsettled: dict[Any, Any] | None = None
    incomplete_unsettled: bool | None = None
    initial_delivery_count: int | None = None
    max_message_size: int | None = None
    offered_capabilities: Any = None
    desired_capabilities: Any = None
    properties: dict[Any, Any] | None = None


@dataclass(slots=True)
class Flow:
    """Updates the windows of a session and the credit of a link."""

    next_incoming_id: int | None
    incoming_window: int
    next_outgoing_id: int
    outgoing_window: int
    handle: int | None = None
    delivery_count: int | None = None
    link_credit: int | None = None
    available: int | None = None
    drain: bool = False
    echo: bool = False
    properties: dict[Any, Any] | None = None


@dataclass(slots=True)
class Transfer:
    """Carries a message, or a part of one; the bytes follow the performative."""

    handle: int
    delivery_id: int | None = None
    delivery_tag: bytes | None = None
    message_format: int | None = None
    settled: bool | None = None
    more: bool = False
    rcv_settle_mode: int | None = None
    state: Any = None
    resume: bool = False
    aborted: bool = False
    batchable: bool = False


@dataclass(slots=True)
class Disposition:
    """Reports the outcome of a range of deliveries; `role` is that of the end which reports it."""

    role: bool
    first: int
    last: int | None = None
    settled: bool = False
    state: Any = None
    batchable: bool = False


@dataclass(slots=True)
class Detach:
    """Detaches a link; `closed` ends it for good."""

    handle: int
    closed: bool = False
    error: Error | None = None


@dataclass(slots=True)
class End:
    """Ends a session."""

    error: Error | None = None


@dataclass(slots=True)
class Close:
    """Closes the connection."""

    error: Error | None = None


@dataclass(slots=True)
class SaslMechanisms:
    """SASL: what the server offers."""

    mechanisms: Any


@dataclass(slots=True)
class SaslInit:
    """SASL: what the client chose."""

    mechanism: str
    initial_response: bytes | None = None
    hostname: str | None = None


@dataclass(slots=True)
class SaslOutcome:
    """SASL: `code` 0 means success."""

    code: int
    additional_data: bytes | None = None


Performative = Open | Begin | Attach | Flow | Transfer | Disposition | Detach | End | Close
SaslFrame = SaslMechanisms | SaslInit | SaslOutcome
