"""The address in a Location is one that the caller can reach."""

import pytest

from integration.public_address import PublicAddress

ASKED = "http://app.azurewebsites.net/api/events?code=secret"


@pytest.mark.parametrize(
    ("headers", "base"),
    [
        ({}, "http://app.azurewebsites.net"),
        ({"x-forwarded-proto": "https"}, "https://app.azurewebsites.net"),
        ({"x-forwarded-proto": "HTTPS, http"}, "https://app.azurewebsites.net"),
        ({"x-forwarded-proto": "ftp"}, "http://app.azurewebsites.net"),
        (
            {"x-forwarded-proto": "https", "x-forwarded-host": "api.contoso.example, app.azurewebsites.net"},
            "https://api.contoso.example",
        ),
        ({"x-forwarded-host": "api.contoso.example:8443"}, "http://api.contoso.example:8443"),
        ({"x-forwarded-host": "[::1]:7071"}, "http://[::1]:7071"),
        ({"x-forwarded-host": "evil.example/path"}, "http://app.azurewebsites.net"),
        ({"x-forwarded-host": "user@evil.example"}, "http://app.azurewebsites.net"),
        ({"x-forwarded-host": ""}, "http://app.azurewebsites.net"),
    ],
)
def test_it_is_that_of_the_request_as_the_caller_made_it(headers: dict[str, str], base: str) -> None:
    """Proxies say what they were called with; the key of the request stays out of it."""
    assert PublicAddress(None).of_outcome("id-1", ASKED, headers) == f"{base}/api/events/id-1/outcome"


def test_a_configured_address_comes_first() -> None:
    """Behind a gateway that says nothing of itself, and puts a path in front."""
    address = PublicAddress("https://api.contoso.example/integration")
    assert (
        address.of_outcome("id-1", ASKED, {"x-forwarded-host": "other.example"})
        == "https://api.contoso.example/integration/api/events/id-1/outcome"
    )
