"""The systems' clients as the settings have them."""

import json
from pathlib import Path

import pytest

from integration.clock import SystemClock
from integration.protection import MemoryState
from integration.settings import Settings
from integration.systems_composition import Systems, build_systems, system_hosts
from integration.transport import Transport

EXAMPLE = json.loads(Path("local.settings.json.example").read_text(encoding="utf-8"))["Values"]


def settings(**changes: str) -> Settings:
    return Settings.from_environment({**EXAMPLE, **changes})


def built(given: Settings) -> Systems:
    clock = SystemClock()
    return build_systems(given, Transport(system_hosts(given), clock=clock), clock, MemoryState())


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"DATAVERSE_CLIENT_SECRET": "a-secret"},
        {"DATAVERSE_CLIENT_SECRET": "a-secret", "DATAVERSE_MORE_CLIENTS": '{"another": "its-secret"}'},
        {
            "ERP_API_KEY": "",
            "ERP_TOKEN_URL": "https://login.contoso.example/token",
            "ERP_CLIENT_ID": "me",
            "ERP_CLIENT_SECRET": "a-secret",
        },
    ],
    ids=["identity", "secret", "more users", "client credentials"],
)
def test_they_are_built_without_connecting(changes: dict[str, str]) -> None:
    """Outside of any event loop, as the host imports the app; each system has a switch for people."""
    assert set(built(settings(**changes)).switches) == {"dataverse", "erp", "credit"}


def test_only_what_the_settings_name_may_be_called() -> None:
    given = settings(CREDIT_TOKEN_URL="https://login.credit.example/token")
    assert {host.origin for host in system_hosts(given)} == {
        "https://contoso.crm4.dynamics.com:443",
        "https://login.microsoftonline.com:443",
        "https://erp.contoso.example:443",
        "https://credit.contoso.example:443",
        "https://login.credit.example:443",
    }
