"""The stand-in for Azure Relay speaks the Hybrid Connections protocol, as a listener written for it sees it."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator

import aiohttp
import pytest

from tests.contract.sandbox.azure.relay.listening import HEADER, Listener, sender, token
from tests.contract.sandbox.azure.relay.relay_process import LISTEN_KEY, SEND_KEY, RelayProcess

TOO_LARGE = 70_000
"""Bytes of a body that does not fit on the control channel (64 KB)."""


@pytest.fixture(scope="module")
def relay() -> Iterator[RelayProcess]:
    """One relay, which gives a listener one second for an answer."""
    relay = RelayProcess(answer_seconds=1.0)
    relay.start()
    yield relay
    assert relay.stop() == 0


@pytest.fixture
async def listener(relay: RelayProcess, session: aiohttp.ClientSession) -> AsyncIterator[Listener]:
    """A listener that is connected."""
    given = {HEADER: await token(relay, "listen", LISTEN_KEY)}
    async with session.ws_connect(f"{relay.web_socket_url}?sb-hc-action=listen", headers=given) as socket:
        await asyncio.to_thread(relay.wait_for_listeners, 1)
        yield Listener(session, socket)
    await asyncio.to_thread(relay.wait_for_listeners, 0)


async def test_a_small_request_travels_on_the_control_channel(
    relay: RelayProcess, session: aiohttp.ClientSession, listener: Listener
) -> None:
    """Without what was for the relay, or of one connection; with the system's own sign-in."""
    answering = asyncio.create_task(listener.answer(b"done", X_Number="7", Connection="close"))
    headers = await sender(relay) | {"Authorization": "Bearer of the system", "X-Api-Key": "k"}
    async with session.post(f"{relay.url}/api/orders?a=b%20c", data=b"{}", headers=headers) as answer:
        assert (answer.status, await answer.read(), answer.headers["X-Number"]) == (200, b"done", "7")
        assert answer.headers["Via"] == f"1.1 127.0.0.1:{relay.port}"
    await answering
    request, body = listener.heard[0]
    assert (request["method"], request["requestTarget"], body) == ("POST", "/erp/api/orders?a=b+c", b"{}")
    passed = {name.lower(): value for name, value in request["requestHeaders"].items()}
    assert (passed["authorization"], passed["x-api-key"]) == ("Bearer of the system", "k")
    assert not passed.keys() & {HEADER.lower(), "host", "content-length", "connection"}


@pytest.mark.parametrize("rendezvous", [False, True])
async def test_a_large_request_is_fetched_at_its_address(
    relay: RelayProcess, session: aiohttp.ClientSession, listener: Listener, rendezvous: bool
) -> None:
    """And answered there; so may be a small one."""
    sent = b"x" * (10 if rendezvous else TOO_LARGE)
    answering = asyncio.create_task(listener.answer(b"y" * TOO_LARGE, rendezvous=rendezvous))
    async with session.put(relay.url, data=sent, headers=await sender(relay)) as answer:
        assert await answer.read() == b"y" * TOO_LARGE
    await answering
    assert (listener.heard[-1][1], len(listener.heard)) == (sent, 1 if rendezvous else 2)
    if not rendezvous:
        assert "method" not in listener.heard[0][0]


async def test_without_a_listener_the_relay_says_so_itself(relay: RelayProcess, session: aiohttp.ClientSession) -> None:
    async with session.get(relay.url, headers=await sender(relay)) as answer:
        assert answer.status == 404
        assert "Via" not in answer.headers
        assert "TrackingId:" in await answer.text()


async def test_a_listener_that_does_not_answer_is_a_504(
    relay: RelayProcess, session: aiohttp.ClientSession, listener: Listener
) -> None:
    async with session.get(relay.url, headers=await sender(relay)) as answer:
        assert (answer.status, "Via" in answer.headers) == (504, False)


@pytest.mark.parametrize(
    ("name", "key", "path", "seconds", "status"),
    [
        ("send", "another key", "", 0, 401),
        ("nobody", SEND_KEY, "", 0, 401),
        ("send", SEND_KEY, "", -7_200, 401),
        ("listen", LISTEN_KEY, "", 0, 403),
        ("send", SEND_KEY, "http://127.0.0.1/another", 0, 403),
    ],
    ids=["wrong key", "unknown key", "expired", "no right to send", "for another connection"],
)
async def test_who_may_not_send_is_refused_by_the_relay(  # noqa: PLR0917 -- the columns of the table above
    relay: RelayProcess,
    session: aiohttp.ClientSession,
    name: str,
    key: str,
    path: str,
    seconds: int,
    status: int,
) -> None:
    given = {HEADER: await token(relay, name, key, path=path, seconds=seconds)}
    async with session.get(relay.url, headers=given) as answer:
        assert (answer.status, "Via" in answer.headers) == (status, False)


async def test_a_token_may_stand_in_the_query_and_never_travels_on(
    relay: RelayProcess, session: aiohttp.ClientSession, listener: Listener
) -> None:
    answering = asyncio.create_task(listener.answer(b""))
    given = await token(relay, "send", SEND_KEY)
    async with session.get(relay.url, params={"sb-hc-token": given, "a": "b"}) as answer:
        assert answer.status == 200
    await answering
    assert listener.heard[0][0]["requestTarget"] == "/erp?a=b"


async def test_an_unknown_hybrid_connection_does_not_exist(relay: RelayProcess, session: aiohttp.ClientSession) -> None:
    async with session.get(f"http://127.0.0.1:{relay.port}/another", headers=await sender(relay)) as answer:
        assert (answer.status, "Via" in answer.headers) == (404, False)


async def test_who_may_not_listen_is_refused(relay: RelayProcess, session: aiohttp.ClientSession) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as raised:
        await session.ws_connect(f"{relay.web_socket_url}?sb-hc-action=listen", headers=await sender(relay))
    assert raised.value.status == 403


@pytest.mark.parametrize("name", ["listen", "send"])
async def test_a_control_channel_ends_with_its_newest_token(
    relay: RelayProcess, session: aiohttp.ClientSession, listener: Listener, name: str
) -> None:
    """With the close code that the protocol has for it. One that does not allow to listen ends it at once."""
    fresh = await token(relay, name, LISTEN_KEY, seconds=-3_600 + 1)
    await listener.socket.send_str(json.dumps({"renewToken": {"token": fresh}}))
    end = await listener.socket.receive()
    assert (end.type, end.data) == (aiohttp.WSMsgType.CLOSE, 1008)


async def test_an_address_is_good_for_one_request(
    relay: RelayProcess, session: aiohttp.ClientSession, listener: Listener
) -> None:
    answering = asyncio.create_task(listener.answer(b"once"))
    async with session.get(relay.url, headers=await sender(relay)) as answer:
        assert answer.status == 200
    await answering
    with pytest.raises(aiohttp.WSServerHandshakeError) as raised:
        await session.ws_connect(listener.heard[0][0]["address"])
    assert raised.value.status == 403
