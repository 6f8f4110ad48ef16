"""The connection of a listener: it is kept alive by pings, and one that is dead without a word is made anew."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from tests.contract.sandbox.azure.relay.listening import HEADER, token
from tests.contract.sandbox.azure.relay.relay_process import (
    LISTEN_KEY,
    PATIENCE,
    RelayProcess,
    listener,
    packages,
    until,
)

IDLE, PING = 3.0, 0.25


@pytest.fixture
def relay() -> Iterator[RelayProcess]:
    """It drops a listener that says nothing for a short while."""
    relay = RelayProcess(idle_seconds=IDLE)
    relay.start()
    yield relay
    relay.kill()


@pytest.fixture
def log(relay: RelayProcess, tmp_path: Path) -> Iterator[Path]:
    """What Microsoft's listener says, which pings often here."""
    said = tmp_path / "listener.log"
    node: subprocess.Popen[bytes] = listener(
        relay, "http://127.0.0.1:9", packages=packages(), ping_seconds=PING, log=said
    )
    try:
        relay.wait_for_listeners(1)
        yield said
    finally:
        node.kill()
        node.wait(PATIENCE)


def connections(log: Path) -> int:
    return log.read_text(encoding="utf-8").count("listening at")


async def test_a_listener_that_pings_keeps_its_connection_and_a_silent_one_is_dropped(
    relay: RelayProcess, log: Path, session: aiohttp.ClientSession
) -> None:
    """The silent one comes later, so the other has been idle for longer, but for its pings."""
    given = {HEADER: await token(relay, "listen", LISTEN_KEY)}
    async with session.ws_connect(f"{relay.web_socket_url}?sb-hc-action=listen", headers=given) as socket:
        closed = await socket.receive()
    assert closed.type in {aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED}
    assert socket.close_code == aiohttp.WSCloseCode.GOING_AWAY
    assert (relay.listeners(), connections(log)) == (1, 1)


def test_a_relay_that_does_not_answer_any_more_is_connected_again(relay: RelayProcess, log: Path) -> None:
    """Nobody closes such a connection: only a ping without an answer shows it."""
    relay.freeze()
    until(lambda: "does not answer any more" in log.read_text(encoding="utf-8"), "the listener notices")
    relay.thaw()
    until(lambda: connections(log) == 2, "a second connection")
    relay.wait_for_listeners(1)


def test_a_relay_that_was_away_is_connected_again(relay: RelayProcess, log: Path) -> None:
    relay.kill()
    relay.start()
    until(lambda: connections(log) >= 2, "another connection")
    relay.wait_for_listeners(1)
