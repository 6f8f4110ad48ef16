"""The app settings of each environment start the app, hold no secret, and are no more than the code knows."""

import json
import re
from typing import Any

import pytest

from integration.composition.app import build_app
from integration.settings import Settings
from integration.settings.systems import setting_of
from sandbox.repository import REPOSITORY
from tests.contract.infra.bicep import ENVIRONMENTS, Expansion

HOST_SETTINGS = {
    "APPLICATIONINSIGHTS_CONNECTION_STRING",
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
    "PYTHON_THREADPOOL_THREAD_COUNT",
    "FUNCTIONS_REQUEST_BODY_SIZE_LIMIT",
    *(f"{name}__credential" for name in ("AzureWebJobsStorage", "ServiceBus", "EventHubs")),
}
"""What the Functions host and its Python worker read."""
VAULT = re.compile(r"@Microsoft\.KeyVault\(VaultName=([^;]+);SecretName=([a-z-]+)\)")
SECRETS = {
    "intake-keys": '{"dataverse": ["0123456789abcdef0123456789abcdef"]}',
    "operations-keys": '{"support": ["fedcba9876543210fedcba9876543210"]}',
    "erp-api-key": "erp-key",
    "credit-api-key": "credit-key",
}

DATAVERSE_AT_ONCE = 52
"""Concurrent requests of one user on one web server; Dataverse refuses more (Service protection API limits)."""
SECRET_KEYS = ("apiKey", "clientSecret", "clientCertificate")


def resolved(settings: dict[str, str]) -> dict[str, str]:
    """The settings as the app sees them: references replaced by the secrets they name."""

    def value(text: str) -> str:
        reference = VAULT.fullmatch(text)
        return SECRETS[reference[2]] if reference else text

    return {name: value(text) for name, text in settings.items()}


@pytest.fixture(params=ENVIRONMENTS)
def golden(request: pytest.FixtureRequest) -> Expansion:
    return Expansion.golden(request.param)


def test_the_app_starts_with_them(golden: Expansion) -> None:
    """Every required setting is there and valid once the four secrets are in the vault, and all functions appear."""
    settings = Settings.from_environment(resolved(golden.settings))
    assert settings.service_bus.connection_string is None
    assert settings.dataverse_client_secret is None
    assert len(build_app(settings).get_functions()) > 0


def test_every_setting_is_known(golden: Expansion) -> None:
    """A setting that neither the code nor the host reads would be a misspelt one."""
    of_systems = {it for it in golden.settings if it.startswith("SYSTEMS_")}
    assert golden.settings.keys() - HOST_SETTINGS - of_systems <= set(Settings.names())
    assert of_systems <= {setting_of(it, key) for it in json.loads(golden.settings["SYSTEMS"]) for key in SECRET_KEYS}
    assert golden.settings.keys() >= HOST_SETTINGS


def test_secrets_are_references_to_the_vault(golden: Expansion) -> None:
    """What the settings class holds as a secret, and only that, comes from the vault, with no version."""
    secret = {
        field.alias
        for field in Settings.model_fields.values()
        if "SecretStr" in str(field.annotation) + str(field.metadata)
    }
    vault = golden.one("Microsoft.KeyVault/vaults")["name"]
    referring = {name: VAULT.fullmatch(text) for name, text in golden.settings.items() if text.startswith("@")}
    assert referring.keys() == {it for it in golden.settings if it in secret or it.startswith("SYSTEMS_")}
    assert {match[1] for match in referring.values() if match} == {vault}
    assert {match[2] for match in referring.values() if match} == SECRETS.keys()


def test_identity_connections_are_complete(golden: Expansion) -> None:
    """Address, credential and client id, never the bare name: else the host wants a connection string."""
    for name, address in (
        ("AzureWebJobsStorage", "accountName"),
        ("ServiceBus", "fullyQualifiedNamespace"),
        ("EventHubs", "fullyQualifiedNamespace"),
    ):
        assert name not in golden.settings
        assert golden.settings[f"{name}__credential"] == "managedidentity"
        assert golden.settings[f"{name}__clientId"] == golden.content["outputs"]["identityClientId"]
        assert golden.settings[f"{name}__{address}"]


def test_nothing_that_looks_like_a_key_is_deployed(golden: Expansion) -> None:
    """No key, connection string or signature stands anywhere in the expansion, outputs included."""
    text = json.dumps(golden.content)
    assert not re.search(
        r"AccountKey=|SharedAccessKey|SharedAccessSignature|[?&]sig=|listKeys|password", text, re.IGNORECASE
    )


