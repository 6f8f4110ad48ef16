"""The systems' clients as the settings have them."""

import json
from pathlib import Path

import pytest

from integration.clock import SystemClock
from integration.composition.systems import Systems, build_systems, system_hosts
from integration.errors import ConfigurationError
from integration.protection import MemoryState
from integration.settings import Settings
from integration.systems.rest import Resources
from integration.transport import Transport

EXAMPLE = json.loads(Path("local.settings.json.example").read_text(encoding="utf-8"))["Values"]


def settings(**changes: str) -> Settings:
    return Settings.from_environment({**EXAMPLE, **changes})


def built(given: Settings) -> Systems:
    clock = SystemClock()
    return build_systems(given, Transport(system_hosts(given), clock=clock), clock, MemoryState(), MemoryState())


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"DATAVERSE_CLIENT_SECRET": "a-secret"},
        {"DATAVERSE_CLIENT_SECRET": "a-secret", "DATAVERSE_MORE_CLIENTS": '{"another": "its-secret"}'},
        {
            "SYSTEMS_ERP_API_KEY": "",
            "SYSTEMS_ERP_TOKEN_URL": "https://login.contoso.example/token",
            "SYSTEMS_ERP_CLIENT_ID": "me",
            "SYSTEMS_ERP_CLIENT_SECRET": "a-secret",
        },
        {"SYSTEMS_ERP_API_KEY": "", "SYSTEMS_ERP_MANAGED_IDENTITY_SCOPE": "api://erp/.default"},
        {"SYSTEMS_ERP_CLIENT_CERTIFICATE": "BEGIN CERTIFICATE PRIVATE KEY", "SYSTEMS_ERP_API_KEY": ""},
        {
            "SYSTEMS_ERP_ADAPTER": "business-central",
            "SYSTEMS_ERP_COMPANY": "5d3d7d7a-3f3c-4f0f-9a52-0e5a3f5a0001",
            "SYSTEMS_ERP_LOCAL_CURRENCY": "EUR",
            "SYSTEMS_ERP_LINE_NUMBER": "8400",
        },
        {
            "SYSTEMS_ERP_ADAPTER": "finance-operations",
            "SYSTEMS_ERP_COMPANY": "usmf",
            "SYSTEMS_ERP_CUSTOMER_GROUP": "10",
            "SYSTEMS_ERP_LOCAL_CURRENCY": "USD",
            "SYSTEMS_ERP_ITEM_NUMBER": "S0001",
        },
        {
            "SYSTEMS_ERP_URL": "https://contoso.servicebus.windows.net/erp",
            "SYSTEMS_ERP_RELAY": "key",
            "SYSTEMS_ERP_RELAY_KEY_NAME": "send",
            "SYSTEMS_ERP_RELAY_KEY": "a-secret",
        },
        {
            "SYSTEMS_ERP_URL": "https://contoso.servicebus.windows.net/erp",
            "SYSTEMS_ERP_RELAY": "managed-identity",
            "SYSTEMS_ERP_API_KEY": "",
            "SYSTEMS_ERP_TOKEN_URL": "https://contoso.servicebus.windows.net/erp/token",
            "SYSTEMS_ERP_CLIENT_ID": "me",
            "SYSTEMS_ERP_CLIENT_SECRET": "a-secret",
        },
        {
            "SYSTEMS_CREDIT_ADAPTER": "creditsafe",
            "SYSTEMS_CREDIT_USERNAME": "me",
            "SYSTEMS_CREDIT_PASSWORD": "a-secret",
            "SYSTEMS_CREDIT_API_KEY": "",
        },
    ],
    ids=[
        "identity",
        "secret",
        "more users",
        "client credentials",
        "its identity",
        "certificate",
        "business central",
        "finance & operations",
        "relay with a key",
        "relay with the identity",
        "creditsafe",
    ],
)
def test_they_are_built_without_connecting(changes: dict[str, str]) -> None:
    """Outside of any event loop, as the host imports the app; each system has a switch for people."""
    systems = built(settings(**changes))
    assert set(systems.switches) == {"dataverse", "erp", "credit"}
    assert {"put_customer", "put_order"} <= systems.erp.safety.keys()
    assert {"score"} <= systems.credit.safety.keys()


@pytest.mark.parametrize("name", ["erp", "credit"])
def test_the_flows_need_a_system_of_the_right_kind_under_each_name(name: str) -> None:
    """Said when the app starts, with the name that is missing."""
    systems = json.loads(EXAMPLE["SYSTEMS"])
    other = "rest-scoring" if name == "erp" else "rest-erp"
    wrong = settings(SYSTEMS=json.dumps(systems | {name: systems[name] | {"adapter": other}}))
    with pytest.raises(ConfigurationError, match=f"'{name}'"):
        getattr(built(wrong), name)
    del systems[name]
    missing = settings(SYSTEMS=json.dumps(systems), **{f"SYSTEMS_{name.upper()}_API_KEY": ""})
    with pytest.raises(ConfigurationError, match=f"'{name}'"):
        getattr(built(missing), name)


def test_another_system_needs_nothing_but_its_settings() -> None:
    more = json.loads(EXAMPLE["SYSTEMS"]) | {"warehouse": {"adapter": "rest-erp", "url": "https://w.example"}}
    given = settings(SYSTEMS=json.dumps(more), SYSTEMS_WAREHOUSE_API_KEY="a-key")
    assert "warehouse" in built(given).switches
    assert "https://w.example:443" in {host.origin for host in system_hosts(given)}


def test_a_system_for_flows_of_ones_own_is_reached_by_its_resources() -> None:
    """The adapter `rest` needs no code: a flow names what it puts where."""
    more = json.loads(EXAMPLE["SYSTEMS"]) | {"marketing": {"adapter": "rest", "url": "https://m.example/api"}}
    given = settings(SYSTEMS=json.dumps(more), SYSTEMS_MARKETING_API_KEY="a-key")
    assert isinstance(built(given).others["marketing"], Resources)


def test_only_what_the_settings_name_may_be_called() -> None:
    given = settings(
        SYSTEMS_CREDIT_API_KEY="",
        SYSTEMS_CREDIT_TOKEN_URL="https://login.credit.example/token",
        SYSTEMS_CREDIT_CLIENT_ID="me",
        SYSTEMS_CREDIT_CLIENT_SECRET="a-secret",
    )
    assert {host.origin for host in system_hosts(given)} == {
        "https://contoso.crm4.dynamics.com:443",
        "https://login.microsoftonline.com:443",
        "https://erp.contoso.example:443",
        "https://credit.contoso.example:443",
        "https://login.credit.example:443",
    }
