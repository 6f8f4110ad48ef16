"""What the host refuses to start with, and what it says then."""

import json
from pathlib import Path

import pytest

from tests.contract.host.processes import HostProcess, StartHost

CONNECTION = "Endpoint=sb://localhost:1;SharedAccessKeyName=n;SharedAccessKey=k;UseDevelopmentEmulator=true;"


@pytest.mark.parametrize(
    ("app", "arguments", "settings", "message"),
    [
        ("broken_index", (), {}, "cannot load the broken function"),
        ("output_binding", (), {}, "no out binding of type 'serviceBus' ('out')"),
        ("other_trigger", (), {}, "no binding of type 'blobTrigger'"),
        ("messages", ("--only", "single"), {"ServiceBus": CONNECTION}, "'%SINGLE%' does not resolve"),
        ("messages", ("--only", "single"), {"SINGLE": "s"}, "Connection 'ServiceBus' does not exist"),
        (
            "messages",
            ("--only", "single"),
            {"SINGLE": "s", "ServiceBus": "Endpoint=sb://x"},
            "no SharedAccessKeyName, SharedAccessKey",
        ),
        (
            "messages",
            ("--only", "single"),
            {"SINGLE": "s", "ServiceBus__fullyQualifiedNamespace": "x.servicebus.windows.net"},
            "There is no Microsoft Entra ID here",
        ),
        ("events", (), {"EventHubs": CONNECTION, "HUB": "h"}, "Missing value for AzureWebJobsStorage"),
        ("timers", (), {"AzureWebJobsStorage": "x", "OFTEN": "* *"}, "'* *' is no cron expression"),
        ("http", ("--only", "nobody"), {}, "no function of that name"),
        ("http", ("--settings", "absent.json"), {}, "Cannot read the settings file"),
        ("shared", (), {}, "host.json"),
    ],
)
def test_the_host_says_what_is_wrong(
    run_host: StartHost, app: str, arguments: tuple[str, ...], settings: dict[str, str], message: str
) -> None:
    host = run_host(app, *arguments, ready=False, settings=settings)
    assert host.process.wait(15) == 1
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
