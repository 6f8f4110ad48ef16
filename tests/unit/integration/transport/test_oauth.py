"""What a token endpoint that fails means for the event that needed the token."""

import pytest

from integration.errors import Outage, Throttled
from integration.transport import Request, Response
from integration.transport.oauth import sign_in_failure


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
