"""Every known difference of the host is on its page, and every one on the page is still there."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from sandbox.azure.host.host_json import HostJson
from tests.contract.sandbox.azure.host.processes import HostProcess, StartHost
from tests.contract.sandbox.azure.host.refusals import Refusals
from tests.contract.sandbox.azure.host.test_start import BY_THE_HOST, BY_THIS_HOST, refuse
from tests.contract.sandbox.differences import listed


@dataclass(frozen=True)
class Here:
    """What a probe may use."""

    http: HostProcess
    start: StartHost
    refusals: Refusals
    home: Path

    def refused(self, *reasons: str) -> None:
        """Apps of test_start.py do not start."""
        for reason in reasons:
            folder = self.home / reason.replace(" ", "-")
            folder.mkdir()
            refuse(self.refusals, (BY_THIS_HOST | BY_THE_HOST)[reason], folder)


def no_other_bindings(here: Here) -> None:
    here.refused("an output binding", "another trigger")


def no_entra(here: Here) -> None:
    here.refused("an identity-based connection", "identity-based storage")


def no_admin(here: Here) -> None:
    for path in ("host/keys", "host/drain/status", "host/scale/status", "functions/echo/keys"):
        assert here.http.http.get(f"{here.http.url}/admin/{path}").status_code == 404, path
    for path in ("host/drain", "host/resume", "host/restart"):
        assert here.http.post(f"/admin/{path}").status_code == 404, path


def no_browsers(here: Here) -> None:
    answer = here.http.http.get(f"{here.http.url}/api/files/x", headers={"Origin": "https://x.example"})
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert here.http.http.get(f"{here.http.url}/.auth/me").status_code == 404


def without_effect(here: Here) -> None:
    plain, other = here.home / "plain.json", here.home / "other.json"
    options = {"enableCrossEntityTransactions": True, "transportType": "amqpWebSockets"}
    clients = {"clientRetryOptions": {"mode": "fixed", "maxRetries": 7}}
    plain.write_text('{"version": "2.0"}')
    settings = {"serviceBus": options | clients, "eventHubs": {"transportType": "amqpWebSockets"} | clients}
    concurrency = {"dynamicConcurrencyEnabled": True}
    other.write_text(json.dumps({"version": "2.0", "extensions": settings, "concurrency": concurrency}))
    assert HostJson.load(other) == HostJson.load(plain)


def no_older_options(here: Here) -> None:
    here.refused("events from a time on", "options of an older extension")


def all_or_nothing(here: Here) -> None:
    here.refused("a missing connection")


def one_process(here: Here) -> None:
    host = here.start("workers", "--only", "http")
    assert host.post("/api/whoami").json()["pid"] == host.process.pid
    host.stop()


DIFFERENCES: dict[str, Callable[[Here], None]] = {
    "input and output bindings other than HTTP, other triggers": no_other_bindings,
    "Microsoft Entra ID: `X__fullyQualifiedNamespace`, `AzureWebJobsStorage__accountName`": no_entra,
    "the admin API for keys, drain, resume and scale status": no_admin,
    "CORS and Easy Auth": no_browsers,
    "`enableCrossEntityTransactions`, `transportType`, `clientRetryOptions`, `dynamicConcurrency` have an effect": (
        without_effect
    ),
    "`initialOffsetOptions.type: fromEnqueuedTime`, option names of older extensions": no_older_options,
    "a function in error leaves the others running": all_or_nothing,
    "with one worker, function and host are two processes": one_process,
}


def test_the_page_lists_the_differences_that_are_tried_here() -> None:
    assert listed("sandbox-host.md") == list(DIFFERENCES)


@pytest.mark.parametrize("difference", DIFFERENCES)
def test_a_listed_difference_is_there(
    http_host: HostProcess, run_host: StartHost, tmp_path: Path, difference: str
) -> None:
    """When this fails because the host now does it: take the row off the page and out of this list."""
    DIFFERENCES[difference](Here(http_host, run_host, Refusals(tmp_path), tmp_path))
