"""endpoints.json."""

import json
import os
import stat
from dataclasses import asdict
from pathlib import Path

import pytest
from azure.servicebus import ServiceBusClient, parse_connection_string
from azure.storage.blob import BlobServiceClient

from sandbox.machine.ports import Ports
from sandbox.running.dataverse_client import Environment
from sandbox.running.endpoints import DataverseClient, Endpoints
from sandbox.running.programs import endpoints
from sandbox.running.state import Keys


def some_endpoints(state: Path, ports: Ports | None = None) -> Endpoints:
    client = DataverseClient("tenant", "client", "secret", "https://localhost:7443", str(state / "ca.pem"))
    environment = Environment("https://localhost:7443", "organisation", client, client, ("api://app",))
    return endpoints(ports or Ports(), Keys(), environment)


def test_the_file_has_the_documented_keys(tmp_path: Path) -> None:
    some_endpoints(tmp_path).write(tmp_path / "endpoints.json")
    document = json.loads((tmp_path / "endpoints.json").read_text())
    assert set(document) == {
        "functions",
        "page",
        "webhook_key",
        "plugin_key",
        "operations_key",
        "virtual_tables_key",
        "servicebus",
        "eventhubs",
        "storage",
        "broker",
        "checks",
        "collector",
        "dataverse",
        "dataverse_client",
        "dataverse_person",
        "erp",
        "erp_key",
        "erp_events_key",
        "credit",
        "credit_key",
        "others",
        "sinks",
        "faults",
        "ports",
    }
    for name in ("dataverse_client", "dataverse_person"):
        assert set(document[name]) == {"tenant", "client_id", "secret", "authority", "ca_file"}
    assert set(document["faults"]) == {"erp", "credit", "dataverse", "broker"}
    assert document["ports"] == asdict(Ports())


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    written = some_endpoints(tmp_path)
    written.write(tmp_path / "endpoints.json")
    assert Endpoints.read(tmp_path / "endpoints.json") == written


@pytest.mark.skipif(os.name == "nt", reason="Windows has no permission bits")
def test_only_its_owner_reads_the_file(tmp_path: Path) -> None:
    some_endpoints(tmp_path).write(tmp_path / "endpoints.json")
    assert stat.S_IMODE((tmp_path / "endpoints.json").stat().st_mode) == 0o600


def test_the_connection_strings_are_understood_by_the_sdks(tmp_path: Path) -> None:
    reached = some_endpoints(tmp_path, Ports(amqp=5679, blob=10009))
    assert parse_connection_string(reached.servicebus).fully_qualified_namespace == "localhost:5679"
    ServiceBusClient.from_connection_string(reached.servicebus).close()
    blobs = BlobServiceClient.from_connection_string(reached.storage)
    assert blobs.url == "http://127.0.0.1:10009/devstoreaccount1/"
