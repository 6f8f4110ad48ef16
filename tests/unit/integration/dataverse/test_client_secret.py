"""Tokens by client secret: what msal asks goes through the transport, and what comes back means one thing each."""

import asyncio
import json
from collections.abc import Callable
from typing import Any, cast
from urllib.parse import parse_qs

import pytest

from integration.dataverse import client_secret_tokens, scope_of
from integration.errors import IntegrationError, Outage, Throttled
from integration.transport import BearerTokens, Request, Response, Transport
from tests.unit.integration.transport.parts import ManualClock

AUTHORITY = "https://login.example"
ENDPOINT = f"{AUTHORITY}/the-tenant/oauth2/v2.0/token"
DISCOVERED = {"token_endpoint": ENDPOINT, "authorization_endpoint": ENDPOINT, "issuer": f"{AUTHORITY}/the-tenant/v2.0"}
TOKEN = {"access_token": "abc", "expires_in": 3600, "token_type": "Bearer"}


class Authority:
    """Answers to the look-up of the endpoint with `found`, and to the rest with `answer`; stands for the transport."""

    def __init__(self) -> None:
        self.found: tuple[int, Any] = (200, DISCOVERED)
        self.answer: tuple[int, Any] = (200, TOKEN)
        self.headers: dict[str, str] = {}
        self.retry_after: float | None = None
        self.asked: list[Request] = []

    async def send(self, request: Request) -> Response:
        self.asked.append(request)
        status, content = self.found if request.method == "GET" else self.answer
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        kind = "text/html" if isinstance(content, bytes) else "application/json"
        return Response(request, status, {"content-type": kind, **self.headers}, body, self.retry_after)

    @property
    def sign_ins(self) -> list[Request]:
        return [request for request in self.asked if request.method == "POST"]


@pytest.fixture
def authority() -> Authority:
    return Authority()


@pytest.fixture
def tokens_of(authority: Authority, clock: ManualClock) -> Callable[..., BearerTokens]:
    def make(**more: Any) -> BearerTokens:
        return client_secret_tokens(
            cast("Transport", authority),
            authority=AUTHORITY + "/",
            tenant_id="the-tenant",
            client_id="the-client",
            client_secret="the-secret",
            dataverse_url="https://org.crm.dynamics.com/",
            clock=clock,
            **{"instance_discovery": False, **more},
        )

    return make


def test_the_scope_is_the_environment_whatever_path_its_address_has() -> None:
    assert scope_of("https://org.crm.dynamics.com/main.aspx?x=1") == "https://org.crm.dynamics.com/.default"


async def test_a_token_is_asked_for_as_oauth_says(authority: Authority, tokens_of: Callable[..., BearerTokens]) -> None:
    """One look-up of the endpoint, one form with our id and secret; the token is the header."""
    assert await tokens_of().headers() == {"Authorization": "Bearer abc"}

    look_up, sign_in = authority.asked
    assert look_up.url == f"{AUTHORITY}/the-tenant/v2.0/.well-known/openid-configuration"
    assert (look_up.service, look_up.operation) == ("dataverse", "find the token endpoint")
    assert (sign_in.service, sign_in.operation, sign_in.url) == ("dataverse", "sign in", ENDPOINT)
    assert sign_in.headers["Content-Type"] == "application/x-www-form-urlencoded"
    form = parse_qs((sign_in.body or b"").decode())
    assert form["grant_type"] == ["client_credentials"]
    assert (form["client_id"], form["client_secret"]) == (["the-client"], ["the-secret"])
    assert form["scope"] == ["https://org.crm.dynamics.com/.default"]


async def test_nothing_is_sent_before_a_token_is_needed(
    authority: Authority, tokens_of: Callable[..., BearerTokens]
) -> None:
    tokens_of()
    await asyncio.sleep(0)
    assert not authority.asked


