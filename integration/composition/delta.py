"""The way of the Delta sink to its table: with the app's identity; in its own account as the app reaches that."""

from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from integration import blobs
from integration.composition import connections
from integration.errors import ConfigurationError
from integration.settings import Settings

if TYPE_CHECKING:
    from integration.analytics.delta_table import OpenTable


def delta_table(settings: Settings) -> "OpenTable":
    """The table that DELTA_TABLE names; raises `ConfigurationError` without it."""
    from integration.analytics.delta_table import OpenTable  # noqa: PLC0415 -- with the first batch, as the sinks

    uri = settings.delta_table
    if uri is None:
        raise ConfigurationError("DELTA_TABLE is not set")
    if uri.startswith("az://"):
        return OpenTable(uri, _own(settings, urlsplit(uri).netloc))
    return OpenTable(uri, lambda: {"bearer_token": connections.storage_token(settings)})


def _own(settings: Settings, container: str) -> Callable[[], Mapping[str, str]]:
    """In the account of the app; the container is made with the first use."""
    from integration.analytics.delta_table import options_of  # noqa: PLC0415 -- as above

    account = connections.blob_account(settings)
    made = cache(partial(blobs.container_of, lambda: account.get_container_client(container)))

    def connect() -> Mapping[str, str]:
        made()
        if settings.storage.connection_string:
            return options_of(account)
        name = str(account.account_name)
        return {"azure_storage_account_name": name, "bearer_token": connections.storage_token(settings)}

    return connect
