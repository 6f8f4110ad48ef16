"""What the page of settings promises to whoever sets nothing, or something at the edge of what is allowed."""

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from pydantic import SecretStr

from integration.errors import ConfigurationError
from integration.settings import Settings

PAGE = Path("docs/reference/settings.md").read_text(encoding="utf-8")
EXAMPLE = json.loads(Path("local.settings.json.example").read_text(encoding="utf-8"))["Values"]
ROW = re.compile(r"^\| `(?P<name>\w+)` \| (?P<default>.*?) \| (?P<meaning>.*) \|$", re.MULTILINE)
LIMIT = re.compile(r"(more than|at least|at most) ([\d.]+)")


class Promise(NamedTuple):
    """A row of the page."""

    name: str
    default: str
    meaning: str

    @property
    def limits(self) -> dict[str, float]:
        """The words for a limit, and the limit."""
        allowed = self.meaning.rpartition("Allowed: ")[2] if "Allowed: " in self.meaning else ""
        return {words: float(number) for words, number in LIMIT.findall(allowed)}


PROMISES = [Promise(*found) for found in ROW.findall(PAGE) if found[0] in Settings.names()]
REQUIRED = {promise.name: EXAMPLE[promise.name] for promise in PROMISES if promise.default == "**required**"}
ALTERNATIVES = {name: EXAMPLE[name] for name in ("AzureWebJobsStorage", "ServiceBus", "EventHubs")}
KEYS = {"SYSTEMS_ERP_API_KEY": "a-key", "SYSTEMS_CREDIT_API_KEY": "a-key"}
LIMITED = [promise for promise in PROMISES if promise.limits]


def settings(**given: str) -> dict[str, Any]:
    """The settings by their names, where only what is required is set, and what is given."""
    read = Settings.from_environment({**REQUIRED, **ALTERNATIVES, **KEYS, **given})
    return {str(field.alias): getattr(read, name) for name, field in Settings.model_fields.items()}


def in_words(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{json.dumps(value) if isinstance(value, dict | list) else value}`"


def test_the_page_has_every_setting() -> None:
    assert {promise.name for promise in PROMISES} == set(Settings.names())


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.name)
def test_what_is_not_set_has_the_default_of_the_page(promise: Promise) -> None:
    if promise.name in {**REQUIRED, **ALTERNATIVES, **KEYS}:
        return
    assert in_words(settings()[promise.name]).rstrip("/`") == promise.default.rstrip("/`")


@pytest.mark.parametrize("promise", LIMITED, ids=lambda promise: promise.name)
def test_the_limits_of_the_page_are_those_that_hold(promise: Promise) -> None:
    """At the limit is allowed, and beyond it the app does not start."""
    step = 1 if "." not in promise.default else 0.001
    for words, limit in promise.limits.items():
        inside = limit + step if words == "more than" else limit
        outside = {"more than": limit, "at least": limit - step, "at most": limit + step}[words]
        value = int if step == 1 else float
        assert settings(**{promise.name: str(value(inside))})[promise.name] == inside
        with pytest.raises(ConfigurationError, match=promise.name):
            settings(**{promise.name: str(value(outside))})


@pytest.mark.parametrize("name", [promise.name for promise in PROMISES if promise.meaning.endswith(" Secret.")])
def test_what_the_page_calls_a_secret_is_not_shown(name: str) -> None:
    value = settings(DATAVERSE_CLIENT_SECRET="s")[name]

    assert all("*" in str(it) for it in _secrets(value))
    assert _secrets(value) or not value


def _secrets(value: Any) -> list[SecretStr]:
    if isinstance(value, SecretStr):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return [secret for it in inner for secret in _secrets(it)]


@pytest.mark.parametrize(
    ("missing", "instead"),
    [
        ("AzureWebJobsStorage", "AzureWebJobsStorage__accountName"),
        ("ServiceBus", "ServiceBus__fullyQualifiedNamespace"),
        ("EventHubs", "EventHubs__fullyQualifiedNamespace"),
    ],
)
def test_each_service_is_named_by_a_connection_string_or_by_its_address(missing: str, instead: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{missing}: a connection string is required, or {instead}"):
        settings(**{missing: ""})
    assert settings(**{missing: "", instead: "contoso"})[instead] == "contoso"


@pytest.mark.parametrize("system", ["erp", "credit"])
def test_each_system_is_called_with_a_key_or_with_all_of_the_client_credentials(system: str) -> None:
    before = f"SYSTEMS_{system.upper()}"
    parts = {
        f"{before}_TOKEN_URL": "https://login.example/token",
        f"{before}_CLIENT_ID": "i",
        f"{before}_CLIENT_SECRET": "s",
    }
    without = {f"{before}_API_KEY": ""}
    assert settings(**without, **parts)["SYSTEMS"][system].client_id == "i"
    with pytest.raises(ConfigurationError, match=f"SYSTEMS.{system}.*one way to sign in is required: apiKey"):
        settings(**without)
    for name in parts:
        with pytest.raises(ConfigurationError, match=f"SYSTEMS.{system}.*tokenUrl, clientId and clientSecret belong"):
            settings(**without, **{**parts, name: ""})


def test_connections_are_made_of_the_settings_that_belong_together() -> None:
    read = Settings.from_environment(
        {
            **REQUIRED,
            **KEYS,
            **{f"{name}": f"{name} string" for name in ALTERNATIVES},
            **{f"{name}__clientId": f"{name} identity" for name in ALTERNATIVES},
            "AzureWebJobsStorage__accountName": "contoso",
            "ServiceBus__fullyQualifiedNamespace": "bus.example",
            "EventHubs__fullyQualifiedNamespace": "hubs.example",
        }
    )
    found = [
        (it.connection_string.get_secret_value() if it.connection_string else None, it.address, it.client_id)
        for it in (read.storage, read.service_bus, read.event_hubs)
    ]
    assert found == [
        ("AzureWebJobsStorage string", "contoso", "AzureWebJobsStorage identity"),
        ("ServiceBus string", "bus.example", "ServiceBus identity"),
        ("EventHubs string", "hubs.example", "EventHubs identity"),
    ]
