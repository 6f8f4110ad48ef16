"""Timers (TimerListener.cs, StorageScheduleMonitor.cs)."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from azure.storage.blob import BlobServiceClient

from tests.contract.sandbox.azure.host.processes import HostProcess, StartHost

STATUS = "timers/{}/Host.Functions.{}/status"


def settings(storage: str, host_id: str, often: str) -> dict[str, str]:
    return {"AzureWebJobsStorage": storage, "AzureFunctionsWebHost__hostid": host_id, "OFTEN": often}


def status_blob(storage: str, host_id: str, function: str) -> dict[str, str]:
    client = BlobServiceClient.from_connection_string(storage)
    blob = client.get_blob_client("azure-webjobs-hosts", STATUS.format(host_id, function))
    content: dict[str, str] = json.loads(blob.download_blob().readall())
    return content


@pytest.fixture(scope="module")
def every_second(run_host: StartHost, storage: str) -> HostProcess:
    """A host whose timer runs every second and fails every time; so often that runs are not monitored."""
    return run_host("timers", "--name", "a", settings=settings(storage, "often", "* * * * * *"))


def test_exceptions_never_stop_the_schedule(every_second: HostProcess) -> None:
    """Every run fails, and the next one comes all the same."""
    seen = every_second.wait_for("often", 3)
    assert seen[0]["status"] in (None, {})
    assert not every_second.records("seldom")


def test_a_monitored_timer_is_remembered_and_run_when_it_is_past_due(run_host: StartHost, storage: str) -> None:
    """The status blob lies where the .NET host has it; a run that was missed is made up for at the start."""
    host = run_host("timers", "--name", "a", settings=settings(storage, "monitored", "0 0 0 1 1 *"))
    (seen,) = host.wait_for("often")
    assert seen["past_due"] is False
    assert seen["schedule"] == {"AdjustForDST": True}
    assert seen["status"]["Last"] == "0001-01-01T00:00:00"
    assert host.stop() == 0
    status = status_blob(storage, "monitored", "often")
    assert datetime.fromisoformat(status["Next"]).month == 1
    status["Last"] = (datetime.now(UTC) - timedelta(days=800)).isoformat()
    client = BlobServiceClient.from_connection_string(storage)
    blob = client.get_blob_client("azure-webjobs-hosts", STATUS.format("monitored", "often"))
    blob.upload_blob(json.dumps(status), overwrite=True)
    again = run_host("timers", "--name", "a", settings=settings(storage, "monitored", "0 0 0 1 1 *"))
    (late,) = again.wait_for("often")
    assert late["past_due"] is True
    assert again.stop() == 0


def test_a_timer_runs_on_one_instance(run_host: StartHost, every_second: HostProcess, storage: str) -> None:
    """The lease goes to the first; the second takes over within seconds of an orderly stop."""
    second = run_host("timers", "--name", "b", settings=settings(storage, "often", "* * * * * *"))
    runs = len(every_second.records("often"))
    every_second.wait_for("often", runs + 2)
    assert not second.records("often")
    assert every_second.stop() == 0
    second.wait_for("often", 2)
    assert second.stop() == 0


def test_the_admin_api_runs_a_timer(run_host: StartHost, storage: str) -> None:
    host = run_host("timers", "--only", "seldom", settings=settings(storage, "admin", "* * * * * *"))
    assert host.post("/admin/functions/seldom", "{}").status_code == 202
    host.wait_for("seldom")
    assert host.stop() == 0
