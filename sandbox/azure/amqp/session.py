"""Sessions: links, windows and unsettled deliveries between the two ends of a connection."""

import struct
from collections import deque
from collections.abc import Iterable
from itertools import count
from typing import Any, Protocol

from sandbox.azure.amqp.composites import encode_raw_transfer
from sandbox.azure.amqp.errors import ProtocolError, SessionError
from sandbox.azure.amqp.frames import encode_frame, frame_bytes
from sandbox.azure.amqp.handler import Handler
from sandbox.azure.amqp.link import Link
from sandbox.azure.amqp.performatives import (
    RECEIVER,
    SENDER,
    SETTLE_FIRST,
    SETTLE_MIXED,
    Attach,
    Detach,
    Disposition,
    End,
    Error,
    Flow,
    Performative,
    Received,
    Source,
    Target,
    Transfer,
)
from sandbox.azure.amqp.serial import MASK, ahead
from sandbox.azure.amqp.types import Symbol

WINDOW = 0x7FFFFFFF  # transfers that we accept; never exhausted, as link credit is what bounds memory
_MORE = b"\x41\x40\x40\x40\x40\x40"  # more=true, then the five last fields of a transfer, null
_LAST = b"\x42\x40\x40\x40\x40\x40"
_FRAME_OVERHEAD = 8 + 3 + 3  # frame head, descriptor, list head


class Carrier(Protocol):
    """The connection, as its sessions see it."""

    remote_max_frame_size: int

    def write(self, frame: bytes) -> None:
        """Queues bytes for the socket."""


