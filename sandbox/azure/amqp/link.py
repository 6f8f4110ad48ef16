"""Links: one direction of messages between two ends of a session."""

from dataclasses import dataclass
from typing import Any, Protocol

from sandbox.azure.amqp.performatives import (
    RECEIVER,
    SENDER,
    SETTLE_FIRST,
    SETTLE_MIXED,
    Accepted,
    Attach,
    DeliveryState,
    Detach,
    Disposition,
    Error,
    Flow,
    Performative,
    Released,
    Source,
    Target,
    Transfer,
)
from sandbox.azure.amqp.serial import MASK
from sandbox.azure.amqp.types import Symbol


@dataclass(slots=True)
class Delivery:
    """A message that arrived on a receiving link.

    `size` is its length in bytes. When that exceeds the link's `max_message_size`, `payload` is empty: it was not kept.
    """

    delivery_id: int
    tag: bytes
    message_format: int
    settled: bool
    payload: bytes
    size: int
    state: Any = None  # as the sender gives it: None, or the transaction that the delivery belongs to


class Carrier(Protocol):
    """The session, as its links see it."""

    channel: int

    def write(self, performative: Performative) -> None:
        """Queues a frame on the session's channel."""

    def windows(self) -> tuple[int | None, int, int, int]:
        """The first four fields of a flow."""

    def send(
        self, link: "Link", payload: bytes, tag: bytes, *, settled: bool, message_format: int, context: Any
    ) -> int:
        """Sends a message and gives its delivery id."""

    def settled(self, link: "Link", delivery_id: int) -> None:
        """A delivery of `link` was settled by us."""

    def forget_deliveries(self, link: "Link") -> None:
        """Ignores from now on what the peer says about the deliveries of a link that has ended."""


