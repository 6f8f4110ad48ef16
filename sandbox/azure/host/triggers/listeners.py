"""Making the listener for each function's trigger from its binding."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from sandbox.azure.host.amqp.connection_string import NamespaceConnection
from sandbox.azure.host.amqp.namespaces import Namespace
from sandbox.azure.host.errors import HostStartError
from sandbox.azure.host.functions import EVENT_HUB, HTTP, SERVICE_BUS, TIMER, Function
from sandbox.azure.host.host_json import HostJson
from sandbox.azure.host.settings import AppSettings
from sandbox.azure.host.triggers import ncrontab
from sandbox.azure.host.triggers.blobs import BlobWork
from sandbox.azure.host.triggers.checkpoints import CheckpointStore
from sandbox.azure.host.triggers.event_hubs import Hub, HubListener
from sandbox.azure.host.triggers.service_bus import Entity, QueueListener
from sandbox.azure.host.triggers.sessions import SessionListener
from sandbox.azure.host.triggers.timers import Timer, TimerListener
from sandbox.azure.host.workers.dispatcher import Dispatcher

log = logging.getLogger(__name__)


class Listener(Protocol):
    """Something that invokes a function when something happens."""

    def start(self) -> None:
        """Begin to listen; returns at once."""

    async def stop(self) -> None:
        """Take nothing new, let running functions end, settle their messages, and release everything."""


class Listeners:
    """All listeners of an app, and what they share: connections and the storage account."""

    def __init__(self, settings: AppSettings, host_json: HostJson, dispatcher: Dispatcher, instance: str) -> None:
        self._settings = settings
        self._host_json = host_json
        self._dispatcher = dispatcher
        self._instance = instance
        self._namespaces: dict[NamespaceConnection, Namespace] = {}
        self._blobs: BlobWork | None = None
        self.runners: dict[str, Callable[[str], Awaitable[Any]]] = {}
        self.listeners: list[Listener] = []

    def add(self, function: Function) -> None:
        """Make the listener of `function`; raises `HostStartError` for settings that are missing."""
        make = {
            SERVICE_BUS: self._service_bus,
            EVENT_HUB: self._event_hub,
            TIMER: self._timer,
        }.get(function.trigger)
        if make is not None:
            self.listeners.append(make(function))
        if function.retry is not None and function.trigger in {HTTP, SERVICE_BUS}:
            log.warning("Function '%s': retry policies are not supported by its trigger; ignored", function.name)

    def start(self) -> None:
        """Start them all."""
        for listener in self.listeners:
            listener.start()

    async def stop(self) -> None:
        """Stop them all, then close the connections they share."""
        await asyncio.gather(*(listener.stop() for listener in self.listeners), return_exceptions=True)
        for namespace in self._namespaces.values():
            namespace.close()
        if self._blobs is not None:
            self._blobs.close()

    def _namespace(self, function: Function) -> Namespace:
        address = self._settings.namespace(self._required(function, "connection"))
        namespace = self._namespaces.get(address)
        if namespace is None:
            namespace = self._namespaces[address] = Namespace(address, f"{self._instance}-{len(self._namespaces)}")
        return namespace

    def _required(self, function: Function, name: str) -> str:
        value = function.binding.get(name)
        if not isinstance(value, str) or not value:
            raise HostStartError(f"Function '{function.name}': the trigger has no '{name}'.")
        return self._settings.resolve(value)

    def _storage(self) -> BlobWork:
        if self._blobs is None:
            try:
                self._blobs = BlobWork(self._settings.storage())
            except ValueError as error:
                raise HostStartError(f"Setting 'AzureWebJobsStorage' is not a connection string: {error}") from error
        return self._blobs

    def _service_bus(self, function: Function) -> Listener:
        if function.binding.get("queueName"):
            path = self._required(function, "queueName")
        else:
            path = (
                f"{self._required(function, 'topicName')}/Subscriptions/{self._required(function, 'subscriptionName')}"
            )
        entity = Entity(function, path, self._namespace(function), self._host_json.service_bus, self._dispatcher)
        self.runners[function.name] = entity.run_manually
        return SessionListener(entity) if function.binding.get("isSessionsEnabled") else QueueListener(entity)

    def _event_hub(self, function: Function) -> Listener:
        namespace = self._namespace(function)
        hub_name = self._required(function, "eventHubName")
        group = self._settings.resolve(str(function.binding.get("consumerGroup") or "$Default"))
        store = CheckpointStore(self._storage(), namespace.address.namespace, hub_name, group)
        hub = Hub(function, hub_name, group, namespace, self._host_json.event_hubs, self._dispatcher, store)
        self.runners[function.name] = hub.run_manually
        return HubListener(hub, self._instance)

    def _timer(self, function: Function) -> Listener:
        timer = Timer(
            function,
            ncrontab.parse(self._required(function, "schedule")),
            self._dispatcher,
            run_on_startup=bool(function.binding.get("runOnStartup")),
            use_monitor=function.binding.get("useMonitor") is not False,
        )
        self.runners[function.name] = timer.run_manually
        host_id = self._settings.get("AzureFunctionsWebHost__hostid") or "sandbox"
        return TimerListener(timer, self._storage(), host_id, self._instance)
