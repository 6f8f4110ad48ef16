"""An AMQP client on asyncio: one connection, many links, requests to $cbs and $management.

The .NET host reads all entities of a namespace over one connection; an SDK receiver per session would open one each.
"""

import asyncio
import logging
import ssl
import time
import uuid
from collections.abc import Callable, Coroutine
from typing import Any

from sandbox.azure.amqp import Connection, Delivery, Handler, Link, ProtocolError, Session
from sandbox.azure.amqp.performatives import DeliveryState, Error, Source
from sandbox.azure.amqp.types import Timestamp
from sandbox.azure.host.amqp.connection_string import NamespaceConnection
from sandbox.azure.host.amqp.links import AmqpError, ConnectionLostError, Receiver, RequestLink, failure_of

log = logging.getLogger(__name__)

OPEN_TIMEOUT = 10.0
_LINKS_PER_SESSION = 200  # Service Bus allows 255
_TOKEN_MARGIN = 360.0  # seconds before its end at which a token is renewed


class AmqpConnection(asyncio.Protocol, Handler):
    """One connection to a namespace. Make it with `open`; when it is lost, make another."""

    def __init__(self, namespace: NamespaceConnection, container: str) -> None:
        self._namespace = namespace
        self._container = f"{container}-{uuid.uuid4().hex[:8]}"
        self._links = 0
        self._loop = asyncio.get_running_loop()
        self._engine = Connection.client(self, container_id=self._container, hostname=namespace.host)
        self._transport: asyncio.Transport | None = None
        self._sessions: list[Session] = []
        self._requests: dict[str, RequestLink] = {}
        self._tokens: dict[str, asyncio.Future[None]] = {}
        self._timers: set[asyncio.TimerHandle] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._opened: asyncio.Future[None] = self._loop.create_future()
        self._flushing = False
        self.lost: asyncio.Future[AmqpError] = self._loop.create_future()

    @classmethod
    async def open(cls, namespace: NamespaceConnection, container: str) -> "AmqpConnection":
        """Connect; raises OSError, TimeoutError or `AmqpError`."""
        connection = cls(namespace, container)
        context = ssl.create_default_context() if namespace.tls else None
        async with asyncio.timeout(OPEN_TIMEOUT):
            await connection._loop.create_connection(lambda: connection, namespace.host, namespace.port, ssl=context)
            await connection._opened
        return connection

    async def attach_receiver(
        self, entity: str, source: Source, *, wait: float = OPEN_TIMEOUT, **options: Any
    ) -> Receiver:
        """A receiving link from `source` under the rights for `entity`.

        Raises `AmqpError` when it is refused, TimeoutError without an answer for `wait` seconds.
        """
        await self.authorize(entity)
        if self.lost.done():
            raise self.lost.result()
        receiver = Receiver(self)
        self._links += 1
        name = f"{source.address}-{self._container}-{self._links}"
        receiver.link = self._session().attach_receiver(name, source, context=receiver, **options)
        self.flush_soon()
        try:
            async with asyncio.timeout(wait):
                await receiver.attached
        except (asyncio.CancelledError, TimeoutError):
            receiver.release()
            raise
        return receiver

    async def manage(self, entity: str, operation: str, body: Any, properties: dict[str, Any] | None = None) -> Any:
        """One request to the entity's $management node (the namespace's for entity ""); returns the answer's body."""
        address = f"{entity}/$management" if entity else "$management"
        answer = await self._request_link(address).request(body, {"operation": operation, **(properties or {})})
        status = answer.application_properties()
        code = int(status.get("statusCode", status.get("status-code", 500)))
        if code >= 300:
            condition = status.get("errorCondition", status.get("error-condition", "amqp:internal-error"))
            raise AmqpError(str(condition), str(status.get("statusDescription", status.get("status-description", ""))))
        return answer.body()

    async def authorize(self, entity: str) -> None:
        """Put a token for `entity`, once; it is renewed as long as the connection lives."""
        token = self._tokens.get(entity)
        if token is None:
            token = self._tokens[entity] = self._loop.create_future()
            try:
                await self._put_token(entity)
            except BaseException as error:
                del self._tokens[entity]
                token.set_exception(error if isinstance(error, AmqpError) else ConnectionLostError(repr(error)))
                token.exception()  # retrieved, as this call raises it itself
                raise
            token.set_result(None)
        await asyncio.shield(token)

    async def _put_token(self, entity: str) -> None:
        token, expiry = self._namespace.token(entity)
        answer = await self._request_link("$cbs").request(
            token,
            {
                "operation": "put-token",
                "type": "servicebus.windows.net:sastoken",
                "name": self._namespace.audience(entity),
                "expiration": Timestamp(expiry * 1000),
            },
        )
        status = answer.application_properties()
        if int(status.get("status-code", 500)) >= 300:
            condition = str(status.get("error-condition", "amqp:unauthorized-access"))
            raise AmqpError(condition, str(status.get("status-description", "")))
        delay = max(60.0, expiry - _TOKEN_MARGIN - time.time())
        self._later(delay, lambda: self._spawn(self._renew_token(entity)))

    async def _renew_token(self, entity: str) -> None:
        try:
            await self._put_token(entity)
        except (AmqpError, TimeoutError) as error:
            log.warning("The token for '%s' could not be renewed: %s", entity, error)

    def close(self) -> None:
        """Close in order: the peer releases sessions and links."""
        self._engine.close()
        self._flush()
        if self._transport is not None:
            self._transport.close()

    def flush_soon(self) -> None:
        """Send what has been queued, once, at the end of this turn of the loop."""
        if not self._flushing:
            self._flushing = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._flushing = False
        if self._engine.has_output and self._transport is not None and not self._transport.is_closing():
            self._transport.write(self._engine.take_output())

    def _session(self) -> Session:
        for session in self._sessions:
            if not session.ended and len(session.links()) < _LINKS_PER_SESSION:
                return session
        self._sessions.append(self._engine.begin())
        return self._sessions[-1]

    def _request_link(self, address: str) -> RequestLink:
        if self.lost.done():
            raise self.lost.result()
        link = self._requests.get(address)
        if link is None or link.failure is not None:
            link = self._requests[address] = RequestLink(self, self._session(), address)
        return link

    def _later(self, delay: float, action: Callable[[], object]) -> None:
        self._timers.add(self._loop.call_later(delay, action))

    def _spawn(self, coroutine: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # ---- asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.Transport):
            self._transport = transport
        self._flush()

    def data_received(self, data: bytes) -> None:
        try:
            self._engine.feed(data)
        except ProtocolError as error:
            self._engine.fail(error)
        self._flush()
        if self._engine.closed and self._transport is not None:
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(ConnectionLostError(str(exc) if exc else "the connection was closed"))

    def _end(self, failure: AmqpError) -> None:
        for timer in self._timers:
            timer.cancel()
        if not self._opened.done():
            self._opened.set_exception(failure)
        if not self.lost.done():
            self.lost.set_result(failure)
        self._engine.lost()

    # ---- Handler

    def on_open(self) -> None:
        if not self._opened.done():
            self._opened.set_result(None)
        if self._engine.remote_idle_time_out:
            self._beat(self._engine.remote_idle_time_out / 2500)

    def _beat(self, interval: float) -> None:
        self._timers = {timer for timer in self._timers if not timer.cancelled() and timer.when() > self._loop.time()}
        self._engine.heartbeat()
        self._flush()
        self._later(interval, lambda: self._beat(interval))

    def on_attached(self, link: Link) -> None:
        if isinstance(link.context, RequestLink):
            link.context.on_attached(link)
        elif not link.context.attached.done():
            link.context.attached.set_result(None)

    def on_transfer(self, link: Link, delivery: Delivery) -> None:
        if isinstance(link.context, RequestLink):
            link.context.on_delivery(link, delivery)
        else:
            link.context.on_delivery(delivery)

    def on_settled(self, link: Link, delivery_id: int, state: DeliveryState | None) -> None:
        if isinstance(link.context, Receiver):
            link.context.on_settled(delivery_id, state)

    def on_detach(self, link: Link, error: Error | None) -> None:
        link.context.on_ended(failure_of(error))

    def on_close(self, error: Error | None) -> None:
        self._end(failure_of(error))
