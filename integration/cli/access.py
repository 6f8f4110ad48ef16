"""Which storage account a command works on, and with which identity."""

import argparse
import json
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from azure.storage.blob import BlobServiceClient, ContainerClient

from integration.claim_check import BlobContents
from integration.clock import SystemClock
from integration.errors import ConfigurationError
from integration.ledger import Ledger
from integration.ledger.legacy import OldLayout
from integration.tables import Account, table_account
from integration.transport import Host, Limits, Transport, credential_tokens

_STORAGE: Final = "AzureWebJobsStorage"
_ACCOUNT: Final = "AzureWebJobsStorage__accountName"
_CONTAINER: Final = "ARCHIVE_CONTAINER"
_CLAIM_CHECKS: Final = "CLAIM_CHECK_CONTAINER"
_LIMITS: Final = Limits(connect=5, read=60, total=90)


@dataclass(frozen=True, slots=True)
class Access:
    """A storage account: by connection string, or by name with the identity that is signed in."""

    connection_string: str | None
    account_name: str | None
    container: str
    claim_checks: str = "claim-checks"

    @asynccontextmanager
    async def ledger(self) -> AsyncIterator[Ledger]:
        """The ledger in this account; it is closed at the end."""
        account, clock = self._tables(), SystemClock()
        transport = Transport([Host(account.endpoint, limits=_LIMITS)], clock=clock)
        ledger = Ledger(account, transport, clock, old_layout=OldLayout(account, transport))
        try:
            yield ledger
            await ledger.close()
        finally:
            await transport.aclose()

    def archive(self) -> ContainerClient:
        """The archive's container in this account."""
        return self._blobs().get_container_client(self.container)

    def contents(self) -> BlobContents:
        """What events carry beside their messages, in this account."""
        return BlobContents(lambda: self._blobs().get_container_client(self.claim_checks))

    def _blobs(self) -> BlobServiceClient:
        if self.connection_string:
            return BlobServiceClient.from_connection_string(self.connection_string)
        return BlobServiceClient(f"https://{self.account_name}.blob.core.windows.net", credential=_credential())

    def _tables(self) -> Account:
        tokens = credential_tokens(
            _credential, service="ledger", scope="https://storage.azure.com/.default", clock=SystemClock()
        )
        return table_account(
            connection_string=self.connection_string,
            account_name=self.account_name,
            tokens=None if self.connection_string else tokens,
        )


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command-line options that name the account."""
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--settings", type=Path, metavar="FILE", help="take the storage account from this local.settings.json"
    )
    where.add_argument(
        "--sandbox",
        type=Path,
        nargs="?",
        const=Path(".sandbox"),
        metavar="DIR",
        help="work on the running sandbox whose state is in this folder (.sandbox)",
    )


def access(options: argparse.Namespace, environ: Mapping[str, str] = os.environ) -> Access:
    """The account that the options, the environment or local.settings.json name, in this order.

    Raises `ConfigurationError`, whose message says what is missing.
    """
    if options.sandbox is not None:
        found = _read(options.sandbox / "endpoints.json", "Is the sandbox running? Start it with run.py up.")
        return Access(str(found["storage"]), None, "integration-events")
    if options.settings is not None:
        return _from(_read(options.settings, "")["Values"], str(options.settings))
    if environ.get(_STORAGE) or environ.get(_ACCOUNT):
        return _from(environ, "the environment")
    local = Path("local.settings.json")
    if local.exists():
        return _from(_read(local, "")["Values"], str(local))
    raise ConfigurationError(
        f"No storage account is named. Set {_STORAGE} (a connection string) or {_ACCOUNT} (its name; sign in first "
        "with az login), or give --settings FILE or --sandbox."
    )


def _from(values: Mapping[str, str], source: str) -> Access:
    if not (values.get(_STORAGE) or values.get(_ACCOUNT)):
        raise ConfigurationError(f"{source} has neither {_STORAGE} nor {_ACCOUNT}.")
    return Access(
        values.get(_STORAGE),
        values.get(_ACCOUNT),
        values.get(_CONTAINER) or "integration-events",
        values.get(_CLAIM_CHECKS) or "claim-checks",
    )


def _read(path: Path, hint: str) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{path} cannot be read ({type(error).__name__}). {hint}".rstrip()) from error
    return content


def _credential() -> Any:
    """The identity that is signed in here: by az, azd, environment variables, or the machine's managed identity."""
    from azure.identity import DefaultAzureCredential  # noqa: PLC0415 -- slow to import, not needed with strings

    return DefaultAzureCredential()
