"""Tokens: kept, renewed in time, by one call, and dropped when refused."""

import asyncio

import pytest

from integration.errors import Outage
from integration.transport import ApiKey, BearerTokens, Token, client_credentials
from tests.unit.integration.transport.parts import ManualClock, Server, TransportTo, get, host, reply


class Issuer:
    """Gives tokens t1, t2, ... good for a minute (or `lifetime` seconds); can be made to fail or to wait."""

    def __init__(self, lifetime: float = 60) -> None:
        self.calls = 0
        self.lifetime = lifetime
        self.failing = False
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self) -> Token:
        self.calls += 1
        number = self.calls
        await self.gate.wait()
        if self.failing:
            raise Outage("the token endpoint is away")
        return Token(f"t{number}", self.lifetime)


def bearer(number: int) -> dict[str, str]:
    return {"Authorization": f"Bearer t{number}"}


async def until_idle() -> None:
    """Let everything run that need not wait for anybody."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_a_token_is_kept_until_shortly_before_its_end(clock: ManualClock) -> None:
    issuer = Issuer()
    tokens = BearerTokens(issuer, clock=clock)
    assert [await tokens.headers(), await tokens.headers()] == [bearer(1), bearer(1)]
    clock.elapsed = 47
    assert await tokens.headers() == bearer(1)
    await until_idle()
    assert issuer.calls == 1
    clock.elapsed = 49
    await tokens.headers()
    await until_idle()
    assert await tokens.headers() == bearer(2)
    assert issuer.calls == 2


async def test_many_calls_without_a_token_make_one_request(clock: ManualClock) -> None:
    issuer = Issuer()
    tokens = BearerTokens(issuer, clock=clock)
    assert await asyncio.gather(*[tokens.headers() for _ in range(20)]) == [bearer(1)] * 20
    assert issuer.calls == 1


async def test_calls_that_wait_share_a_failure_too(clock: ManualClock) -> None:
    """A token endpoint in trouble gets one request, not one per call after the other."""
    issuer = Issuer()
    issuer.failing = True
    tokens = BearerTokens(issuer, clock=clock)
    results = await asyncio.gather(*[tokens.headers() for _ in range(10)], return_exceptions=True)
    assert [type(result) for result in results] == [Outage] * 10
    assert issuer.calls == 1
    issuer.failing = False
    assert await tokens.headers() == bearer(2)


async def test_a_call_that_is_cancelled_does_not_end_the_fetch_for_the_others(clock: ManualClock) -> None:
    issuer = Issuer()
    issuer.gate.clear()
    tokens = BearerTokens(issuer, clock=clock)
    first, second = asyncio.ensure_future(tokens.headers()), asyncio.ensure_future(tokens.headers())
    await until_idle()
    first.cancel()
    issuer.gate.set()
    assert await second == bearer(1)
    assert issuer.calls == 1


async def test_nobody_waits_for_a_renewal_while_the_old_token_works(clock: ManualClock) -> None:
    issuer = Issuer()
    tokens = BearerTokens(issuer, clock=clock)
    await tokens.headers()
    clock.elapsed = 50
    issuer.gate.clear()
    assert [await tokens.headers() for _ in range(3)] == [bearer(1)] * 3
    await until_idle()
    assert issuer.calls == 2
    issuer.gate.set()
    await until_idle()
    assert await tokens.headers() == bearer(2)


async def test_a_renewal_that_fails_costs_nothing_while_the_old_token_works(clock: ManualClock) -> None:
    """And it is not tried again with every call."""
    issuer = Issuer(1000)
    tokens = BearerTokens(issuer, clock=clock)
    await tokens.headers()
    issuer.failing = True
    clock.elapsed = 850
    for _ in range(5):
        assert await tokens.headers() == bearer(1)
        await until_idle()
    assert issuer.calls == 2
    clock.elapsed = 1001
    with pytest.raises(Outage):
        await tokens.headers()


def test_a_renewal_of_another_event_loop_is_not_waited_for(clock: ManualClock) -> None:
    """A loop that ended in the middle of it must not hang the next one."""
    issuer = Issuer()
    issuer.gate.clear()
    tokens = BearerTokens(issuer, clock=clock)

    async def give_up() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(tokens.headers(), 0.01)

    asyncio.run(give_up())
    issuer.gate = asyncio.Event()
    issuer.gate.set()
    assert asyncio.run(tokens.headers()) == bearer(2)


async def test_a_refused_token_is_replaced_and_the_call_goes_out_once_more(
    server: Server, transport_to: TransportTo, clock: ManualClock
) -> None:
    issuer = Issuer()
    tokens = BearerTokens(issuer, clock=clock)
    server.answer(reply(401), reply(200))
    assert (await transport_to(host(server), clock=clock).send(get(server), authorizer=tokens)).ok
    assert [b"Bearer t1" in server.heard[0], b"Bearer t2" in server.heard[1]] == [True, True]


async def test_a_second_401_is_the_answer(server: Server, transport_to: TransportTo, clock: ManualClock) -> None:
    server.answer(reply(401))
    tokens = BearerTokens(Issuer(), clock=clock)
    assert (await transport_to(host(server), clock=clock).send(get(server), authorizer=tokens)).status == 401
    assert len(server.heard) == 2


async def test_a_refused_api_key_is_not_sent_again(
    server: Server, transport_to: TransportTo, clock: ManualClock
) -> None:
    server.answer(reply(401))
    assert (await transport_to(host(server), clock=clock).send(get(server), authorizer=ApiKey("k"))).status == 401
    assert len(server.heard) == 1


async def test_a_late_401_does_not_drop_the_token_that_came_since(clock: ManualClock) -> None:
    issuer = Issuer()
    tokens = BearerTokens(issuer, clock=clock)
    old = await tokens.headers()
    tokens.refused(old)
    new = await tokens.headers()
    tokens.refused(old)
    assert await tokens.headers() == new


async def test_client_credentials_are_exchanged_for_a_token(
    server: Server, transport_to: TransportTo, clock: ManualClock
) -> None:
    server.answer(reply(200, b'{"access_token":"abc","token_type":"Bearer","expires_in":3600}'))
    tokens = client_credentials(
        transport_to(host(server), clock=clock),
        service="erp",
        token_url=server.url + "/token",
        client_id="me",
        client_secret="s&cret",
        scope="all of it",
        clock=clock,
    )
    assert await tokens.headers() == {"Authorization": "Bearer abc"}
    body = server.heard[0].partition(b"\r\n\r\n")[2]
    assert body == b"grant_type=client_credentials&client_id=me&client_secret=s%26cret&scope=all+of+it"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (reply(401, b'{"error":"invalid_client"}'), "erp-sign-in-refused"),
        (reply(400, b'{"error":"invalid_scope"}'), "erp-sign-in-refused"),
        (reply(403), "erp-sign-in-refused"),
        (reply(503), "erp-sign-in-unavailable"),
        (reply(302, Location="/sorry"), "erp-sign-in-unavailable"),
        (reply(404, b"<html>", Content_Type="text/html"), "erp-sign-in-unavailable"),
        (reply(200, b"<html>", Content_Type="text/html"), "erp-answer-unreadable"),
        (reply(200, b'{"token_type":"Bearer"}'), "erp-answer-invalid"),
    ],
)
async def test_a_token_endpoint_that_refuses(
    server: Server, transport_to: TransportTo, clock: ManualClock, answer: bytes, reason: str
) -> None:
    """Whatever is wrong, events wait until somebody has mended it; the secret is in no message."""
    server.answer(answer)
    tokens = client_credentials(
        transport_to(host(server), clock=clock),
        service="erp",
        token_url=server.url,
        client_id="me",
        client_secret="hush-hush",
        clock=clock,
    )
    with pytest.raises(Outage) as raised:
        await tokens.headers()
    assert raised.value.reason == reason
    assert "hush-hush" not in str(raised.value)