class Link:
    """One end of a link. `role` is ours: SENDER or RECEIVER. `context` belongs to the user of the link.

    `credit` is how many messages may still be sent (SENDER) or may still come (RECEIVER).
    """

    def __init__(self, session: Carrier, name: str, handle: int, role: bool) -> None:
        self.session = session
        self.name = name
        self.handle = handle
        self.role = role
        self.remote_handle: int | None = None
        self.remote: Attach | None = None  # the peer's attach, once it has come
        self.source: Source | None = None
        self.target: Target | None = None
        self.snd_settle_mode = SETTLE_MIXED
        self.rcv_settle_mode = SETTLE_FIRST
        self.max_message_size = 0  # in bytes, of a message that we receive; 0: no limit
        self.delivery_count = 0
        self.credit = 0
        self.drain = False
        self.attached = False
        self.closed = False
        self.context: Any = None
        self._replenish_to = 0
        self._first: Transfer | None = None
        self._parts: list[bytes] = []
        self._size = 0

    @property
    def is_sender(self) -> bool:
        """Whether we send on this link."""
        return self.role == SENDER

    @property
    def is_overdrawn(self) -> bool:
        """Whether a message that begins now exceeds the credit that `keep_granted` gave; False for any other link."""
        return self._replenish_to > 0 and self.credit <= 0 and self._first is None

    @property
    def remote_properties(self) -> dict[str, Any]:
        """The link properties that the peer set, by name."""
        remote = self.remote
        return {str(key): value for key, value in ((remote.properties if remote else None) or {}).items()}

    # ---- attaching

    def accept(
        self, *, source: Source | None = None, target: Target | None = None, properties: dict[str, Any] | None = None
    ) -> None:
        """Answers the peer's attach. Source and target are the peer's unless given."""
        self.source = source or self.source
        self.target = target or self.target
        self.attached = True
        self._write_attach(self.source, self.target, properties or {})

    def refuse(self, condition: str, description: str) -> None:
        """Refuses the peer's attach as Azure does: an attach without its terminus, then a detach with the error."""
        self._write_attach(
            None if self.is_sender else self.source, self.target if self.is_sender else None, properties={}
        )
        self.detach(Error(condition, description))

    def _write_attach(self, source: Source | None, target: Target | None, properties: dict[str, Any]) -> None:
        self.session.write(
            Attach(
                self.name,
                self.handle,
                self.role,
                self.snd_settle_mode,
                self.rcv_settle_mode,
                source,
                target,
                initial_delivery_count=self.delivery_count if self.is_sender else None,
                max_message_size=self.max_message_size or None,
                properties={Symbol(key): value for key, value in properties.items()},
            )
        )

    def detach(self, error: Error | None = None) -> None:
        """Ends the link for good."""
        if self.closed:
            return
        self.closed = True
        self.session.forget_deliveries(self)
        self.session.write(Detach(self.handle, closed=True, error=error))

    # ---- as receiver

    def grant(self, credit: int) -> None:
        """Lets `credit` more messages come."""
        self.credit = credit
        self.write_flow()

    def keep_granted(self, credit: int) -> None:
        """Grants `credit`; `replenish` grants it anew. A peer that sends more than it was granted is detached."""
        self._replenish_to = credit
        self.grant(credit)

    @property
    def is_half_used(self) -> bool:
        """Whether half of the credit that is kept granted is used up."""
        return self.credit <= self._replenish_to // 2

    def replenish(self) -> None:
        """Grants anew what `keep_granted` said, once half of it is used up."""
        if self.is_half_used and not self.closed:
            self.grant(self._replenish_to)

    def request_drain(self) -> None:
        """Asks the sender to use the credit now or give it back; `on_flow` is called when `credit` is 0."""
        self.drain = True
        self.write_flow()

    def assemble(self, transfer: Transfer, payload: bytes) -> Delivery | None:
        """Takes one transfer frame; gives the delivery when it is complete."""
        if transfer.aborted:
            self._first, self._parts, self._size = None, [], 0
            return None
        first = self._first or transfer
        self._size += len(payload)
        if self.max_message_size and self._size > self.max_message_size:
            self._parts = []
        else:
            self._parts.append(payload)
        if transfer.more:
            self._first = first
            return None
        complete = Delivery(
            first.delivery_id or 0,
            first.delivery_tag or b"",
            first.message_format or 0,
            bool(first.settled or transfer.settled),
            self._parts[0] if len(self._parts) == 1 else b"".join(self._parts),
            self._size,
            first.state,
        )
        self._first, self._parts, self._size = None, [], 0
        self.delivery_count = (self.delivery_count + 1) & MASK
        self.credit -= 1
        return complete

    def dispose(self, delivery_id: int, state: DeliveryState) -> None:
        """Reports the outcome of a received delivery; the sender settles it, and `on_settled` is called."""
        self.session.write(Disposition(RECEIVER, delivery_id, delivery_id, settled=False, state=state))

    # ---- as sender

    def send(
        self, payload: bytes, tag: bytes, *, settled: bool = False, message_format: int = 0, context: Any = None
    ) -> int:
        """Sends an encoded message and gives its delivery id; `context` comes back with `on_outcome`."""
        self.credit -= 1
        self.delivery_count = (self.delivery_count + 1) & MASK
        return self.session.send(self, payload, tag, settled=settled, message_format=message_format, context=context)

    def drained(self) -> None:
        """Answers a drain: the credit that is left is given back."""
        if self.drain:
            self.delivery_count = (self.delivery_count + max(self.credit, 0)) & MASK
            self.credit = 0
            self.write_flow()
            self.drain = False

    # ---- both

    def settle(self, delivery_id: int, state: DeliveryState) -> None:
        """Settles a delivery with its outcome."""
        self.session.settled(self, delivery_id)
        self.session.write(Disposition(self.role, delivery_id, delivery_id, settled=True, state=state))

    def accept_delivery(self, delivery_id: int) -> None:
        """Settles a received delivery as accepted."""
        self.settle(delivery_id, Accepted())

    def release_delivery(self, delivery_id: int) -> None:
        """Settles a received delivery as released."""
        self.settle(delivery_id, Released())

    def write_flow(self, *, echo: bool = False) -> None:
        """Sends the peer our view of the link's credit."""
        windows = self.session.windows()
        self.session.write(
            Flow(
                *windows,
                handle=self.handle,
                delivery_count=self.delivery_count,
                link_credit=max(self.credit, 0),
                available=0,
                drain=self.drain,
                echo=echo,
            )
        )