def test_local_authentication_is_off(golden: Expansion) -> None:
    """Service Bus, Event Hubs, storage, telemetry and publishing take Entra tokens only."""

    def properties(kind: str) -> dict[str, Any]:
        found: dict[str, Any] = golden.one(kind)["properties"]
        return found

    assert properties("Microsoft.ServiceBus/namespaces")["disableLocalAuth"] is True
    assert properties("Microsoft.EventHub/namespaces")["disableLocalAuth"] is True
    accounts = golden.of("Microsoft.Storage/storageAccounts")
    assert [it["properties"]["allowSharedKeyAccess"] for it in accounts] == [False] * 3
    assert properties("Microsoft.Insights/components")["DisableLocalAuth"] is True
    publishing = golden.of("Microsoft.Web/sites/basicPublishingCredentialsPolicies")
    assert {it["name"].rpartition("/")[2]: it["properties"]["allow"] for it in publishing} == {
        "scm": False,
        "ftp": False,
    }


def test_threads_suffice_for_the_sessions(golden: Expansion) -> None:
    """As many threads as host.json lets sessions be worked on at once: fewer would hold locks and wait."""
    host = json.loads((REPOSITORY / "host.json").read_text(encoding="utf-8"))
    sessions = host["extensions"]["serviceBus"]["maxConcurrentSessions"]
    assert golden.settings["PYTHON_THREADPOOL_THREAD_COUNT"] == str(sessions)


def test_the_host_reads_no_more_of_a_body_than_the_app_may_want(golden: Expansion) -> None:
    """It reads before the app asks for a key; what is a little too large the app refuses itself, and says why."""
    limit = int(golden.settings["FUNCTIONS_REQUEST_BODY_SIZE_LIMIT"])
    example = json.loads((REPOSITORY / "local.settings.json.example").read_text(encoding="utf-8"))["Values"]
    assert str(limit) == example["FUNCTIONS_REQUEST_BODY_SIZE_LIMIT"]
    assert int(example["INTAKE_BODY_LIMIT_BYTES"]) < limit <= 2 * int(example["INTAKE_BODY_LIMIT_BYTES"])


def test_always_ready_groups_exist(golden: Expansion) -> None:
    """Always-ready instances are given to http or to functions that are there, two each where zones are spread."""
    topology = json.loads((REPOSITORY / "infra" / "topology.json").read_text(encoding="utf-8"))
    names = {it["name"] for kind in ("serviceBus", "eventHubs") for it in topology["functions"][kind]}
    app = golden.one("Microsoft.Web/sites")["properties"]["functionAppConfig"]["scaleAndConcurrency"]
    spread = golden.one("Microsoft.Web/serverfarms")["properties"]["zoneRedundant"]
    for group in app["alwaysReady"]:
        assert group["name"] == "http" or group["name"].removeprefix("function:") in names
        assert group["instanceCount"] >= (2 if spread else 1)


def test_the_worker_scales_on_what_waits(golden: Expansion) -> None:
    """The identity may read the length of the queue. Without that, retries at its head make it look empty."""
    owner = "090c5cfd-751d-490a-894a-3ce6f1109419"
    (queue,) = [
        it["id"]
        for it in golden.of("Microsoft.Authorization/roleAssignments")
        if it["properties"]["roleDefinitionId"].endswith(owner)
    ]
    assert "/queues/work/" in queue


def test_an_instance_takes_many_requests_at_once(golden: Expansion) -> None:
    """Where it is not set, Azure takes 1 for Python: an instance for each concurrent webhook, and no coalescing."""
    scale = golden.one("Microsoft.Web/sites")["properties"]["functionAppConfig"]["scaleAndConcurrency"]
    assert 32 <= scale["triggers"]["http"]["perInstanceConcurrency"] <= 100


def test_there_are_no_more_instances_than_dataverse_serves(golden: Expansion) -> None:
    """52 requests at once for each application user, over those of an instance, always-ready ones included."""
    settings = Settings.from_environment(resolved(golden.settings))
    users = 1 + len(settings.dataverse_more_clients)
    scale = golden.one("Microsoft.Web/sites")["properties"]["functionAppConfig"]["scaleAndConcurrency"]
    assert scale["maximumInstanceCount"] == DATAVERSE_AT_ONCE * users // settings.dataverse_concurrency
    assert all(it["instanceCount"] <= scale["maximumInstanceCount"] for it in scale["alwaysReady"])


def test_the_queue_serves_every_session_of_every_instance(golden: Expansion) -> None:
    """Service Bus takes 5,000 concurrent receive requests on a queue."""
    host = json.loads((REPOSITORY / "host.json").read_text(encoding="utf-8"))
    scale = golden.one("Microsoft.Web/sites")["properties"]["functionAppConfig"]["scaleAndConcurrency"]
    assert scale["maximumInstanceCount"] * host["extensions"]["serviceBus"]["maxConcurrentSessions"] <= 5000


def test_no_switch_of_host_or_worker_records_spans_a_second_time(golden: Expansion) -> None:
    """The app exports its spans itself (docs/explanation/tracing.md says what each switch would do)."""
    switches = {"PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY", "PYTHON_ENABLE_OPENTELEMETRY"}
    assert not switches & golden.settings.keys()
    assert "telemetryMode" not in json.loads((REPOSITORY / "host.json").read_text(encoding="utf-8"))
    assert golden.settings["OTEL_TRACES_EXPORTER"] == "azure_monitor_opentelemetry_exporter"
