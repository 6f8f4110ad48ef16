"""Apache Qpid Proton, where this machine has it (Debian: python3-qpid-proton; PyPI: python-qpid-proton)."""

import shutil
import subprocess
import sys

import pytest

from tests.contract.node_packages import skip
from tests.contract.sandbox.azure.broker.broker_process import HERE, BrokerProcess

JOURNEYS = ["send_and_settle", "sessions", "refusals", "hubs"]


@pytest.fixture(scope="module")
def python() -> str:
    """A Python that can import proton: this one, or the system's."""
    for candidate in (sys.executable, shutil.which("python3", path="/usr/bin") or ""):
        if candidate and _run([candidate, "-c", "import proton"]).returncode == 0:
            return candidate
    skip("Qpid Proton was not tested: neither this Python nor the system's has the module proton")
    return ""


@pytest.mark.parametrize("secure", [False, True], ids=["amqp", "amqps"])
def test_the_journeys_of_proton(python: str, broker: BrokerProcess, *, secure: bool) -> None:
    address = [f"amqp://localhost:{broker.port}"]
    if secure:
        address = [f"amqps://localhost:{broker.tls_port}", str(broker.ca_file)]
    answer = _run([python, str(HERE / "proton" / "journeys.py"), *address])
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert answer.stdout.split() == JOURNEYS


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603 -- our own script
