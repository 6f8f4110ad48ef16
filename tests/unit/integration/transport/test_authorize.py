"""Tokens: kept, renewed in time, by one thread, and dropped when refused."""

import threading
import time
from collections.abc import Callable

import pytest

from integration.errors import Permanent, Transient
from integration.transport import ApiKey, BearerTokens, Token, client_credentials
from tests.unit.integration.transport.parts import ManualClock, Server, get, host, reply, transport_to


class Issuer:
    """Gives tokens t1, t2, ... good for a minute; can be told to fail or to wait."""

    def __init__(self) -> None:
        self.calls = 0
        self.failing = False
        self.gate = threading.Event()
        self.gate.set()

    def __call__(self) -> Token:
        self.calls += 1
        number = self.calls
        self.gate.wait(5)
        if self.failing:
            raise Transient("the token endpoint is away")
        return Token(f"t{number}", 60)


def bearer(number: int) -> dict[str, str]:
    return {"Authorization": f"Bearer t{number}"}


def in_threads(count: int, do: Callable[[], object]) -> tuple[list[threading.Thread], list[object]]:
    """`do` in so many threads; their results or exceptions are in the list once they are joined."""
    results: list[object] = []

    def run() -> None:
        try:
            results.append(do())
        except Transient as error:
            results.append(error)

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    return threads, results


def test_a_token_is_kept_until_shortly_before_its_end(clock: ManualClock) -> None:
    issuer = Issuer()
    tokens = BearerTokens(issuer, clock=clock)
    assert [tokens.headers(), tokens.headers()] == [bearer(1), bearer(1)]
    clock.elapsed = 47
    assert tokens.headers() == bearer(1)
    clock.elapsed = 49
    assert tokens.headers() == bearer(2)
    assert issuer.calls == 2


def test_many_threads_without_a_token_make_one_request(clock: ManualClock) -> None:
    issuer = Issuer()
    issuer.gate.clear()
    threads, results = in_threads(20, BearerTokens(issuer, clock=clock).headers)
    issuer.gate.set()
    for thread in threads:
        thread.join()
    assert results == [bearer(1)] * 20
    assert issuer.calls == 1


def test_threads_that_wait_share_a_failure_too(clock: ManualClock) -> None:
    """A token endpoint in trouble gets one request, not one per thread after the other."""
    issuer = Issuer()
    issuer.failing = True
    issuer.gate.clear()
    tokens = BearerTokens(issuer, clock=clock)
    asking, first = in_threads(1, tokens.headers)
    while issuer.calls < 1:
        time.sleep(0.001)
    waiting, others = in_threads(9, tokens.headers)
    time.sleep(0.3)
    issuer.gate.set()
    for thread in asking + waiting:
        thread.join()
    assert [type(result) for result in first + others] == [Transient] * 10
    assert issuer.calls == 1
    issuer.failing = False
    assert tokens.headers() == bearer(2)


def test_nobody_waits_for_a_renewal_while_the_old_token_works(clock: ManualClock) -> None:
    issuer = Issuer()
    tokens = BearerTokens(issuer, clock=clock)
    tokens.headers()
    clock.elapsed = 50
    issuer.gate.clear()
    (renewing,), _ = in_threads(1, tokens.headers)
    while issuer.calls < 2:
        time.sleep(0.001)
    assert tokens.headers() == bearer(1)
    issuer.gate.set()
    renewing.join()
    assert tokens.headers() == bearer(2)


def test_a_renewal_that_fails_costs_nothing_while_the_old_token_works(clock: ManualClock) -> None:
    """And it is not tried again with every call."""
    issuer = Issuer()
    tokens = BearerTokens(
        lambda: Token("old", 1000) if issuer.calls == 0 and not issuer.failing else issuer(), clock=clock
    )
    tokens.headers()
    issuer.failing = True
    clock.elapsed = 850
    assert [tokens.headers() for _ in range(5)] == [{"Authorization": "Bearer old"}] * 5
    assert issuer.calls == 1
    clock.elapsed = 1001
    with pytest.raises(Transient):
        tokens.headers()


def test_a_refused_token_is_replaced_and_the_call_goes_out_once_more(server: Server, clock: ManualClock) -> None:
    issuer = Issuer()
    tokens = BearerTokens(issuer, clock=clock)
    server.answer(reply(401), reply(200))
    assert transport_to(host(server), clock=clock).send(get(server), authorizer=tokens).ok
    assert [b"Bearer t1" in server.heard[0], b"Bearer t2" in server.heard[1]] == [True, True]


def test_a_second_401_is_the_answer(server: Server, clock: ManualClock) -> None:
    server.answer(reply(401))
    tokens = BearerTokens(Issuer(), clock=clock)
    assert transport_to(host(server), clock=clock).send(get(server), authorizer=tokens).status == 401
    assert len(server.heard) == 2


def test_a_refused_api_key_is_not_sent_again(server: Server, clock: ManualClock) -> None:
    server.answer(reply(401))
    assert transport_to(host(server), clock=clock).send(get(server), authorizer=ApiKey("k")).status == 401
    assert len(server.heard) == 1


def test_a_late_401_does_not_drop_the_token_that_came_since(clock: ManualClock) -> None:
    issuer = Issuer()
    tokens = BearerTokens(issuer, clock=clock)
    old = tokens.headers()
    tokens.refused(old)
    new = tokens.headers()
    tokens.refused(old)
    assert tokens.headers() == new


def test_client_credentials_are_exchanged_for_a_token(server: Server, clock: ManualClock) -> None:
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
    assert tokens.headers() == {"Authorization": "Bearer abc"}
    body = server.heard[0].partition(b"\r\n\r\n")[2]
    assert body == b"grant_type=client_credentials&client_id=me&client_secret=s%26cret&scope=all+of+it"


@pytest.mark.parametrize(
    ("answer", "kind", "reason"),
    [
        (reply(401, b'{"error":"invalid_client"}'), Transient, "erp-sign-in-refused"),
        (reply(400, b'{"error":"invalid_scope"}'), Transient, "erp-sign-in-refused"),
        (reply(503), Transient, "erp-unavailable"),
        (reply(200, b'{"token_type":"Bearer"}'), Permanent, "erp-answer-invalid"),
    ],
)
def test_a_token_endpoint_that_refuses(
    server: Server, clock: ManualClock, answer: bytes, kind: type[Exception], reason: str
) -> None:
    """Wrong credentials are permanent, an endpoint in trouble is not; the secret is in no message."""
    server.answer(answer)
    tokens = client_credentials(
        transport_to(host(server), clock=clock),
        service="erp",
        token_url=server.url,
        client_id="me",
        client_secret="hush-hush",
        clock=clock,
    )
    with pytest.raises(kind) as raised:
        tokens.headers()
    assert raised.value.reason == reason  # type: ignore[attr-defined]
    assert "hush-hush" not in str(raised.value)