async def test_a_token_that_has_ended_is_replaced_and_the_endpoint_is_known(
    authority: Authority, tokens_of: Callable[..., BearerTokens], clock: ManualClock
) -> None:
    """The library keeps tokens, too: it must not give us the old one back."""
    tokens = tokens_of()
    await tokens.headers()
    clock.elapsed = 4000
    authority.answer = (200, {**TOKEN, "access_token": "new"})

    assert await tokens.headers() == {"Authorization": "Bearer new"}
    assert len(authority.sign_ins) == 2
    assert len(authority.asked) == 3


async def test_a_genuine_authority_is_looked_up_at_microsoft(
    authority: Authority, tokens_of: Callable[..., BearerTokens]
) -> None:
    """Unless that is switched off, as for an authority that Microsoft does not know."""
    known = {"metadata": [], "tenant_discovery_endpoint": f"{AUTHORITY}/found"}
    authority.found = (200, {**DISCOVERED, **known})
    await tokens_of(instance_discovery=True).headers()

    assert any("/common/discovery/instance?" in request.url for request in authority.asked)
    assert any("api-version=" in request.url for request in authority.asked)


@pytest.mark.parametrize(
    ("answer", "retry_after", "expected"),
    [
        ((401, {"error": "invalid_client"}), None, (Outage, "dataverse-sign-in-refused")),
        ((400, {"error": "unauthorized_client"}), None, (Outage, "dataverse-sign-in-refused")),
        ((500, {}), None, (Outage, "dataverse-sign-in-unavailable")),
        ((429, {}), 7.0, (Throttled, "dataverse-throttled")),
        ((503, {}), 7.0, (Throttled, "dataverse-throttled")),
        ((200, b"<html>a gateway's page</html>"), None, (Outage, "dataverse-answer-unreadable")),
    ],
)
async def test_a_sign_in_that_fails_is_no_events_fault(
    authority: Authority,
    tokens_of: Callable[..., BearerTokens],
    answer: tuple[int, Any],
    retry_after: float | None,
    expected: tuple[type[IntegrationError], str],
) -> None:
    """Events wait until it is mended, and as long as was asked for."""
    authority.answer, authority.retry_after = answer, retry_after
    with pytest.raises(IntegrationError) as raised:
        await tokens_of().headers()
    assert (type(raised.value), raised.value.reason) == expected
    assert raised.value.service == "dataverse"
    assert getattr(raised.value, "retry_after", None) == retry_after


async def test_a_refusal_says_the_authoritys_word_and_no_secret(
    authority: Authority, tokens_of: Callable[..., BearerTokens]
) -> None:
    authority.answer = (401, {"error": "invalid_client", "error_description": "the-secret is wrong"})
    with pytest.raises(Outage, match="invalid_client") as raised:
        await tokens_of().headers()
    assert "the-secret" not in str(raised.value)


async def test_a_tenant_that_the_authority_does_not_know_is_a_refusal(
    authority: Authority, tokens_of: Callable[..., BearerTokens]
) -> None:
    authority.found = (400, {"error": "invalid_tenant"})
    with pytest.raises(Outage, match="does not know this tenant") as raised:
        await tokens_of().headers()
    assert raised.value.reason == "dataverse-sign-in-refused"


async def test_a_look_up_that_msal_cannot_use_lets_events_wait(
    authority: Authority, tokens_of: Callable[..., BearerTokens]
) -> None:
    """Something answered in the authority's place: no event is to blame for that."""
    authority.found = (200, {**DISCOVERED, "tenant_discovery_endpoint": f"{AUTHORITY}/found"})
    with pytest.raises(Outage) as raised:
        await tokens_of(instance_discovery=True).headers()
    assert raised.value.reason == "dataverse-sign-in-unavailable"


async def test_the_event_loop_goes_on_while_msal_waits(
    authority: Authority, tokens_of: Callable[..., BearerTokens]
) -> None:
    """What blocks runs in a thread."""
    turns = 0

    async def turn() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    other = asyncio.create_task(turn())
    await tokens_of().headers()
    other.cancel()
    assert turns > 3
