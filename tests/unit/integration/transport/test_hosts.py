"""Which addresses are allowed at all."""

from collections.abc import Callable
from pathlib import Path

import pytest

from integration.errors import ConfigurationError, Permanent
from integration.transport import Host, Request
from tests.unit.integration.transport.parts import Server, TransportTo, host


@pytest.mark.parametrize(
    "url",
    [
        "http://erp.example",
        "ftp://erp.example",
        "erp.example",
        "https://",
        "https://user:word@erp.example",
        "https://h:x",
    ],
)
def test_configuration_refuses_what_is_not_a_safe_address(url: str) -> None:
    """Https with a host name and no credentials; plain http only on this machine."""
    with pytest.raises(ConfigurationError):
        Host(url)


@pytest.mark.parametrize(
    "url", ["http://localhost:7071", "http://127.0.0.1", "http://[::1]:80", "https://erp.example/base"]
)
def test_configuration_takes_https_and_loopback(url: str) -> None:
    assert Host(url).origin.startswith(url.partition("://")[0])


def test_configuration_refuses_a_ca_file_that_is_not_there(tmp_path: Path) -> None:
    """At the start, not with the first event."""
    with pytest.raises(ConfigurationError, match="does not exist"):
        Host("https://erp.example", ca_file=str(tmp_path / "ca.pem"))


@pytest.mark.parametrize(
    "change",
    [
        lambda url: "http://127.0.0.1:1/",
        lambda url: url.replace("http:", "https:"),
        lambda url: url.replace("127.0.0.1", "localhost"),
        lambda url: url.replace("//", "//somebody@"),
        lambda url: url.replace("//", "//evil.example\\@"),
        lambda url: url + "@evil.example/",
        lambda url: "file:///etc/passwd",
        lambda url: "",
    ],
)
async def test_nothing_is_sent_to_an_address_that_configuration_does_not_name(
    server: Server, transport_to: TransportTo, change: Callable[[str], str]
) -> None:
    """Another port, scheme, host name, or credentials in the address: refused before a byte leaves."""
    with pytest.raises(Permanent) as raised:
        await transport_to(host(server)).send(Request("erp", "look", "GET", change(server.url)))
    assert raised.value.reason == "host-not-allowed"
    assert not server.heard
