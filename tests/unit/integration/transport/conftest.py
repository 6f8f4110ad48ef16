"""What every test of the transport may ask for."""

import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress

import pytest

from integration.clock import Clock, SystemClock
from integration.transport import Host, Transport
from tests.unit.integration.transport.parts import ManualClock, Server, TransportTo, attend, reply


@pytest.fixture
def server() -> Iterator[Server]:
    """A server that answers 200 `{}` until the test says otherwise."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = Server(f"http://127.0.0.1:{listener.getsockname()[1]}", lambda _: None)
    server.answer(reply())

    def accept() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=attend, args=(server, connection), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    yield server
    listener.close()


@pytest.fixture
def clock() -> ManualClock:
    """A clock that stands still."""
    return ManualClock()


@pytest.fixture
async def transport_to() -> AsyncIterator[TransportTo]:
    """Transports that may call the hosts named, by the machine's clock unless the test brings one."""
    made: list[Transport] = []

    def make(*hosts: Host, clock: Clock | None = None) -> Transport:
        made.append(Transport(hosts, clock=clock or SystemClock()))
        return made[-1]

    yield make
    for transport in made:
        await transport.aclose()
