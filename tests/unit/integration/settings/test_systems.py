"""The systems outside as settings: one object, and each key as a setting of its own."""

import json
from pathlib import Path
from typing import Any

import pytest

from integration.errors import ConfigurationError
from integration.settings import Settings
from integration.settings.systems import (
    KINDS,
    BusinessCentral,
    Creditsafe,
    FinanceOperations,
    RestErp,
    System,
    setting_of,
)

EXAMPLE: dict[str, str] = json.loads(Path("local.settings.json.example").read_text(encoding="utf-8"))["Values"]
CREDIT = {"adapter": "rest-scoring", "url": "https://credit.contoso.example", "apiKey": "k"}
ERP = {"adapter": "rest-erp", "url": "https://erp.contoso.example", "apiKey": "k"}
CENTRAL = {
    "adapter": "business-central",
    "url": "https://api.businesscentral.dynamics.com/v2.0/Production/api/v2.0",
    "tokenUrl": "https://login.microsoftonline.com/contoso.example/oauth2/v2.0/token",
    "clientId": "me",
    "clientSecret": "a-secret",
    "scope": "https://api.businesscentral.dynamics.com/.default",
    "company": "5d3d7d7a-3f3c-4f0f-9a52-0e5a3f5a0001",
    "localCurrency": "EUR",
    "lineNumber": "8400",
}
FINANCE = {
    "adapter": "finance-operations",
    "url": "https://contoso.operations.dynamics.com",
    "tokenUrl": "https://login.microsoftonline.com/contoso.example/oauth2/v2.0/token",
    "clientId": "me",
    "clientSecret": "a-secret",
    "scope": "https://contoso.operations.dynamics.com/.default",
    "company": "usmf",
    "customerGroup": "10",
    "localCurrency": "USD",
    "itemNumber": "S0001",
}


def read(erp: Any, **settings: str) -> Settings:
    systems = erp if isinstance(erp, str) else json.dumps({"erp": erp, "credit": CREDIT})
    own = {name: "" for name in EXAMPLE if name.startswith("SYSTEMS_")}
    return Settings.from_environment({**EXAMPLE, **own, "SYSTEMS": systems, **settings})


def refused(erp: Any, **settings: str) -> str:
    with pytest.raises(ConfigurationError) as raised:
        read(erp, **settings)
    return str(raised.value)


def test_each_adapter_has_settings_of_its_own() -> None:
    assert isinstance(read(ERP).systems["erp"], RestErp)
    central = read(CENTRAL).systems["erp"]
    assert isinstance(central, BusinessCentral)
    assert (central.number_prefix, central.unknown_seconds, central.concurrency_in_all) == ("CRM-", 600.0, 5)
    finance = read(FINANCE).systems["erp"]
    assert isinstance(finance, FinanceOperations)
    assert (finance.order_numbers, finance.number_prefix, finance.concurrency_in_all) == ("automatic", "CRM-", 8)


@pytest.mark.parametrize("changes", [{"company": "a company"}, {"orderNumbers": "mine"}, {"customerGroup": ""}])
def test_what_finance_and_operations_cannot_take_stops_the_start(changes: dict[str, str]) -> None:
    assert next(iter(changes)) in refused(FINANCE | changes)


def test_every_key_may_stand_in_a_setting_of_its_own_which_wins() -> None:
    """That is where a Key Vault reference goes: it replaces the whole value of a setting."""
    erp = read(
        {"adapter": "rest-erp", "url": "https://other.example"},
        SYSTEMS_ERP_URL="https://erp.contoso.example",
        SYSTEMS_ERP_API_KEY="a-secret",
        SYSTEMS_ERP_API_KEY_HEADER="Ocp-Apim-Subscription-Key",
        SYSTEMS_ERP_CONCURRENCY="3",
        SYSTEMS_ERP_TIMEOUT_SECONDS="2.5",
    ).systems["erp"]
    assert str(erp.url) == "https://erp.contoso.example"
    assert erp.api_key is not None
    assert erp.api_key.get_secret_value() == "a-secret"
    assert (erp.api_key_header, erp.concurrency, erp.timeout_seconds) == ("Ocp-Apim-Subscription-Key", 3, 2.5)


def test_no_key_is_left_out_of_those_settings() -> None:
    for kind in KINDS:
        for field in kind.model_fields.values():
            assert field.alias is not None
            assert setting_of("erp", field.alias).isidentifier()
            assert field.description


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"apiKey": None}, "one way to sign in is required"),
        ({"tokenUrl": "https://login.example"}, "belong together"),
        ({"managedIdentityScope": "api://erp/.default"}, "one way to sign in is required"),
        ({"clientCertificate": "no pem"}, "must be PEM"),
        ({"adapter": "soap"}, "adapter"),
        ({"adress": "https://erp.example"}, "adress"),
        ({"url": "erp"}, "url"),
        ({"concurrency": 0}, "concurrency"),
        ({"apiKeyHeader": "X Y"}, "apiKeyHeader"),
    ],
)
def test_what_cannot_work_stops_the_start(changes: dict[str, Any], said: str) -> None:
    """The message names the system and the key."""
    message = refused({name: value for name, value in (ERP | changes).items() if value is not None})
    assert "SYSTEMS.erp" in message
    assert said in message


