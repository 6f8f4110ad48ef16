"""@azure/service-bus and @azure/event-hubs on Node.js: the same journeys through a second AMQP stack."""

from pathlib import Path

import pytest

from tests.contract.node_packages import installed, run
from tests.contract.sandbox.azure.broker.broker_process import HERE, BrokerProcess

PACKAGE = HERE / "node"
JOURNEYS = ["sendAndSettle", "scheduleAndCancel", "sessions", "rules", "counts", "hubs"]


@pytest.fixture(scope="module")
def sdks() -> Path:
    """The folder of the pinned SDKs."""
    return installed(PACKAGE, "The JavaScript SDKs of Service Bus and Event Hubs")


@pytest.mark.parametrize("transport", ["plain", "tls", "websockets"])
def test_the_javascript_sdks_pass_the_same_journeys(sdks: Path, tmp_path: Path, transport: str) -> None:
    """Queues, sessions, scheduling, rules, administration, hubs; on a broker of its own, whose clock nobody moves."""
    broker = BrokerProcess(tmp_path)
    broker.start()
    try:
        strings = [broker.secure_connection_string, broker.secure_connection_string, transport]
        if transport == "plain":
            administration = broker.connection_string.replace(f":{broker.port};", f":{broker.http_port};")
            strings = [broker.connection_string, administration]
        authority = {"NODE_EXTRA_CA_CERTS": str(broker.ca_file)}
        passed = run(PACKAGE / "journeys.mjs", sdks, *strings, environment=authority)
    finally:
        status = broker.stop()
    assert passed == JOURNEYS
    assert status == 0
