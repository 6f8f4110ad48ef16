"""The package runs in the sandbox as it is deployed, and the smoke test knows a good deployment from a bad one."""

import json
import subprocess
import time
import zipfile
from collections.abc import Iterator

import pytest
import requests

from sandbox.machine.ports import LOOPBACK, Ports
from sandbox.repository import PAYLOADS, REPOSITORY
from sandbox.running.endpoints import Endpoints
from sandbox.running.sandbox import Sandbox
from tests.contract.infra.test_package import make


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A sandbox whose hosts run the unpacked package, not the repository."""
    folder = tmp_path_factory.mktemp("deployed")
    made = make(REPOSITORY, folder / "app.zip")
    assert made.returncode == 0, made.stderr
    with zipfile.ZipFile(folder / "app.zip") as archive:
        archive.extractall(folder / "app")
    sandbox = Sandbox(folder / "state", Ports.free(), app=folder / "app")
    sandbox.start()
    yield sandbox
    sandbox.stop()


def smoke(url: str, patience: int) -> subprocess.CompletedProcess[str]:
    script = str(REPOSITORY / "infra" / "smoke.sh")
    return subprocess.run(  # noqa: S603 -- our own script
        [script, url, str(patience)], capture_output=True, text=True, check=False
    )


def url_of(sandbox: Sandbox) -> str:
    return f"http://{LOOPBACK}:{sandbox.ports.functions}"


def test_a_good_deployment_passes(deployed: Sandbox) -> None:
    """Ready, and every kind of route asks for a key."""
    done = smoke(url_of(deployed), 30)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 4


def test_a_deployment_that_cannot_reach_its_services_fails(deployed: Sandbox) -> None:
    """Without the broker the app runs and is not ready: the smoke test shows what the app says of it."""
    deployed.processes.kill("broker")
    answer = requests.post(
        f"{url_of(deployed)}/api/dataverse/webhook",
        headers={"x-functions-key": Endpoints.read(deployed.state.endpoints).webhook_key},
        json=json.loads((PAYLOADS / "webhook_async_delete_lead.json").read_text(encoding="utf-8")),
        timeout=30,
    )
    assert answer.status_code == 503  # a link that has worked in the last half minute counts until it fails
    time.sleep(2.1)  # what health has found holds for two seconds
    try:
        done = smoke(url_of(deployed), 2)
    finally:
        deployed.processes.start("broker")
    assert done.returncode == 1
    assert "workQueue" in done.stderr
