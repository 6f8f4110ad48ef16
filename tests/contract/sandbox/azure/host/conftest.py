"""The host as a process, with a real broker and Azurite beside it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from sandbox.machine.ports import Ports
from sandbox.repository import REPOSITORY
from tests.contract.sandbox.azure.host.processes import APPS, Broker, HostProcess, Hubs, Senders, StartHost, wait_until


@pytest.fixture(scope="session")
def run_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartHost]:
    """Start a host for one of the apps; what a test or fixture has not stopped is killed in the end."""
    started: list[HostProcess] = []

    def run(app: str, *arguments: str, ready: bool = True, settings: dict[str, str] | None = None) -> HostProcess:
        home = tmp_path_factory.mktemp(f"host-{app}")
        port = Ports.free().functions
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("AzureWebJobs")},
            "PYTHONPATH": os.pathsep.join([str(REPOSITORY), str(APPS / "shared")]),
            "PROBE_FILE": str(home / "probe"),
            **(settings or {}),
        }
        command = [
            sys.executable,
            "-m",
            "sandbox.azure.host",
            "--app",
            str(APPS / app),
            "--port",
            str(port),
            *arguments,
        ]
        with (home / "log").open("wb") as log:
            process = subprocess.Popen(command, env=environment, stderr=log, cwd=home)  # noqa: S603 -- our own module
        host = HostProcess(process, f"http://127.0.0.1:{port}", home / "log", home / "probe")
        host.http.trust_env = False
        started.append(host)
        if ready:
            wait_until(f"the host of {app} to be ready; its log is {host.log}", lambda: _is_ready(host))
        return host

    yield run
    for host in started:
        if host.process.poll() is None:
            host.kill()


def _is_ready(host: HostProcess) -> bool:
    if host.process.poll() is not None:
        raise AssertionError(f"the host ended: {host.text()}")
    try:
        return host.get("/admin/host/ping").status_code == 200
    except requests.ConnectionError:
        return False


def _entities() -> tuple[dict[str, Any], dict[str, Any]]:
    lock = {"LockDuration": "PT5S", "MaxDeliveryCount": 3}
    queues = [
        {"Name": name, "Properties": dict(lock)} for name in ("single", "raw", "plain", "many", "spread", "gathered")
    ]
    queues += [
        {"Name": name, "Properties": {**lock, "LockDuration": "PT2S"}} for name in ("slow", "batches", "ahead", "kept")
    ]
    sessions = {**lock, "LockDuration": "PT2S", "RequiresSession": True}
    queues += [
        {"Name": name, "Properties": sessions} for name in ("sessions", "others", "steady", "shared", "pairs", "busy")
    ]
    topics = [{"Name": "topic", "Properties": {}, "Subscriptions": [{"Name": "sub", "Properties": dict(lock)}]}]
    hubs = [
        {"Name": name, "PartitionCount": 2, "ConsumerGroups": [{"Name": "readers"}]}
        for name in ("events", "again", "singles", "failures")
    ]
    hubs.append({"Name": "shared-events", "PartitionCount": 4, "ConsumerGroups": [{"Name": "readers"}]})
    return (
        {"UserConfig": {"Namespaces": [{"Name": "sbemulatorns", "Queues": queues, "Topics": topics}]}},
        {"UserConfig": {"NamespaceConfig": [{"Type": "EventHub", "Name": "emulatorNs1", "Entities": hubs}]}},
    )


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A broker of the tests' own, which checks tokens."""
    home, ports = tmp_path_factory.mktemp("broker"), Ports.free()
    command = [
        sys.executable,
        "-m",
        "sandbox.azure.broker",
        "--port",
        str(ports.amqp),
        "--http-port",
        str(ports.broker_http),
        "--tls-port",
        str(ports.amqps),
        "--ca-dir",
        str(home / "ca"),
    ]
    command += ["--db", str(home / "db"), "--key", "RootManageSharedAccessKey=SAS_KEY_VALUE"]
    for name, content in zip(("servicebus.json", "eventhubs.json"), _entities(), strict=True):
        (home / name).write_text(json.dumps(content))
        command += ["--config", str(home / name)]
    one = Broker(ports.amqp, ports.broker_http, ports.amqps, home / "ca" / "ca.pem", command)
    one.start()
    yield one
    one.process.terminate()
    one.process.wait(10)


@pytest.fixture(scope="session")
def senders(broker: Broker) -> Senders:
    """Not closed: that takes the SDK seconds for each connection that the broker's restart has broken."""
    return Senders(broker.connection)


@pytest.fixture(scope="session")
def hubs(broker: Broker) -> Iterator[Hubs]:
    some = Hubs(broker.connection)
    yield some
    some.close()


@pytest.fixture(scope="session")
def messages_host(run_host: StartHost, broker: Broker) -> Iterator[HostProcess]:
    """The messages app, running, with a thread for each session that it takes."""
    settings = {"ServiceBus": broker.connection, "SINGLE": "single", "SESSIONS": "sessions"}
    settings["PYTHON_THREADPOOL_THREAD_COUNT"] = "20"
    host = run_host("messages", settings=settings)
    yield host
    assert host.stop() == 0


@pytest.fixture(scope="session")
def http_host(run_host: StartHost) -> HostProcess:
    """The HTTP app, running, with no keys, one function disabled, function code measured."""
    settings = {
        "AzureWebJobs.off.Disabled": "true",
        "SANDBOX_HOST_STATS": "1",
        "FUNCTIONS_REQUEST_BODY_SIZE_LIMIT": "1000",
        "PYTHON_THREADPOOL_THREAD_COUNT": "4",
    }
    return run_host("http", settings=settings)
