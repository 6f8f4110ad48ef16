"""Where the running sandbox is reached: addresses, connection strings and keys, also kept in `endpoints.json`."""

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
    """Addresses (base URLs without a trailing slash), connection strings and keys."""

    functions: str
    webhook_key: str
    operations_key: str
    servicebus: str
    eventhubs: str
    storage: str
    dataverse: str
    erp: str
    credit: str
    dataverse_client: DataverseClient

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
        """Read what `write` wrote; raises FileNotFoundError when no sandbox is up."""
        document = json.loads(path.read_text(encoding="utf-8"))
        return cls(**document | {"dataverse_client": DataverseClient(**document["dataverse_client"])})


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