class Session:
    """One session. `channel` is ours for sending; links are found by the peer's handles."""

    def __init__(self, connection: Carrier, handler: Handler, channel: int) -> None:
        self.channel = channel
        self._connection = connection
        self._handler = handler
        self.begun = False
        self.ended = False
        self._links: dict[int, Link] = {}  # by the peer's handle
        self._awaiting_attach: dict[tuple[str, bool], Link] = {}  # our own attaches, by name and our role
        self._handles: set[int] = set()  # of the links that we asked for; free again once both ends have detached
        self._next_incoming_id = 0
        self._next_outgoing_id = 0
        self._next_delivery_id = 0
        self._remote_window = 0
        self._outgoing: dict[int, tuple[Link, Any]] = {}  # unsettled, sent: link and its context
        self._incoming: dict[int, Link] = {}  # unsettled, received
        self._waiting: deque[bytes] = deque()  # frames of transfers that wait for the peer's window

    def write(self, performative: Performative) -> None:
        """Queues a frame on this session's channel."""
        if not self.ended:
            self._connection.write(encode_frame(performative, self.channel))

    def links(self) -> list[Link]:
        """The links that are attached or being attached."""
        return [*self._links.values(), *self._awaiting_attach.values()]

    # ---- a client's side

    def attach_sender(self, name: str, target: Target, *, source: Source | None = None, **options: Any) -> Link:
        """Asks for a link on which we send. Options as for `attach_receiver`; `on_attached` or `on_detach` answers."""
        return self._attach(name, SENDER, source or Source(), target, **options)

    def attach_receiver(self, name: str, source: Source, *, target: Target | None = None, **options: Any) -> Link:
        """Asks for a link on which we receive; grant credit with `Link.grant` once `on_attached` was called.

        Options: `properties` (link properties by name), `snd_settle_mode`, `rcv_settle_mode`, `desired_capabilities`
        (names), `context`.
        """
        return self._attach(name, RECEIVER, source, target or Target(), **options)

    def _attach(
        self,
        name: str,
        role: bool,
        source: Source,
        target: Target,
        *,
        properties: dict[str, Any] | None = None,
        snd_settle_mode: int = SETTLE_MIXED,
        rcv_settle_mode: int = SETTLE_FIRST,
        desired_capabilities: Iterable[str] = (),
        context: Any = None,
    ) -> Link:
        handle = next(number for number in count() if number not in self._handles)
        self._handles.add(handle)
        link = Link(self, name, handle, role)
        link.source, link.target, link.context = source, target, context
        link.snd_settle_mode, link.rcv_settle_mode = snd_settle_mode, rcv_settle_mode
        self._awaiting_attach[name, role] = link
        self.write(
            Attach(
                name,
                link.handle,
                role,
                snd_settle_mode,
                rcv_settle_mode,
                source,
                target,
                initial_delivery_count=0 if role == SENDER else None,
                desired_capabilities=[Symbol(item) for item in desired_capabilities] or None,
                properties={Symbol(key): value for key, value in (properties or {}).items()} or None,
            )
        )
        return link

    def end(self, error: Error | None = None) -> None:
        """Ends the session."""
        self.write(End(error))
        self.ended = True

    # ---- what the peer says

    def receive(self, performative: Performative, payload: bytes) -> None:
        """A frame on this session's channel; `payload` follows a transfer."""
        if self.ended:
            return  # the peer sent it before it knew that we had ended the session
        try:
            self._receive(performative, payload)
        except SessionError as error:
            self.end(Error(error.condition, error.description))
            self.on_ended()

    def _receive(self, performative: Performative, payload: bytes) -> None:
        match performative:
            case Transfer():
                self.on_transfer(performative, payload)
            case Disposition():
                self.on_disposition(performative)
            case Flow():
                self.on_flow(performative)
            case Attach():
                self.on_attach(performative)
            case Detach():
                self.on_detach(performative)
            case _:
                raise ProtocolError("a frame holds something that is not a performative")

    def on_begun(self, next_outgoing_id: int, incoming_window: int) -> None:
        """The peer has begun its side."""
        self.begun = True
        self._next_incoming_id = next_outgoing_id
        self._remote_window = incoming_window

    def on_attach(self, attach: Attach) -> None:
        """An attach: the answer to ours, or the peer's request."""
        role = not attach.role
        link = self._awaiting_attach.pop((attach.name, role), None)
        asked = link is not None
        if link is None:
            if attach.handle in self._links:
                raise SessionError(f"The handle {attach.handle} is in use.", "amqp:session:handle-in-use")
            link = Link(self, attach.name, attach.handle, role)
            link.snd_settle_mode, link.rcv_settle_mode = attach.snd_settle_mode, attach.rcv_settle_mode
        link.remote_handle, link.remote = attach.handle, attach
        link.source = attach.source
        link.target = attach.target if isinstance(attach.target, Target) else None
        if role == RECEIVER:
            link.delivery_count = attach.initial_delivery_count or 0
        self._links[attach.handle] = link
        if not asked:
            self._handler.on_attach(link)
        elif (link.source if role == RECEIVER else link.target) is not None:
            link.attached = True
            self._handler.on_attached(link)

    def on_detach(self, detach: Detach) -> None:
        """The peer ends a link, or confirms that we did."""
        link = self._links.pop(detach.handle, None)
        if link is None:
            return
        self._handles.discard(link.handle)
        if link.closed:
            return
        link.closed = True
        self.forget_deliveries(link)
        self.write(Detach(link.handle, closed=detach.closed))
        self._handler.on_detach(link, detach.error)

    def on_flow(self, flow: Flow) -> None:
        """New windows, and new credit when it names a link."""
        acknowledged = flow.next_incoming_id or 0
        self._remote_window = (acknowledged + flow.incoming_window - self._next_outgoing_id) & MASK
        self._flush_waiting()
        if flow.handle is None:
            if flow.echo:
                self.write(Flow(*self.windows()))
            return
        link = self._attached(flow.handle)
        if link.closed:
            return  # sent before the peer knew that the link had ended
        if link.is_sender:
            on_the_way = ahead(link.delivery_count, flow.delivery_count or 0)
            link.credit = min(max((flow.link_credit or 0) - on_the_way, 0), MASK)
            link.drain = flow.drain
        elif link.drain and not flow.link_credit:
            link.delivery_count = flow.delivery_count or link.delivery_count
            link.credit, link.drain = 0, False
        if flow.echo:
            link.write_flow()
        self._handler.on_flow(link)

    def on_transfer(self, transfer: Transfer, payload: bytes) -> None:
        """A message, or a part of one."""
        self._next_incoming_id = (self._next_incoming_id + 1) & MASK
        link = self._attached(transfer.handle)
        if link.closed or link.is_sender:
            return  # sent before the peer knew that the link had ended
        if link.is_overdrawn:
            description = f"The peer sent more messages than link '{link.name}' has granted."
            link.detach(Error("amqp:link:transfer-limit-exceeded", description))
            self._handler.on_detach(link, None)
            return
        delivery = link.assemble(transfer, payload)
        if delivery is not None:
            if not delivery.settled:
                self._incoming[delivery.delivery_id] = link
            self._handler.on_transfer(link, delivery)

    def _attached(self, handle: int) -> Link:
        link = self._links.get(handle)
        if link is None:
            raise SessionError(f"No link is attached to the handle {handle}.", "amqp:session:unattached-handle")
        return link

    def on_disposition(self, disposition: Disposition) -> None:
        """Outcomes: of what we sent (role receiver), or the settlement of what we received (role sender)."""
        state = disposition.state
        if disposition.role == RECEIVER:
            if isinstance(state, Received) or (state is None and not disposition.settled):
                return
            for delivery_id in _named(disposition, self._outgoing):
                link, context = self._outgoing.pop(delivery_id)
                self._handler.on_outcome(link, delivery_id, context, state, disposition.settled)
        elif disposition.settled:
            for delivery_id in _named(disposition, self._incoming):
                self._handler.on_settled(self._incoming.pop(delivery_id), delivery_id, state)

    def on_ended(self) -> None:
        """The session has ended, and every link with it."""
        self.ended = True
        for link in self.links():
            if not link.closed:
                link.closed = True
                self._handler.on_detach(link, None)
        self._links.clear()
        self._awaiting_attach.clear()

    # ---- what links need

    def windows(self) -> tuple[int | None, int, int, int]:
        """The first four fields of a flow."""
        return self._next_incoming_id if self.begun else None, WINDOW, self._next_outgoing_id, WINDOW

    def settled(self, link: Link, delivery_id: int) -> None:
        """A delivery of `link` was settled by us."""
        if link.is_sender:
            self._outgoing.pop(delivery_id, None)
        else:
            self._incoming.pop(delivery_id, None)

    def forget_deliveries(self, link: Link) -> None:
        """Ignores from now on what the peer says about the deliveries of a link that has ended."""
        for delivery_id in [key for key, (owner, _) in self._outgoing.items() if owner is link]:
            del self._outgoing[delivery_id]
        for delivery_id in [key for key, owner in self._incoming.items() if owner is link]:
            del self._incoming[delivery_id]

    def send(self, link: Link, payload: bytes, tag: bytes, *, settled: bool, message_format: int, context: Any) -> int:
        """Cuts a message into frames of the peer's size and sends as many as its window allows."""
        delivery_id = self._next_delivery_id
        self._next_delivery_id = (delivery_id + 1) & MASK
        if not settled:
            self._outgoing[delivery_id] = (link, context)
        fields = encode_raw_transfer(link.handle, delivery_id, tag, message_format, settled)
        room = self._connection.remote_max_frame_size - len(fields) - len(_LAST) - _FRAME_OVERHEAD
        position = 0
        while True:
            chunk = payload[position : position + room]
            position += len(chunk)
            more = position < len(payload)
            body = fields + (_MORE if more else _LAST)
            head = b"\x00\x53\x14\xc0" + struct.pack("BB", len(body) + 1, 11) + body
            self._waiting.append(frame_bytes(head + chunk, self.channel))
            if not more:
                break
        self._flush_waiting()
        return delivery_id

    def _flush_waiting(self) -> None:
        while self._waiting and self._remote_window > 0:
            self._connection.write(self._waiting.popleft())
            self._next_outgoing_id = (self._next_outgoing_id + 1) & MASK
            self._remote_window -= 1


def _named(disposition: Disposition, unsettled: dict[int, Any]) -> list[int]:
    """The ids of `unsettled` that lie in the disposition's range."""
    first, last = disposition.first, disposition.first if disposition.last is None else disposition.last
    if first == last:
        return [first] if first in unsettled else []
    span = (last - first) & MASK
    return [delivery_id for delivery_id in unsettled if (delivery_id - first) & MASK <= span]
