"""The host as a whole: the order in which its parts start and stop."""

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sandbox.azure.host import logs
from sandbox.azure.host.functions import HTTP, Function, select
from sandbox.azure.host.host_json import HostJson
from sandbox.azure.host.http.admin import AdminApi
from sandbox.azure.host.http.front import DEFAULT_MAX_BODY, HttpFront
from sandbox.azure.host.http.keys import AccessKeys
from sandbox.azure.host.http.routes import RouteTable
from sandbox.azure.host.settings import AppSettings
from sandbox.azure.host.stats import HostStats
from sandbox.azure.host.triggers.listeners import Listeners
from sandbox.azure.host.validation import validate
from sandbox.azure.host.workers.dispatcher import Dispatcher
from sandbox.azure.host.workers.invocations import Worker
from sandbox.azure.host.workers.pool import COUNT_SETTING, WorkerProcesses, process_count
from sandbox.azure.host.workers.runtime import Runtime
from sandbox.machine.signals import call_on_stop

log = logging.getLogger("sandbox.azure.host")


class Host:
    """One app in this process."""

    def __init__(self, app: Path, settings: AppSettings, instance: str, only: str | None) -> None:
        self._settings = settings
        self._instance = instance
        self._only = only
        self._host_json = HostJson.load(app / "host.json", settings.below("AzureFunctionsJobHost"))
        keys_file = settings.get("SANDBOX_HOST_KEYS")
        self._keys = AccessKeys.load(Path(keys_file).resolve() if keys_file else None)
        self._stats = HostStats(measure=settings.is_true("SANDBOX_HOST_STATS"))
        count = process_count(settings.get(COUNT_SETTING))
        self._worker: Worker = Runtime(app, self._stats) if count == 1 else WorkerProcesses(app, count)
        self._dispatcher = Dispatcher(self._worker, self._stats, self._host_json.function_timeout)

    async def run(self, port: int, grace: float) -> None:
        """Run until SIGTERM or SIGINT, then let functions run for `grace` seconds more.

        Raises `HostStartError` when the app cannot be run.
        """
        loop = asyncio.get_running_loop()
        stop = asyncio.Event()
        call_on_stop(stop.set)
        logs.configure(self._host_json.log_levels, self._worker.current)
        if self._stats.measure:
            self._stats.measure_tasks(loop)
        indexed = await self._worker.index()
        validate(indexed)
        functions = [function for function in select(indexed, self._only) if self._enabled(function)]
        listeners = Listeners(self._settings, self._host_json, self._dispatcher, self._instance)
        for function in functions:
            listeners.add(function)
        http_functions = [function for function in functions if function.trigger == HTTP]
        admin = AdminApi(self._instance, functions, self._keys, self._dispatcher.snapshot, listeners.runners)
        front = HttpFront(
            self._dispatcher,
            RouteTable(http_functions, self._host_json.http.route_prefix),
            self._keys,
            self._host_json.http,
            admin.handle,
            max_body=int(self._settings.get("FUNCTIONS_REQUEST_BODY_SIZE_LIMIT") or DEFAULT_MAX_BODY),
            homepage=self._settings.get("SANDBOX_HOST_HOMEPAGE"),
        )
        self._announce(functions)
        await front.start(port)
        listeners.start()
        admin.running = True
        await stop.wait()
        await self._stop(front, listeners, grace)

    async def _stop(self, front: HttpFront, listeners: Listeners, grace: float) -> None:
        log.info("Stopping: accepting nothing new, letting running functions end")
        await front.stop_listening()
        loop = asyncio.get_running_loop()
        deadline = loop.time() + grace
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(deadline):
                await listeners.stop()
        left = await self._dispatcher.drain(deadline - loop.time())
        if left:
            log.warning("%d invocations did not end in time", left)
        await front.close()
        await self._worker.close()
        log.info("Stopped")

    def _enabled(self, function: Function) -> bool:
        return not self._settings.is_true(f"AzureWebJobs.{function.name}.Disabled")

    def _announce(self, functions: Sequence[Function]) -> None:
        for function in functions:
            log.info("Function '%s': %s", function.name, self._summary(function))
        if not functions:
            log.warning("No functions are to run here")
        if not self._keys.enforced:
            log.info("No keys file (SANDBOX_HOST_KEYS): auth levels are not enforced, as under `func start`")

    def _summary(self, function: Function) -> str:
        shown: dict[str, Any] = {
            name: self._settings.resolve(value) if isinstance(value, str) and name != "route" else value
            for name, value in function.binding.items()
            if name not in {"direction", "type", "name"}
        }
        return f"{function.trigger} " + ", ".join(f"{name}={value}" for name, value in shown.items())
