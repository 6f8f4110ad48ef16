"""The Delta table of settled events, open: in OneLake, or in Blob Storage.

It is made with its first use. What is known of it is kept between batches, so that only newer commits are read. Each
use asks for the way to it (`connect`) again: a token is good for about an hour, and with another one the table is
opened anew.
"""

import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from deltalake import DeltaTable
from deltalake.exceptions import TableNotFoundError

from integration.analytics.arrow import FIELDS
from integration.errors import IntegrationError, Outage

if TYPE_CHECKING:
    from azure.storage.blob import BlobServiceClient

SERVICE: Final = "delta"
_CLIENT: Final = {"connect_timeout": "5s", "timeout": "30s", "max_retries": "2", "retry_timeout": "15s"}
"""Of the library's requests; what fails is tried again by whoever uses the table, with the app's retry policy."""
_LONGEST: Final = 300
_COLOURS: Final = re.compile(r"\x1b\[\d*m")


class OpenTable:
    """One table; one use at a time. `uri` and what `connect` gives are as the library `deltalake` takes them."""

    def __init__(self, uri: str, connect: Callable[[], Mapping[str, str]]) -> None:
        self._uri = uri
        self._connect = connect
        self._lock = threading.Lock()
        self._options: Mapping[str, str] = {}
        self._table: DeltaTable | None = None

    @contextmanager
    def newest(self) -> Iterator[DeltaTable]:
        """The table as its last commit left it. Whatever goes wrong is an `Outage`; then it is opened anew."""
        with self._lock:
            try:
                yield self._opened()
            except IntegrationError:
                raise
            except Exception as error:  # the library raises OSError, its own errors, and for a failed cast Exception
                self._table = None
                raise _unavailable(error) from error

    def _opened(self) -> DeltaTable:
        options = self._connect()
        if self._table is None or options != self._options:
            self._options, self._table = options, self._open({**options, **_CLIENT})
        else:
            self._table.update_incremental()
        return self._table

    def _open(self, options: dict[str, str]) -> DeltaTable:
        try:
            return DeltaTable(self._uri, storage_options=options)
        except TableNotFoundError:
            return DeltaTable.create(self._uri, FIELDS, mode="ignore", storage_options=options)


def _unavailable(error: Exception) -> Outage:
    """With the first words of the library's message: it can have the whole answer of the storage."""
    said = " ".join(_COLOURS.sub("", str(error)).split())[:_LONGEST]
    return Outage(
        f"The Delta table did not take the rows, which are written again later ({type(error).__name__}: {said})",
        reason="delta-unavailable",
        service=SERVICE,
    )


def options_of(account: "BlobServiceClient") -> dict[str, str]:
    """The way to the tables of a storage account, from a client that was made with its key."""
    return {
        "azure_storage_account_name": str(account.account_name),
        "azure_storage_account_key": account.credential.account_key,
        "azure_storage_endpoint": account.url.rstrip("/"),
        "allow_http": str(account.scheme == "http").lower(),
    }
