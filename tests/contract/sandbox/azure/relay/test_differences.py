"""What Azure Relay does otherwise than the stand-in is on the page, and what is there is still so."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator

import aiohttp
import pytest

from tests.contract.sandbox.azure.relay.listening import HEADER, Listener, sender, token
from tests.contract.sandbox.azure.relay.relay_process import LISTEN_KEY, RelayProcess
from tests.contract.sandbox.differences import listed

Probe = Callable[[RelayProcess, aiohttp.ClientSession], Awaitable[None]]
SEVERAL = 200


@pytest.fixture(scope="module")
def relay() -> Iterator[RelayProcess]:
    relay = RelayProcess()
    relay.start()
    yield relay
    assert relay.stop() == 0


async def refused(relay: RelayProcess, session: aiohttp.ClientSession, headers: dict[str, str]) -> int:
    async with session.get(relay.url, headers=headers) as answer:
        return answer.status


async def no_web_sockets(relay: RelayProcess, session: aiohttp.ClientSession) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as raised:
        await session.ws_connect(f"{relay.web_socket_url}?sb-hc-action=connect", headers=await sender(relay))
    assert raised.value.status == 400


async def no_entra(relay: RelayProcess, session: aiohttp.ClientSession) -> None:
    assert await refused(relay, session, {HEADER: "eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJyZWxheSJ9.c2ln"}) == 401


async def nobody_is_anonymous(relay: RelayProcess, session: aiohttp.ClientSession) -> None:
    assert await refused(relay, session, {}) == 401


async def one_rendezvous_for_each(relay: RelayProcess, session: aiohttp.ClientSession) -> None:
    given = {HEADER: await token(relay, "listen", LISTEN_KEY)}
    async with session.ws_connect(f"{relay.web_socket_url}?sb-hc-action=listen", headers=given) as socket:
        await asyncio.to_thread(relay.wait_for_listeners, 1)
        listener = Listener(session, socket)
        for _ in range(2):
            answering = asyncio.create_task(listener.answer(b"done"))
            async with session.put(relay.url, data=b"x" * 70_000, headers=await sender(relay)) as answer:
                assert answer.status == 200
            await answering
    assert ["method" in request for request, _ in listener.heard] == [False, True, False, True]


async def no_limits(relay: RelayProcess, session: aiohttp.ClientSession) -> None:
    headers = await sender(relay)
    assert {await refused(relay, session, headers) for _ in range(SEVERAL)} == {404}


DIFFERENCES: dict[str, Probe] = {
    "WebSockets of senders (`accept`)": no_web_sockets,
    "Entra tokens": no_entra,
    "senders without a token, where a hybrid connection allows them": nobody_is_anonymous,
    "a rendezvous serves further requests of the same sender": one_rendezvous_for_each,
    "requests are refused with 429": no_limits,
}


def test_the_page_lists_the_differences_that_are_tried_here() -> None:
    assert listed("sandbox.md", "### Known differences of Azure Relay") == list(DIFFERENCES)


@pytest.mark.parametrize("difference", DIFFERENCES)
async def test_a_listed_difference_is_there(
    relay: RelayProcess, session: aiohttp.ClientSession, difference: str
) -> None:
    """When this fails because the stand-in now does it: take the row off the page and out of this list."""
    await DIFFERENCES[difference](relay, session)
