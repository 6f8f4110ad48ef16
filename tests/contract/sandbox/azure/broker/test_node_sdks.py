"""@azure/service-bus and @azure/event-hubs on Node.js: the same journeys through a second AMQP stack."""

import hashlib
import os
import shutil
import subprocess
import warnings
from pathlib import Path

import pytest

from sandbox.repository import REPOSITORY
from tests.contract.sandbox.azure.broker.broker_process import HERE, BrokerProcess

PACKAGE = HERE / "node"
JOURNEYS = ["sendAndSettle", "scheduleAndCancel", "sessions", "rules", "counts", "hubs"]


def skip(reason: str) -> None:
    """Skips so that nobody overlooks it: the reason stands in the summary of warnings."""
    warnings.warn(f"SKIPPED: the JavaScript SDKs were not tested: {reason}", stacklevel=2)
    pytest.skip(reason)


@pytest.fixture(scope="module")
def sdks() -> Path:
    """The folder of the pinned SDKs; the first run installs them there, which alone needs the network."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        skip("Node.js with npm is not on PATH")
    files = [PACKAGE / "package.json", PACKAGE / "package-lock.json"]
    pin = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:12]
    home = REPOSITORY / ".sandbox" / "tools" / f"node-sdks-{pin}"
    if home.exists():
        return home
    unfinished = home.with_name(f"{home.name}.{os.getpid()}")
    unfinished.mkdir(parents=True)
    for path in files:
        shutil.copy(path, unfinished)
    command = ["npm", "ci", "--ignore-scripts", "--omit=dev", "--no-audit", "--no-fund", "--loglevel=error"]
    answer = subprocess.run(  # noqa: S603 -- a fixed command
        command, cwd=unfinished, capture_output=True, text=True, timeout=300, check=False
    )
    if answer.returncode:
        shutil.rmtree(unfinished)
        skip(f"npm could not install them: {answer.stderr.strip()[-500:]}")
    unfinished.rename(home)
    return home


def test_the_javascript_sdks_pass_the_same_journeys(sdks: Path, tmp_path: Path) -> None:
    """Queues, sessions, scheduling, rules, administration, hubs; on a broker of its own, whose clock nobody moves."""
    broker = BrokerProcess(tmp_path)
    broker.start()
    try:
        administration = broker.connection_string.replace(f":{broker.port};", f":{broker.http_port};")
        answer = subprocess.run(  # noqa: S603 -- our own script
            [
                shutil.which("node") or "node",
                str(PACKAGE / "journeys.mjs"),
                str(sdks),
                broker.connection_string,
                administration,
            ],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    finally:
        status = broker.stop()
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert answer.stdout.split() == JOURNEYS
    assert status == 0
