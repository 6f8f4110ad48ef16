"""The broker's server: connects the sockets with the namespace, and keeps the order of steps.

Everything that happens (bytes arrive, a deadline passes, a test advances the clock) requests a turn. A turn commits the
store, then confirms to clients what has become durable, then delivers, and sends it all. So a crash cannot undo
anything that was accepted, settled or delivered; and everything that happens in one round of the event loop shares one
commit.
"""

import asyncio
import logging
import socket
from collections.abc import Callable

from sandbox.azure.amqp.connection import IDLE_TIME_OUT_MS
from sandbox.azure.amqp.errors import ProtocolError
from sandbox.azure.amqp.performatives import Error
from sandbox.azure.broker.links.cbs import Known
from sandbox.azure.broker.links.endpoints import Faults, Timer
from sandbox.azure.broker.links.peer import Peer
from sandbox.azure.broker.namespace import Namespace

log = logging.getLogger("sandbox.azure.broker")

BACKLOG = 512


class Server:
    """Serves a namespace on AMQP; see `Scheduler` for what endpoints ask of it."""

    def __init__(
        self,
        namespace: Namespace,
        known: Known | None = None,
        *,
        idle_time_out: int = IDLE_TIME_OUT_MS,
    ) -> None:
        """`idle_time_out`: after so many milliseconds without a frame a client counts as dead."""
        self.namespace = namespace
        self._engine = namespace.engine
        self.faults = Faults()
        self.known = known or Known()
        self.idle_time_out = idle_time_out
        self.connections: set[ClientProtocol] = set()
        self.failed: asyncio.Future[None] | None = None
        self._committed: list[Callable[[], None]] = []
        self._pumped: list[Callable[[], None]] = []
        self._turn_is_due = False
        self._alarm: asyncio.TimerHandle | None = None
        self._listener: asyncio.Server | None = None
        self._engine.on_change = self.ask_for_turn
        self._engine.on_deadline = self._set_alarm

    async def start(self, host: str, port: int) -> int:
        """Listens, and returns the port (one of its own choice when `port` is 0). Raises OSError when it is taken."""
        loop = asyncio.get_running_loop()
        self.failed = loop.create_future()
        self._listener = await loop.create_server(lambda: ClientProtocol(self), host, port, backlog=BACKLOG)
        self.namespace.expire()
        return int(self._listener.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Closes the listener and every connection, and leaves everything durable."""
        if self._listener is not None:
            self._listener.close()
        for connection in list(self.connections):
            connection.peer.connection.close(Error("amqp:connection:forced", "The broker is stopping."))
            connection.flush()
        if self._alarm is not None:
            self._alarm.cancel()
        self._turn()
        self._engine.store.close()

    def drop_connections(self) -> int:
        """Aborts every connection, as a network failure would, and returns how many."""
        dropped = list(self.connections)
        for connection in dropped:
            connection.abort()
        return len(dropped)

    def advance_clock(self, milliseconds: int) -> None:
        """Moves the broker's time forward and does what has fallen due."""
        self._engine.clock.advance(milliseconds)
        self._expire()

    # ---- turns

    def ask_for_turn(self) -> None:
        """Schedules a turn for this round of the event loop."""
        if not self._turn_is_due:
            self._turn_is_due = True
            asyncio.get_running_loop().call_soon(self._turn)

    def _turn(self) -> None:
        self._turn_is_due = False
        try:
            self._engine.store.commit()
            committed, self._committed = self._committed, []
            for action in committed:
                action()
            self._engine.pump()
            pumped, self._pumped = self._pumped, []
            for action in pumped:
                action()
            self._engine.store.commit()
        except Exception as error:  # noqa: BLE001 -- without a working store nothing may be confirmed any more
            if self.failed is not None and not self.failed.done():
                self.failed.set_exception(error)
            return
        for connection in list(self.connections):
            connection.flush()

    def after_commit(self, action: Callable[[], None]) -> None:
        self._committed.append(action)
        self.ask_for_turn()

    def after_pump(self, action: Callable[[], None]) -> None:
        self._pumped.append(action)
        self.ask_for_turn()

    # ---- time

    def later(self, seconds: float, action: Callable[[], None]) -> Timer:
        return asyncio.get_running_loop().call_later(seconds, self._act, action)

    def _act(self, action: Callable[[], None]) -> None:
        action()
        self.ask_for_turn()

    def _set_alarm(self, when: int) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        delay = max(0, when - self._engine.clock.now()) / 1000
        self._alarm = asyncio.get_running_loop().call_later(delay, self._expire)

    def _expire(self) -> None:
        self._alarm = None
        self.namespace.expire()
        self.ask_for_turn()


class ClientProtocol(asyncio.Protocol):
    """One socket."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._transport: asyncio.Transport | None = None
        self._heartbeat: asyncio.TimerHandle | None = None
        self._heard_at = 0.0
        self._watch: asyncio.TimerHandle | None = None
        self.peer = Peer(server, server.known, server.idle_time_out)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not isinstance(transport, asyncio.Transport):
            raise TypeError("a stream is needed")
        self._transport = transport
        if self._server.faults.refuse:
            transport.abort()
            return
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._heard_at = asyncio.get_running_loop().time()
        self._watch_for_silence()
        self._server.connections.add(self)
        self._server.namespace.engine.count("connections")

    def _watch_for_silence(self) -> None:
        """Closes the connection of a client that has not sent a frame for as long as was announced (AMQP 1.0, 2.4.5).

        Its credit ends with it, and so do its locks on sessions; those on messages run out.
        """
        loop, connection = asyncio.get_running_loop(), self.peer.connection
        left = self._heard_at + self._server.idle_time_out / 1000 - loop.time()
        if left > 0:
            self._watch = loop.call_later(left, self._watch_for_silence)
            return
        self._watch = None
        description = (
            f"The connection was inactive for more than the allowed {self._server.idle_time_out} milliseconds and is "
            f"closed by container '{connection.container_id}'."
        )
        connection.close(Error("amqp:connection:forced", description))
        self._server.ask_for_turn()

    def data_received(self, data: bytes) -> None:
        self._heard_at = asyncio.get_running_loop().time()
        if self._server.faults.delay_ms:
            asyncio.get_running_loop().call_later(self._server.faults.delay_ms / 1000, self._feed, data)
        else:
            self._feed(data)

    def _feed(self, data: bytes) -> None:
        connection = self.peer.connection
        try:
            connection.feed(data)
        except ProtocolError as error:
            log.warning("a client broke the protocol: %s", error)
            connection.fail(error)
        except Exception:
            log.exception("a client's frame could not be handled")
            connection.close(Error("amqp:internal-error", "The broker failed."))
        if self._heartbeat is None and connection.remote_idle_time_out:
            self._beat()
        self._server.ask_for_turn()

    def _beat(self) -> None:
        """Sends an empty frame well within the time after which the client would give up on us."""
        connection = self.peer.connection
        if not connection.closed and connection.remote_idle_time_out:
            connection.heartbeat()
            self.flush()
            delay = connection.remote_idle_time_out / 2500
            self._heartbeat = asyncio.get_running_loop().call_later(delay, self._beat)

    def flush(self) -> None:
        """Sends what the connection has to send."""
        connection = self.peer.connection
        if self._transport is None:
            return
        if connection.has_output:
            self._transport.write(connection.take_output())
        if connection.closed and not self._transport.is_closing():
            self._transport.close()

    def abort(self) -> None:
        """Cuts the socket."""
        if self._transport is not None:
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        log.debug("a connection has ended: %s", exc)
        self._server.connections.discard(self)
        for timer in (self._heartbeat, self._watch):
            if timer is not None:
                timer.cancel()
        self.peer.connection.lost()
        self._server.ask_for_turn()
