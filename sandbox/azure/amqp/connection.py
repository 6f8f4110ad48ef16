"""A sans-IO AMQP 1.0 connection, for both roles.

Feed it what the socket gives, send what `take_output` gives, and subclass `Handler` for what happens in between. A
server answers `on_attach` with `Link.accept` or `Link.refuse`. A client:

    class Receiver(Handler):
        def on_attached(self, link): link.grant(10)
        def on_transfer(self, link, delivery):
            message = Sections.parse(delivery.payload)
            link.dispose(delivery.delivery_id, Accepted())   # Service Bus answers: on_settled
        def on_detach(self, link, error): ...

    connection = Connection.client(Receiver(), container_id="host-1", hostname="localhost")
    session = connection.begin()
    session.attach_receiver("r1", Source("queue.1", filter={Symbol("com.microsoft:session-filter"): None}),
                            properties={"com.microsoft:timeout": UInt(60_000)})
    socket.send(connection.take_output())                    # what waits for SASL is held back until it is done
    connection.feed(socket.recv(65536))
    socket.send(connection.take_output())

Nothing here knows the time: the owner of the socket calls `heartbeat` more often than `remote_idle_time_out`
(milliseconds). `feed` raises `ProtocolError`, and no other error of its own, when the peer's bytes make no sense;
`fail` then reports it to the peer.
"""

from enum import Enum, auto
from typing import Any

from sandbox.azure.amqp.composites import decode_performative
from sandbox.azure.amqp.errors import ProtocolError
from sandbox.azure.amqp.frames import (
    AMQP_HEADER,
    EMPTY_FRAME,
    SASL_FRAME,
    SASL_HEADER,
    Frame,
    FrameBuffer,
    encode_frame,
)
from sandbox.azure.amqp.handler import Handler
from sandbox.azure.amqp.performatives import (
    Attach,
    Begin,
    Close,
    End,
    Error,
    Open,
    SaslFrame,
    SaslInit,
    SaslMechanisms,
    SaslOutcome,
)
from sandbox.azure.amqp.session import WINDOW, Session
from sandbox.azure.amqp.types import Symbol

MAX_FRAME_SIZE = 65536  # bytes; Azure has the same
IDLE_TIME_OUT_MS = 240_000
CHANNEL_MAX = 4999
HANDLE_MAX = 4999
SASL_MECHANISMS = ("MSSBCBS", "ANONYMOUS", "PLAIN", "EXTERNAL")
_SASL_REFUSED = 1  # the outcome "auth"
_LARGEST_FRAME_SENT = 1 << 20
_SMALLEST_FRAME_SIZE = 512


class _Expects(Enum):
    HEADER = auto()
    SASL = auto()
    AMQP_FRAMES = auto()


