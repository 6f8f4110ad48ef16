"""Clients of the Azure services, by connection string or managed identity; nothing connects before its first use."""

from functools import cache
from typing import Any

import requests
from azure.core.credentials import TokenCredential
from azure.core.pipeline.transport import RequestsTransport
from azure.data.tables import TableServiceClient
from azure.eventhub import EventHubProducerClient
from azure.servicebus import ServiceBusClient
from azure.storage.blob import BlobServiceClient, ContainerClient
from requests.adapters import HTTPAdapter

from integration.errors import ConfigurationError
from integration.settings import Connection, Settings

_SERVICE_BUS: dict[str, Any] = {"retry_total": 1, "retry_backoff_factor": 0.1, "retry_backoff_max": 1}
"""A link closed for idleness is opened again at once; beyond that the intake answers 503 and the worker waits."""
_THREADS = 64
"""More threads than this do not call the tables at once (host.json, maxConcurrentSessions)."""
_TIMEOUTS: dict[str, Any] = {"connection_timeout": 5, "read_timeout": 10}
_STORAGE: dict[str, Any] = {"retry_total": 2, "retry_backoff_factor": 0.2, **_TIMEOUTS}


def service_bus_client(settings: Settings) -> ServiceBusClient:
    """A client of the Service Bus namespace."""
    it = settings.service_bus
    if it.connection_string:
        return ServiceBusClient.from_connection_string(it.connection_string.get_secret_value(), **_SERVICE_BUS)
    return ServiceBusClient(_address(it, "ServiceBus"), _identity(it.client_id), **_SERVICE_BUS)


def event_hub_producer(settings: Settings) -> EventHubProducerClient:
    """A producer for the hub of settled events."""
    it = settings.event_hubs
    if it.connection_string:
        return EventHubProducerClient.from_connection_string(
            it.connection_string.get_secret_value(), eventhub_name=settings.events_hub, **_SERVICE_BUS
        )
    return EventHubProducerClient(
        _address(it, "EventHubs"), settings.events_hub, _identity(it.client_id), **_SERVICE_BUS
    )


def table_service(settings: Settings) -> TableServiceClient:
    """The storage account's tables."""
    it = settings.storage
    if it.connection_string:
        return TableServiceClient.from_connection_string(
            it.connection_string.get_secret_value(), transport=_pooled(), **_STORAGE
        )
    address = f"https://{_address(it, 'AzureWebJobsStorage')}.table.core.windows.net"
    return TableServiceClient(address, credential=_identity(it.client_id), transport=_pooled(), **_STORAGE)


def archive_container(settings: Settings) -> ContainerClient:
    """The container of the archive sink."""
    it = settings.storage
    if it.connection_string:
        blobs = BlobServiceClient.from_connection_string(it.connection_string.get_secret_value(), **_STORAGE)
    else:
        address = f"https://{_address(it, 'AzureWebJobsStorage')}.blob.core.windows.net"
        blobs = BlobServiceClient(address, credential=_identity(it.client_id), **_STORAGE)
    return blobs.get_container_client(settings.archive_container)


def _pooled() -> RequestsTransport:
    """The SDK's transport, with a kept connection for each thread that may be at work (by itself it keeps ten) and
    without looking for proxies and netrc before each call: a quarter of what a call costs.
    """  # noqa: D205 -- one thought
    session = requests.Session()
    session.trust_env = False
    for scheme in ("http://", "https://"):
        session.mount(scheme, HTTPAdapter(pool_maxsize=_THREADS))
    return RequestsTransport(session=session, **_TIMEOUTS)


def _address(connection: Connection, name: str) -> str:
    if connection.address is None:
        raise ConfigurationError(f"{name}: neither a connection string nor an address is set")
    return connection.address


@cache
def _identity(client_id: str | None) -> TokenCredential:
    from azure.identity import ManagedIdentityCredential  # noqa: PLC0415 -- slow to import, not needed with strings

    return ManagedIdentityCredential(client_id=client_id)
