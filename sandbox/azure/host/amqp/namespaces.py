"""One shared connection per namespace, kept up: it reconnects with back-off, and logs a failure once."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable

from sandbox.azure.host.amqp.client import AmqpConnection
from sandbox.azure.host.amqp.connection_string import NamespaceConnection
from sandbox.azure.host.amqp.links import AmqpError, ConnectionLostError

log = logging.getLogger(__name__)

FIRST_DELAY, LONGEST_DELAY = 0.1, 5.0


class BackOff:
    """Growing pauses with jitter; logs a failure once, and its end once."""

    def __init__(self, subject: str, longest: float = LONGEST_DELAY) -> None:
        self._subject = subject
        self._longest = longest
        self._delay = FIRST_DELAY
        self._said: str | None = None

    async def failed(self, error: BaseException) -> None:
        """Log what failed, unless that was logged before, and pause."""
        text = f"{type(error).__name__}: {error}"
        if text != self._said:
            self._said = text
            log.warning("%s: %s; trying again until it works", self._subject, text)
        await asyncio.sleep(self._delay * random.uniform(0.8, 1.2))
        self._delay = min(self._delay * 2, self._longest)

    def succeeded(self) -> None:
        """Log that it works again, if it had failed."""
        self._delay = FIRST_DELAY
        if self._said is not None:
            self._said = None
            log.info("%s: works again", self._subject)


class Namespace:
    """The connection that all listeners of one namespace share."""

    def __init__(self, address: NamespaceConnection, container: str) -> None:
        self.address = address
        self._container = container
        self._connection: AmqpConnection | None = None
        self._opening = asyncio.Lock()
        self._back_off = BackOff(f"Namespace {address.host}:{address.port}")

    async def connection(self) -> AmqpConnection:
        """The live connection; waits, however long, until there is one."""
        async with self._opening:
            while self._connection is None or self._connection.lost.done():
                try:
                    self._connection = await AmqpConnection.open(self.address, self._container)
                except (OSError, TimeoutError, AmqpError) as error:
                    await self._back_off.failed(error)
                else:
                    self._back_off.succeeded()
                    log.info("Connected to namespace %s:%d", self.address.host, self.address.port)
            return self._connection

    def close(self) -> None:
        """Close the connection in order."""
        if self._connection is not None:
            self._connection.close()


async def keep_trying(back_off: BackOff, work: Callable[[], Awaitable[None]]) -> None:
    """Run `work` for ever; when it fails with an AMQP error, pause and run it again.

    `work` says `back_off.succeeded()` as soon as it has what it needs.
    """
    while True:
        try:
            await work()
        except ConnectionLostError:
            await asyncio.sleep(FIRST_DELAY * random.uniform(0.5, 1.5))  # the namespace logs what happened
        except (AmqpError, TimeoutError) as error:
            await back_off.failed(error)
