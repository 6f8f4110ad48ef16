"""What the app says to Azure Relay, and what the relay itself says, told apart from the system behind it."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import parse_qs, unquote

import pytest

from integration.errors import IntegrationError, Outage, Throttled
from integration.transport import ApiKey, RelaySender, RelayTokens, SharedAccessSignatures, ThroughRelay
from tests.unit.integration.transport.parts import ManualClock, Server, TransportTo, get, host, reply

URL = "https://contoso.servicebus.windows.net/erp/api"


class Tokens:
    """An authorizer with one token after the other."""

    def __init__(self) -> None:
        self.given = 1

    async def headers(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer token-{self.given}"}

    def refused(self, given: Mapping[str, str]) -> bool:
        if given == {"Authorization": f"Bearer token-{self.given}"}:
            self.given += 1
        return True


async def test_an_entra_token_goes_to_the_relay_as_it_is() -> None:
    """Microsoft's own senders put it into the header without a scheme."""
    tokens = RelayTokens(Tokens())
    assert await tokens.headers() == {"ServiceBusAuthorization": "token-1"}
    assert tokens.refused({"ServiceBusAuthorization": "token-1"})
    assert await tokens.headers() == {"ServiceBusAuthorization": "token-2"}


async def test_a_signature_covers_the_hybrid_connection_for_an_hour(clock: ManualClock) -> None:
    """Not the path behind it: the key was made for the hybrid connection."""
    signed = await SharedAccessSignatures(URL, key_name="send only", key="k", clock=clock).headers()
    scheme, _, claims = signed["ServiceBusAuthorization"].partition(" ")
    found = {name: values[0] for name, values in parse_qs(claims).items()}
    assert scheme == "SharedAccessSignature"
    assert (found["sr"], found["skn"]) == ("http://contoso.servicebus.windows.net/erp", "send only")
    assert int(found["se"]) == int(clock.now().timestamp()) + 3_600
    resource = next(part.removeprefix("sr=") for part in claims.split("&") if part.startswith("sr="))
    wanted = hmac.new(b"k", f"{resource}\n{found['se']}".encode(), hashlib.sha256).digest()
    raw = next(part.removeprefix("sig=") for part in claims.split("&") if part.startswith("sig="))
    assert base64.b64decode(unquote(raw)) == wanted


async def test_both_sign_ins_travel_together() -> None:
    both = ThroughRelay(Tokens(), RelayTokens(Tokens()))
    assert await both.headers() == {"Authorization": "Bearer token-1", "ServiceBusAuthorization": "token-1"}


async def test_a_401_may_be_of_the_relay_or_of_the_system() -> None:
    """Both get a new token; a key has no other one, and a signature is of the same key."""
    own, relay = Tokens(), Tokens()
    both = ThroughRelay(own, RelayTokens(relay))
    assert both.refused(await both.headers())
    assert (own.given, relay.given) == (2, 2)
    assert ThroughRelay(ApiKey("k"), RelayTokens(relay)).refused({})
    signatures = SharedAccessSignatures(URL, key_name="n", key="k", clock=ManualClock())
    assert not ThroughRelay(ApiKey("k"), signatures).refused({})


@pytest.mark.parametrize(
    ("status", "kind", "reason"),
    [
        (302, Outage, "erp-relay-failed"),
        (400, Outage, "erp-relay-failed"),
        (401, Outage, "erp-relay-refused"),
        (403, Outage, "erp-relay-refused"),
        (404, Outage, "erp-relay-no-listener"),
        (429, Throttled, "erp-throttled"),
        (500, Outage, "erp-relay-failed"),
        (502, Outage, "erp-relay-no-listener"),
        (503, Outage, "erp-relay-no-listener"),
        (504, Outage, "erp-relay-timeout"),
    ],
)
async def test_what_the_relay_answers_is_an_outage(
    server: Server, transport_to: TransportTo, status: int, kind: type[IntegrationError], reason: str
) -> None:
    """Also where it has the form of the system's own words: without `Via`, nobody behind the relay has said it."""
    problem = b'{"type": "https://problems.example/not-found"}'
    server.answer(reply(status, problem, Content_Type="application/problem+json"))
    with pytest.raises(kind) as raised:
        await RelaySender(transport_to(host(server))).send(get(server))
    assert (type(raised.value), raised.value.reason, raised.value.service) == (kind, reason, "erp")


@pytest.mark.parametrize("status", [200, 404, 409, 503])
async def test_what_comes_from_the_listener_is_left_to_the_systems_client(
    server: Server, transport_to: TransportTo, status: int
) -> None:
    server.answer(reply(status, Via="1.1 contoso.servicebus.windows.net"))
    assert (await RelaySender(transport_to(host(server))).send(get(server))).status == status
