"""What a token endpoint that fails means for the event that needed the token."""

import pytest

from integration.errors import Outage, Throttled
from integration.transport import Request, Response
from integration.transport.oauth import client_credentials, sign_in_failure
from tests.unit.integration.transport.parts import ManualClock, Server, TransportTo, host, reply


@pytest.mark.parametrize(
    ("status", "retry_after", "kind", "reason"),
    [
        (429, None, Throttled, "erp-throttled"),
        (429, 5.0, Throttled, "erp-throttled"),
        (503, 5.0, Throttled, "erp-throttled"),
        (503, None, Outage, "erp-sign-in-unavailable"),
        (500, None, Outage, "erp-sign-in-unavailable"),
        (404, None, Outage, "erp-sign-in-unavailable"),
        (400, None, Outage, "erp-sign-in-refused"),
        (401, None, Outage, "erp-sign-in-refused"),
        (403, None, Outage, "erp-sign-in-refused"),
    ],
)
def test_a_token_endpoint_that_fails_is_no_events_fault(
    status: int, retry_after: float | None, kind: type[Outage], reason: str
) -> None:
    """It says whether somebody has to mend it, or how long it wants to be left alone."""
    request = Request("erp", "sign in", "POST", "https://login.example/token")
    error = sign_in_failure(Response(request, status, {}, b"", retry_after))

    assert type(error) is kind
    assert (error.reason, error.service) == (reason, "erp")
    assert getattr(error, "retry_after", None) == retry_after


async def test_a_token_that_does_not_say_how_long_it_holds_is_used_for_minutes(
    server: Server, transport_to: TransportTo, clock: ManualClock
) -> None:
    """RFC 6749 5.1 only recommends that it says so; long is a risk, and short costs a request."""
    server.answer(reply(200, b'{"access_token":"a"}'), reply(200, b'{"access_token":"b"}'))
    tokens = client_credentials(
        transport_to(host(server)),
        service="erp",
        token_url=f"{server.url}/token",
        client_id="i",
        client_secret="s",
        clock=clock,
    )

    for clock.elapsed, expected in ((0, "a"), (120, "a"), (400, "b")):
        assert await tokens.headers() == {"Authorization": f"Bearer {expected}"}