@pytest.mark.parametrize("text", ["", "nonsense", "[]", "1", '{"erp": 1}', "{}"])
def test_what_is_no_object_of_systems_is_refused(text: str) -> None:
    assert "SYSTEMS" in refused(text)


@pytest.mark.parametrize("name", ["dataverse", "Erp", "my-erp", "1erp"])
def test_a_name_is_one_word_and_not_dataverse(name: str) -> None:
    assert "SYSTEMS" in refused(json.dumps({name: ERP}))


@pytest.mark.parametrize("name", ["SYSTEMS_ERP_API_KYE", "SYSTEMS_WAREHOUSE_URL"])
def test_a_setting_of_no_system_is_named(name: str) -> None:
    """A key that was misspelt would otherwise be missing without a word."""
    assert f"{name}: belongs to no system" in refused(ERP, **{name: "x"})


def test_a_secret_that_key_vault_did_not_resolve_is_named() -> None:
    reference = "@Microsoft.KeyVault(VaultName=kv;SecretName=erp-api-key)"
    assert "SYSTEMS_ERP_API_KEY: Key Vault did not resolve" in refused(ERP, SYSTEMS_ERP_API_KEY=reference)


def test_no_secret_shows() -> None:
    """Neither in the settings themselves nor in a message about them."""
    assert "a-secret" not in repr(read(CENTRAL))
    assert "a-secret" not in refused(CENTRAL | {"company": "x"})


SAFE = {
    "adapter": "creditsafe",
    "url": "https://connect.creditsafe.com/v1",
    "username": "contoso",
    "password": "s",
    "countries": {"Austria": "AT"},
}


def scoring(keys: dict[str, Any], **settings: str) -> System:
    systems = json.dumps({"erp": ERP, "credit": {name: it for name, it in keys.items() if it is not None}})
    own = {name: "" for name in EXAMPLE if name.startswith("SYSTEMS_")}
    return Settings.from_environment({**EXAMPLE, **own, "SYSTEMS": systems, **settings}).systems["credit"]


def test_creditsafe_signs_in_with_a_name_and_a_password() -> None:
    """Which may be settings of their own, as may be what is an object."""
    credit = scoring(
        SAFE | {"password": None, "countries": None},
        SYSTEMS_CREDIT_PASSWORD="secret",
        SYSTEMS_CREDIT_COUNTRIES='{"Austria": "AT", "Deutschland": "DE"}',
    )
    assert isinstance(credit, Creditsafe)
    assert credit.password.get_secret_value() == "secret"
    assert credit.countries == {"Austria": "AT", "Deutschland": "DE"}
    assert (credit.report_days, credit.answer_bytes) == (30, 12 * 1024 * 1024)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"apiKey": "k"}, "username and password"),
        ({"clientCertificate": "BEGIN CERTIFICATE PRIVATE KEY"}, "username and password"),
        ({"password": None}, "password"),
        ({"countries": {"Austria": "Austria"}}, "countries"),
        ({"reportDays": 1000}, "reportDays"),
    ],
)
def test_creditsafe_that_cannot_work_stops_the_start(keys: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        scoring(SAFE | keys)


RELAYED = ERP | {"url": "https://contoso.servicebus.windows.net/erp"}
RELAY_KEY = {"relay": "key", "relayKeyName": "send", "relayKey": "s"}


@pytest.mark.parametrize(
    "keys",
    [{"relay": "managed-identity"}, {"relay": "managed-identity", "apiKey": None}, RELAY_KEY, {"relay": "anonymous"}],
    ids=["identity", "the relay alone admits", "key", "anonymous"],
)
def test_a_system_may_be_behind_a_relay(keys: dict[str, Any]) -> None:
    erp = read({name: value for name, value in (RELAYED | keys).items() if value is not None}).systems["erp"]
    assert erp.relay == keys["relay"]


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"relay": "key"}, "relayKeyName and relayKey"),
        ({"relay": "key", "relayKeyName": "send"}, "relayKeyName and relayKey"),
        ({"relay": "managed-identity", "relayKey": "s"}, "relayKeyName and relayKey"),
        ({"relayKeyName": "send", "relayKey": "s"}, "relayKeyName and relayKey"),
        (RELAY_KEY | {"url": "https://contoso.servicebus.windows.net"}, "name of the hybrid connection"),
        (RELAY_KEY | {"clientCertificate": "BEGIN CERTIFICATE PRIVATE KEY"}, "TLS ends at the relay"),
        ({"relay": "anonymous", "apiKey": None}, "one way to sign in is required"),
    ],
)
def test_a_relay_that_cannot_work_stops_the_start(keys: dict[str, Any], said: str) -> None:
    assert said in refused({name: value for name, value in (RELAYED | keys).items() if value is not None})
