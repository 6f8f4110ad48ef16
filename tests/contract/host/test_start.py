"""What the host refuses to start with, and what it says then."""

import json
from pathlib import Path

import pytest

from tests.contract.host.processes import HostProcess, StartHost

CONNECTION = "Endpoint=sb://localhost:1;SharedAccessKeyName=n;SharedAccessKey=k;UseDevelopmentEmulator=true;"


SINGLE = ("--only", "single")

REFUSED: dict[str, tuple[str, tuple[str, ...], dict[str, str], str]] = {
    "a parameter without binding": ("broken_index", (), {}, "cannot load the broken function"),
    "an output binding": ("output_binding", (), {}, "no out binding of type 'serviceBus' ('out')"),
    "an unknown trigger": ("other_trigger", (), {}, "no binding of type 'blobTrigger'"),
    "a missing %Setting%": ("messages", SINGLE, {"ServiceBus": CONNECTION}, "'%SINGLE%' does not resolve"),
    "a missing connection": ("messages", SINGLE, {"SINGLE": "s"}, "Connection 'ServiceBus' does not exist"),
    "a malformed connection": (
        "messages",
        SINGLE,
        {"SINGLE": "s", "ServiceBus": "Endpoint=sb://x"},
        "no SharedAccessKeyName, SharedAccessKey",
    ),
    "an identity-based connection": (
        "messages",
        SINGLE,
        {"SINGLE": "s", "ServiceBus__fullyQualifiedNamespace": "x.servicebus.windows.net"},
        "There is no Microsoft Entra ID here",
    ),
    "no storage account": (
        "events",
        (),
        {"EventHubs": CONNECTION, "HUB": "h"},
        "Missing value for AzureWebJobsStorage",
    ),
    "a malformed schedule": ("timers", (), {"AzureWebJobsStorage": "x", "OFTEN": "* *"}, "'* *' is no cron expression"),
    "an unknown function": ("http", ("--only", "nobody"), {}, "no function of that name"),
    "no settings file": ("http", ("--settings", "absent.json"), {}, "Cannot read the settings file"),
    "no host.json": ("shared", (), {}, "host.json"),
}


@pytest.fixture(scope="module")
def refused(run_host: StartHost) -> dict[str, HostProcess]:
    """All of them, started beside each other: a start takes a second."""
    return {
        why: run_host(app, *arguments, ready=False, settings=settings)
        for why, (app, arguments, settings, _) in REFUSED.items()
    }


@pytest.mark.parametrize("why", REFUSED)
def test_the_host_says_what_is_wrong(refused: dict[str, HostProcess], why: str) -> None:
    """Exit code 1 and a line that says what to change."""
    host, message = refused[why], REFUSED[why][3]
    assert host.process.wait(20) == 1
    assert message in host.text()


def test_settings_come_from_the_file_unless_the_environment_has_them(run_host: StartHost, tmp_path: Path) -> None:
    """As `func start` reads local.settings.json; a prefix AzureWebJobs before a connection's name counts too."""
    values = {"SINGLE": "from-file", "AzureWebJobsServiceBus": CONNECTION}
    file = tmp_path / "local.settings.json"
    file.write_text(json.dumps({"IsEncrypted": False, "Values": values}))
    host = run_host("messages", "--settings", str(file), "--only", "single", settings={"SINGLE": "from-environment"})
    bindings = host.get("/admin/functions/single").json()["config"]["bindings"]
    assert bindings[0]["queueName"] == "%SINGLE%"
    assert "queueName=from-environment" in host.text()


def test_only_http_runs_no_listeners(run_host: StartHost) -> None:
    """The events app without any of its settings starts when only its HTTP functions are asked for."""
    host: HostProcess = run_host("events", "--only", "http")
    assert host.get("/admin/functions").json() == []
