"""Checks queue, hub and tables, as the app reaches them with connection strings."""

from collections.abc import Callable, Iterator

from azure.core.exceptions import AzureError, ClientAuthenticationError
from azure.data.tables import TableServiceClient
from azure.eventhub import EventHubProducerClient
from azure.eventhub.exceptions import AuthenticationError, EventHubError
from azure.servicebus import ServiceBusClient
from azure.servicebus.exceptions import (
    MessagingEntityNotFoundError,
    ServiceBusAuthenticationError,
    ServiceBusAuthorizationError,
    ServiceBusError,
)

from sandbox.doctor.finding import Finding, note, ok, wrong
from sandbox.doctor.settings_file import SettingsFile

_SECONDS = 10
_KEY = "Copy the connection string again from the namespace's shared access policies."


def findings(settings: SettingsFile) -> Iterator[Finding]:
    """One finding for each of queue, hub and tables."""
    queue = settings.get("WORK_QUEUE") or "work"
    hub = settings.get("EVENTS_HUB") or "integration-events"
    yield _with_connection(settings, "ServiceBus", "queue", lambda connection: _queue(connection, queue))
    yield _with_connection(settings, "EventHubs", "hub", lambda connection: _hub(connection, hub))
    yield _with_connection(settings, "AzureWebJobsStorage", "tables", _tables)


def _with_connection(settings: SettingsFile, name: str, what: str, look: Callable[[str], Finding]) -> Finding:
    connection = settings.get(name)
    if not connection:
        seen = f"{name} has no connection string, so the managed identity is used"
        return note(
            what, seen, "Only the app itself can use that identity: give the app's URL, and its health says more."
        )
    try:
        return look(connection)
    except ValueError as error:
        return wrong(what, f"{name} is not a connection string: {error}", _KEY)


def _queue(connection: str, queue: str) -> Finding:
    try:
        with (
            ServiceBusClient.from_connection_string(connection, retry_total=0, socket_timeout=_SECONDS) as client,
            client.get_queue_sender(queue),
        ):
            return ok("queue", f"{queue} can be reached")
    except MessagingEntityNotFoundError:
        return wrong("queue", f"the namespace has no queue {queue}", "Create it as infra/topology.json says.")
    except (ServiceBusAuthenticationError, ServiceBusAuthorizationError):
        return wrong("queue", "Service Bus refuses the key, or the key may not send", _KEY)
    except ServiceBusError as error:
        return wrong(
            "queue", f"Service Bus cannot be reached: {error}", "Check the address, the network and port 5671."
        )


def _hub(connection: str, hub: str) -> Finding:
    try:
        with EventHubProducerClient.from_connection_string(connection, eventhub_name=hub, retry_total=0) as producer:
            partitions = producer.get_partition_ids()
            return ok("hub", f"{hub} has {len(partitions)} partitions")
    except AuthenticationError:
        return wrong("hub", "Event Hubs refuses the key, or the key may not send", _KEY)
    except EventHubError as error:
        return wrong(
            "hub",
            f"{hub} cannot be reached: {error}",
            "Check the hub's name, the address, the network and port 5671.",
        )


def _tables(connection: str) -> Finding:
    try:
        with TableServiceClient.from_connection_string(
            connection, retry_total=0, connection_timeout=_SECONDS
        ) as tables:
            names = [table.name for table in tables.list_tables()]
    except ClientAuthenticationError:
        return wrong("tables", "the storage account refuses the key", "Copy the connection string again.")
    except AzureError as error:
        return wrong(
            "tables", f"storage cannot be reached: {type(error).__name__}", "Check the address and the network."
        )
    return ok(
        "tables", f"{len(names)} in the storage account" if names else "none yet; the app creates them when it starts"
    )
