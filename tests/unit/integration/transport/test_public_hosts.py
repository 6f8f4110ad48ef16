"""What somebody else may have the app call: public addresses, also after a name was resolved."""

import asyncio
import socket
from typing import Any

import pytest
from aiohttp.resolver import ThreadedResolver

from integration.clock import SystemClock
from integration.errors import IntegrationError
from integration.transport import AnyHost, Limits, Request, Transport
from integration.transport.public_hosts import is_public
from integration.transport.public_resolver import PublicResolver


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.215.14", True),
        ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.0.1", False),
        ("100.64.0.1", False),
        ("169.254.169.254", False),
        ("168.63.129.16", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("::1", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("::ffff:10.0.0.1", False),
        ("64:ff9b::a00:1", False),
        ("2002:a00:1::", False),
        ("flows.contoso.example", False),
    ],
)
def test_which_addresses_are_public(address: str, public: bool) -> None:
    assert is_public(address) is public


def names(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """Every name has these addresses."""

    async def resolve(*_: Any) -> list[dict[str, Any]]:
        more = {"hostname": "flows.contoso.example", "port": 443, "family": socket.AF_INET, "proto": 0, "flags": 0}
        return [{**more, "host": it} for it in addresses]

    monkeypatch.setattr(ThreadedResolver, "resolve", resolve)


def test_a_name_resolves_to_its_public_addresses_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    async def resolved() -> list[str]:
        return [it["host"] for it in await PublicResolver().resolve("flows.contoso.example", 443)]

    names(monkeypatch, "10.0.0.1", "93.184.215.14")
    assert asyncio.run(resolved()) == ["93.184.215.14"]
    names(monkeypatch, "10.0.0.1", "127.0.0.1")
    with pytest.raises(OSError, match="no public address"):
        asyncio.run(resolved())


def called(url: str, elsewhere: AnyHost) -> str:
    """The reason for which the call failed."""

    async def send() -> str:
        transport = Transport([], clock=SystemClock(), elsewhere=elsewhere)
        try:
            await transport.send(Request("webhook", "notify", "POST", url, {}, b"{}"))
        except IntegrationError as error:
            return error.reason
        finally:
            await transport.aclose()
        return "sent"

    return asyncio.run(send())


def test_no_name_leads_to_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also one that led elsewhere when it was checked: what counts is where the connection goes."""
    names(monkeypatch, "127.0.0.1")
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)
        url = f"https://flows.contoso.example:{server.getsockname()[1]}/"
        assert called(url, AnyHost(Limits())) == "webhook-unreachable"
        with pytest.raises(TimeoutError):
            server.accept()


@pytest.mark.parametrize("url", ["http://flows.contoso.example/", "https://127.0.0.1/", "https://localhost/"])
def test_what_may_not_be_called_is_not_looked_up(url: str) -> None:
    assert called(url, AnyHost(Limits())) == "host-not-allowed"


def test_where_private_receivers_are_allowed_they_are_called() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert called(f"http://127.0.0.1:{port}/", AnyHost(Limits(), private=True)) == "webhook-unreachable"
