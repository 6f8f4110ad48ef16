"""The settings class, its errors, and the example file that documents it."""

import json
from pathlib import Path

import pytest

from integration.errors import ConfigurationError
from integration.settings import Settings

EXAMPLE = json.loads(Path("local.settings.json.example").read_text(encoding="utf-8"))
RUNTIME_ONLY = {"FUNCTIONS_WORKER_RUNTIME", "PYTHON_THREADPOOL_THREAD_COUNT", "FUNCTIONS_REQUEST_BODY_SIZE_LIMIT"}

TOPIC = "https://operators.westeurope-1.eventgrid.azure.net/api/events"
OF_SYSTEMS = {"SYSTEMS_ERP_API_KEY", "SYSTEMS_CREDIT_API_KEY"}


def environment(**changes: str) -> dict[str, str]:
    """The example's values with some changed; an empty value takes one out."""
    return {**EXAMPLE["Values"], **changes}


def test_the_example_file_is_a_valid_configuration() -> None:
    """Whoever copies the example starts."""
    settings = Settings.from_environment(environment())
    assert settings.work_queue == "work"
    assert settings.plugin_events["OpportunityUpdated"].table == "opportunity"
    assert [key.get_secret_value() for key in settings.intake_keys["plugin"]] == ["replace-this-other-key"]


def test_every_setting_is_documented_in_the_example_and_no_other() -> None:
    """The example's `Meaning` and the class say the same."""
    assert set(EXAMPLE["Meaning"]) - RUNTIME_ONLY - OF_SYSTEMS == set(Settings.names())
    assert set(EXAMPLE["Values"]) - RUNTIME_ONLY - OF_SYSTEMS <= set(Settings.names())
    for field in Settings.model_fields.values():
        assert EXAMPLE["Meaning"][field.alias or ""] == field.description


def test_all_that_is_missing_or_wrong_is_named_at_once() -> None:
    """One message names every fault, so that one start is enough to learn them all."""
    broken = environment(
        ServiceBus="", SYSTEMS_ERP_API_KEY="", DATAVERSE_URL="not a url", INTAKE_KEYS="{}x", RETRY_MAX_ATTEMPTS="0"
    )
    with pytest.raises(ConfigurationError) as raised:
        Settings.from_environment(broken)
    for name in ("ServiceBus", "SYSTEMS.erp", "DATAVERSE_URL", "INTAKE_KEYS", "RETRY_MAX_ATTEMPTS"):
        assert name in str(raised.value)


def test_a_table_in_onelake_is_named_by_ids() -> None:
    """Its log would otherwise be listed as if it were empty (apache/arrow-rs-object-store, issue 695)."""
    place = "abfss://5e9ad2f7-2b1c-4f7e-9d6b-5f4d8b1f0a11@onelake.dfs.fabric.microsoft.com/{}/Tables/dbo/events"
    address = place.format("0c1f9f0e-8f2b-4ad3-9f29-5a5f0d1f7c22")
    assert Settings.from_environment(environment(DELTA_TABLE=address)).delta_table == address
    with pytest.raises(ConfigurationError, match="by their ids"):
        Settings.from_environment(environment(DELTA_TABLE=place.format("crm")))


def test_errors_never_show_values() -> None:
    """A wrong key in INTAKE_KEYS is not repeated in the message."""
    with pytest.raises(ConfigurationError) as raised:
        Settings.from_environment(environment(INTAKE_KEYS='{"dataverse": ["short-secret"]}'))
    assert "short-secret" not in str(raised.value)
    assert "16 characters" in str(raised.value)


def test_a_caller_has_two_keys_at_most() -> None:
    """Two live keys are what rotation needs; more would be forgotten ones."""
    three = json.dumps({"dataverse": ["a" * 16, "b" * 16, "c" * 16]})
    with pytest.raises(ConfigurationError, match="INTAKE_KEYS"):
        Settings.from_environment(environment(INTAKE_KEYS=three))