class Connection:
    """One end of a connection; see the module's docstring. Make one with `server` or `client`."""

    def __init__(
        self, handler: Handler, *, container_id: str, is_client: bool, idle_time_out: int = IDLE_TIME_OUT_MS
    ) -> None:
        self.handler = handler
        self.container_id = container_id
        self.idle_time_out = idle_time_out  # milliseconds without a frame after which our end gives up on the peer
        self.opened = False
        self.closed = False
        self.remote_max_frame_size = _SMALLEST_FRAME_SIZE
        self.remote_idle_time_out: int | None = None
        self._is_client = is_client
        self._input = FrameBuffer(MAX_FRAME_SIZE)
        self._output = bytearray()
        self._held: bytearray | None = bytearray() if is_client else None  # what a client may send only after SASL
        self._expects = _Expects.HEADER
        self._sasl_done = False
        self._sasl_init = SaslInit("ANONYMOUS", b"anonymous")
        self._sessions: dict[int, Session] = {}  # by the peer's channel
        self._begun: dict[int, Session] = {}  # ours that the peer has not answered yet, by our channel
        self._next_channel = 0

    @classmethod
    def server(
        cls, handler: Handler, *, container_id: str = "sandbox", idle_time_out: int = IDLE_TIME_OUT_MS
    ) -> "Connection":
        """The end that was connected to; `idle_time_out` (ms) is announced, and kept by whoever owns the socket."""
        return cls(handler, container_id=container_id, is_client=False, idle_time_out=idle_time_out)

    @classmethod
    def client(
        cls, handler: Handler, *, container_id: str, hostname: str, sasl: SaslInit | None = None
    ) -> "Connection":
        """The end that connects, with SASL ANONYMOUS unless `sasl` says otherwise: the open frame is queued at once."""
        connection = cls(handler, container_id=container_id, is_client=True)
        connection._sasl_init = sasl or connection._sasl_init
        connection._output += SASL_HEADER
        connection.write(AMQP_HEADER + encode_frame(connection._open_frame(hostname)))
        return connection

    # ---- output

    def write(self, frame: bytes) -> None:
        """Queues bytes for the socket."""
        if self._held is not None:
            self._held += frame
        else:
            self._output += frame

    def take_output(self) -> bytes:
        """What is to be sent now."""
        output = bytes(self._output)
        self._output.clear()
        return output

    @property
    def has_output(self) -> bool:
        """Whether `take_output` would give something."""
        return bool(self._output)

    def heartbeat(self) -> None:
        """Queues an empty frame."""
        self.write(EMPTY_FRAME)

    def begin(self) -> Session:
        """Begins a session (a client's side)."""
        session = Session(self, self.handler, self._next_channel)
        self._next_channel += 1
        self._begun[session.channel] = session
        session.write(Begin(None, 0, WINDOW, WINDOW, HANDLE_MAX))
        return session

    def close(self, error: Error | None = None) -> None:
        """Closes the connection: send the output, then close the socket. Before the AMQP header it says nothing."""
        if not self.closed:
            if self._expects is _Expects.AMQP_FRAMES or self._is_client:
                self.write(encode_frame(Close(error)))
            self.lost()

    def fail(self, error: ProtocolError) -> None:
        """Closes the connection because the peer broke the protocol."""
        self.close(Error(error.condition, error.description))

    def lost(self) -> None:
        """The socket was closed: every session and link has ended."""
        self.closed = True
        sessions = [*self._sessions.values(), *self._begun.values()]
        self._sessions.clear()
        self._begun.clear()
        for session in sessions:
            session.on_ended()

    def _open_frame(self, hostname: str | None) -> Open:
        return Open(self.container_id, hostname, MAX_FRAME_SIZE, CHANNEL_MAX, self.idle_time_out)

    # ---- input

    def feed(self, data: bytes) -> None:
        """Takes bytes from the socket and calls the handler for what they contain."""
        self._input.append(data)
        while not self.closed:
            if self._expects is _Expects.HEADER:
                header = self._input.header()
                if header is None:
                    return
                self._on_header(header)
                continue
            frame = self._input.frame()
            if frame is None:
                return
            if frame.body:
                self._on_frame(frame)

    def _on_header(self, header: bytes) -> None:
        if header == SASL_HEADER and not self._sasl_done:
            self._expects = _Expects.SASL
            if not self._is_client:
                self._output += SASL_HEADER
                self._write_sasl(SaslMechanisms([Symbol(name) for name in SASL_MECHANISMS]))
        elif header == AMQP_HEADER and (self._sasl_done or not self._is_client):
            self._expects = _Expects.AMQP_FRAMES
            if not self._is_client:
                self._output += AMQP_HEADER
        else:
            self._output += AMQP_HEADER  # the specification: answer with our own protocol, then close
            self.lost()

    def _on_frame(self, frame: Frame) -> None:
        performative, position = decode_performative(frame.body)
        if (frame.type == SASL_FRAME) != (self._expects is _Expects.SASL):
            raise ProtocolError("a frame of the wrong type", "amqp:connection:framing-error")
        if self._expects is _Expects.SASL:
            self._on_sasl(performative)
            return
        match performative:  # other frames on a channel without session were sent to one that has just ended
            case Open():
                self._on_open(performative)
            case _ if not self.opened:
                raise ProtocolError("the first frame of a connection is an open", "amqp:connection:framing-error")
            case Begin():
                self._on_begin(frame.channel, performative)
            case End():
                self._on_end(frame.channel)
            case Close():
                self._on_close(performative)
            case _ if (session := self._sessions.get(frame.channel)) is not None:
                session.receive(performative, frame.body[position:])
            case Attach():
                raise ProtocolError(f"no session on channel {frame.channel}", "amqp:not-allowed")

    def _on_sasl(self, frame: Any) -> None:
        if self._is_client and isinstance(frame, SaslMechanisms):
            self._write_sasl(self._sasl_init)
        elif self._is_client and isinstance(frame, SaslOutcome):
            if frame.code != 0:
                raise ProtocolError(f"SASL was refused with code {frame.code}", "amqp:unauthorized-access")
            held, self._held = self._held or bytearray(), None
            self._output += held
            self._sasl_done, self._expects = True, _Expects.HEADER
        elif not self._is_client and isinstance(frame, SaslInit):
            if frame.mechanism not in SASL_MECHANISMS or not self.handler.on_sasl(frame):
                self._write_sasl(SaslOutcome(_SASL_REFUSED))
                self.lost()
                return
            self._write_sasl(SaslOutcome(0, b"Welcome!"))
            self._sasl_done, self._expects = True, _Expects.HEADER
        else:
            raise ProtocolError("an unexpected SASL frame", "amqp:connection:framing-error")

    def _write_sasl(self, frame: SaslFrame) -> None:
        self._output += encode_frame(frame, frame_type=SASL_FRAME)

    def _on_open(self, frame: Open) -> None:
        if self.opened:
            raise ProtocolError("the connection is open already", "amqp:not-allowed")
        self.opened = True
        self.remote_max_frame_size = max(_SMALLEST_FRAME_SIZE, min(frame.max_frame_size, _LARGEST_FRAME_SENT))
        self.remote_idle_time_out = frame.idle_time_out
        if not self._is_client:
            self.write(encode_frame(self._open_frame(frame.hostname)))
        self.handler.on_open()

    def _on_begin(self, channel: int, frame: Begin) -> None:
        if channel > CHANNEL_MAX:
            raise ProtocolError(f"channel {channel} is above {CHANNEL_MAX}", "amqp:connection:framing-error")
        session = None if frame.remote_channel is None else self._begun.pop(frame.remote_channel, None)
        if session is None:
            if channel in self._sessions:
                raise ProtocolError(f"channel {channel} is in use", "amqp:not-allowed")
            session = Session(self, self.handler, channel)
            session.write(Begin(channel, 0, WINDOW, WINDOW, min(frame.handle_max, HANDLE_MAX)))
        self._sessions[channel] = session
        session.on_begun(frame.next_outgoing_id, frame.incoming_window)

    def _on_end(self, channel: int) -> None:
        session = self._sessions.pop(channel, None)
        if session is not None:
            session.write(End())
            session.on_ended()

    def _on_close(self, frame: Close) -> None:
        self.write(encode_frame(Close()))
        self.lost()
        self.handler.on_close(frame.error)
