"""Clients of the Azure services, by connection string or managed identity; nothing connects before its first use.

The intake needs Service Bus alone: what is slow to import and not needed there (blobs, Event Hubs, identities) is
imported on first use.
"""

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from azure.core.credentials import TokenCredential
from azure.servicebus import ServiceBusClient

from integration import tables
from integration.clock import Clock
from integration.errors import ConfigurationError
from integration.settings import Settings
from integration.settings.types import Connection
from integration.tables import Account
from integration.transport import Host, Limits, managed_identity_tokens

if TYPE_CHECKING:
    from azure.eventhub import EventHubProducerClient
    from azure.storage.blob import BlobServiceClient, ContainerClient

_SERVICE_BUS: dict[str, Any] = {"retry_total": 1, "retry_backoff_factor": 0.1, "retry_backoff_max": 1}
"""One retry reopens a link that was closed as idle; if it fails, the intake answers 503 and the worker waits.
"""
_TIMEOUTS: dict[str, Any] = {"connection_timeout": 5, "read_timeout": 10}
_STORAGE_SCOPE = "https://storage.azure.com/.default"
_STORAGE: dict[str, Any] = {
    "retry_total": 2,
    "initial_backoff": 0.2,
    "increment_base": 0.6,
    "random_jitter_range": 0.1,
    **_TIMEOUTS,
}
"""Blob Storage has words of its own for pauses, and by default makes them of 15 and 18 seconds; here 0.2 and 0.8."""


def service_bus_client(settings: Settings) -> ServiceBusClient:
    """A client of the Service Bus namespace."""
    it = settings.service_bus
    if it.connection_string:
        return ServiceBusClient.from_connection_string(it.connection_string.get_secret_value(), **_SERVICE_BUS)
    return ServiceBusClient(_address(it, "ServiceBus"), _identity(it.client_id), **_SERVICE_BUS)


def event_hub_producer(settings: Settings) -> "EventHubProducerClient":
    """A producer for the hub of settled events."""
    return _producer(settings.event_hubs, settings.events_hub, "EventHubs")


def fabric_producer(settings: Settings) -> "EventHubProducerClient":
    """A producer for the custom endpoint of an Eventstream; raises `ConfigurationError` without FABRIC_HUB_NAME."""
    if settings.fabric_hub is None:
        raise ConfigurationError("FABRIC_HUB_NAME is not set")
    return _producer(settings.fabric, settings.fabric_hub, "Fabric")


def _producer(it: Connection, hub: str, name: str) -> "EventHubProducerClient":
    from azure.eventhub import EventHubProducerClient  # noqa: PLC0415 -- see above

    if it.connection_string:
        return EventHubProducerClient.from_connection_string(
            it.connection_string.get_secret_value(), eventhub_name=hub, **_SERVICE_BUS
        )
    return EventHubProducerClient(_address(it, name), hub, _identity(it.client_id), **_SERVICE_BUS)


def table_account(settings: Settings, clock: Clock) -> Account:
    """The storage account's tables."""
    it = settings.storage
    if it.connection_string:
        return tables.table_account(connection_string=it.connection_string.get_secret_value(), account_name=None)
    tokens = managed_identity_tokens(service="ledger", scope=_STORAGE_SCOPE, client_id=it.client_id, clock=clock)
    return tables.table_account(connection_string=None, account_name=_address(it, "AzureWebJobsStorage"), tokens=tokens)


def table_host(account: Account) -> Host:
    """The host of the tables, for the transport's list of allowed hosts."""
    return Host(account.endpoint, limits=Limits(connect=5, read=10, total=15))


def archive_container(settings: Settings) -> "ContainerClient":
    """The container of the archive sink."""
    return _container(settings, settings.archive_container)


def claim_check_container(settings: Settings) -> "ContainerClient":
    """The container of what events carry and their messages cannot hold."""
    return _container(settings, settings.claim_check_container)


def lake_container(settings: Settings) -> "ContainerClient":
    """The container of the lake, in an account of its own if there is one."""
    if settings.lake_container is None:
        raise ConfigurationError("LAKE_CONTAINER_NAME is not set")
    return _container(settings, settings.lake_container, account=settings.lake_account)


def set_aside_container(settings: Settings) -> "ContainerClient":
    """The container of the rows that no sink takes."""
    return _container(settings, settings.set_aside_container)


def copies_container(settings: Settings) -> "ContainerClient":
    """The container of the ledger's copies, in an account of its own if there is one."""
    return _container(settings, settings.ledger_copies_container, account=settings.ledger_copies_account)


def _container(settings: Settings, name: str, *, account: str | None = None) -> "ContainerClient":
    return blob_account(settings, account).get_container_client(name)


def blob_account(settings: Settings, account: str | None = None) -> "BlobServiceClient":
    """The blobs of a storage account, by name; of the app's own without one."""
    from azure.storage.blob import BlobServiceClient  # noqa: PLC0415 -- see above

    it = settings.storage
    if it.connection_string and not account:
        return BlobServiceClient.from_connection_string(it.connection_string.get_secret_value(), **_STORAGE)
    address = f"https://{account or _address(it, 'AzureWebJobsStorage')}.blob.core.windows.net"
    return BlobServiceClient(address, credential=_identity(it.client_id), **_STORAGE)


def storage_token(settings: Settings) -> str:
    """A token of the app's identity for Blob Storage and OneLake, for minutes at least. Raises what the SDK raises."""
    return _identity(settings.storage.client_id).get_token(_STORAGE_SCOPE).token


def hub_name(settings: Settings) -> str:
    """What names the hub of settled events among all hubs: its namespace, and its own name."""
    it = settings.event_hubs
    text = it.connection_string.get_secret_value() if it.connection_string else ""
    found = re.search(r"sb://([^/:;]+)", text)
    return f"{found[1] if found else _address(it, 'EventHubs')}/{settings.events_hub}"


def _address(connection: Connection, name: str) -> str:
    if connection.address is None:
        raise ConfigurationError(f"{name}: neither a connection string nor an address is set")
    return connection.address


@cache
def _identity(client_id: str | None) -> TokenCredential:
    from azure.identity import ManagedIdentityCredential  # noqa: PLC0415 -- see above

    return ManagedIdentityCredential(client_id=client_id)
