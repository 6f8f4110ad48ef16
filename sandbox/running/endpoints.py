"""Addresses, ports, connection strings and keys of the running sandbox, also written to `endpoints.json`."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from sandbox.machine.ports import LOOPBACK, Ports

# Azurite's account and key are public and the same everywhere (learn.microsoft.com, "Use the Azurite emulator").
_STORAGE_ACCOUNT = "devstoreaccount1"
_STORAGE_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


@dataclass(frozen=True, slots=True)
class DataverseClient:
    """How an app registration signs in to the Dataverse stand-in."""

    tenant: str
    client_id: str
    secret: str
    authority: str
    ca_file: str


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Addresses (base URLs without a trailing slash), ports, connection strings and keys.

    `page` is the start page, None where none is served. `dataverse_client` is the app's registration,
    `dataverse_person` that of a person who works in Dataverse. `broker` is where the broker's health and controls are;
    `collector` takes spans and metrics, and shows traces. `others` are the addresses of systems that only flows of the
    app name; their key is that of the ERP. `sinks` are what sinks of settled events write to besides the archive, by
    the sink's name. `faults` is the address of each stand-in's faults. `ports` has every port by its name. `checks`
    says whether the steps of checks are registered.
    """

    functions: str
    page: str | None
    webhook_key: str
    plugin_key: str
    operations_key: str
    virtual_tables_key: str
    servicebus: str
    eventhubs: str
    storage: str
    broker: str
    dataverse: str
    dataverse_client: DataverseClient
    dataverse_person: DataverseClient
    erp: str
    erp_key: str
    erp_events_key: str
    credit: str
    credit_key: str
    collector: str
    others: dict[str, str]
    sinks: dict[str, str]
    faults: dict[str, str]
    ports: dict[str, int]
    checks: bool = False

    def write(self, path: Path) -> None:
        """Write the file in one step, readable by its owner only: it holds keys."""
        unfinished = path.with_suffix(".tmp")
        unfinished.unlink(missing_ok=True)
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(asdict(self), file, indent=2)
            file.write("\n")
        unfinished.replace(path)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read what `write` wrote; raises FileNotFoundError when no sandbox runs."""
        document = json.loads(path.read_text(encoding="utf-8"))
        clients = {name: DataverseClient(**document[name]) for name in ("dataverse_client", "dataverse_person")}
        return cls(**document | clients)


def broker_connection(port: int) -> str:
    """Connection string for Service Bus and for Event Hubs, as for Microsoft's emulators."""
    return (
        f"Endpoint=sb://localhost:{port};SharedAccessKeyName=RootManageSharedAccessKey;"
        "SharedAccessKey=SAS_KEY_VALUE;UseDevelopmentEmulator=true;"
    )


def storage_connection(ports: Ports) -> str:
    """Connection string for Azurite: that of `UseDevelopmentStorage=true`, with the ports written out."""
    services = (("Blob", ports.blob), ("Queue", ports.queue), ("Table", ports.table))
    return f"DefaultEndpointsProtocol=http;AccountName={_STORAGE_ACCOUNT};AccountKey={_STORAGE_KEY};" + "".join(
        f"{service}Endpoint=http://{LOOPBACK}:{port}/{_STORAGE_ACCOUNT};" for service, port in services
    )