def test_a_managed_identity_replaces_connection_strings() -> None:
    """In Azure the settings hold addresses and client ids only."""
    settings = Settings.from_environment(
        environment(
            ServiceBus="",
            ServiceBus__fullyQualifiedNamespace="contoso.servicebus.windows.net",
            ServiceBus__clientId="id",
        )
    )
    assert settings.service_bus.connection_string is None
    assert settings.service_bus.address == "contoso.servicebus.windows.net"


def test_secrets_do_not_show_in_the_settings_themselves() -> None:
    """Whoever prints the settings prints no secret."""
    assert "replace-this" not in repr(Settings.from_environment(environment()))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SYSTEMS_ERP_API_KEY", "@Microsoft.KeyVault(SecretUri=https://contoso.vault.azure.net/secrets/erp)"),
        ("INTAKE_KEYS", "{}"),
        ("DATAVERSE_ORGANISATION", "contoso"),
        ("PUBLIC_URL", "integration.contoso.example"),
        ("MESSAGE_LIMIT_BYTES", "99999999"),
        ("PUBLISHER_PREFIX", "new_"),
        ("RETRY_FIRST_DELAY_SECONDS", "inf"),
        ("SYSTEMS_ERP_URL", "https://user:secret@erp.contoso.example"),
        ("PLUGIN_EVENTS", '{"X": {"table": "opportunity", "message": "update"}}'),
        ("DELTA_TABLE", "delta/events"),
        ("DELTA_TABLE", "abfss://sales@onelake.dfs.fabric.microsoft.com/crm.Lakehouse/Tables/events"),
    ],
)
def test_what_cannot_work_stops_the_start(name: str, value: str) -> None:
    """Better no app than one that refuses every event; the value itself is never shown."""
    with pytest.raises(ConfigurationError) as raised:
        Settings.from_environment(environment(**{name: value}))
    assert name in str(raised.value) or "SYSTEMS.erp.rest-erp.url" in str(raised.value)
    assert "secret@" not in str(raised.value)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"OPERATOR_EVENTS_URL": "https://hook.example"}, "set both"),
        ({"OPERATOR_EVENTS_URL": "https://hook.example", "OPERATOR_EVENTS_SECRET": "whsec_short"}, "SECRET"),
        ({"OPERATOR_EVENTS_URL": "https://hook.example", "OPERATOR_EVENTS_EVENT_GRID_ENDPOINT": TOPIC}, "set one"),
    ],
)
def test_operators_events_go_one_way_and_are_signed(given: dict[str, str], says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        Settings.from_environment(environment(**given))


def test_the_apps_own_address_is_the_configured_one_or_that_of_azure() -> None:
    """Where nothing says it, nobody can be told to send there."""
    azure = {"WEBSITE_HOSTNAME": "app.azurewebsites.net"}
    assert Settings.from_environment(environment(**azure)).address == "https://app.azurewebsites.net"
    both = environment(PUBLIC_URL="https://gateway.contoso.example", **azure)
    assert Settings.from_environment(both).address == "https://gateway.contoso.example"
    assert Settings.from_environment(environment()).address is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATAVERSE_ORGANISATION", "00000000-0000-0000-0000-000000000000"),
        ("DATAVERSE_ORGANISATION", "10000000-0000-0000-0000-000000000001"),
        ("DATAVERSE_URL", "https://contoso.crm4.dynamics.com"),
        ("INTAKE_KEYS", '{"dataverse": ["replace-this-intake-key"]}'),
    ],
)
def test_in_azure_the_values_of_examples_are_refused(name: str, value: str) -> None:
    """The app says which setting it is and what belongs there; the value itself is not shown."""
    with pytest.raises(ConfigurationError, match=f"{name}: still has the value of an example") as caught:
        Settings.from_environment(environment(**{name: value, "WEBSITE_INSTANCE_ID": "1"}))
    assert "replace-this" not in str(caught.value)  # keys are never shown, not even these


def test_elsewhere_the_app_starts_with_the_example() -> None:
    """Whoever develops copies the file and starts."""
    assert Settings.from_environment(environment()).dataverse_organisation == "00000000-0000-0000-0000-000000000000"
