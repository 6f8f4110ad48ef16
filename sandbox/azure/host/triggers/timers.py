"""Timer triggers: one run after the other, on one instance, remembered in a blob.

Source: webjobs-sdk-extensions TimerListener.cs, StorageScheduleMonitor.cs (blob names and content), ScheduleMonitor.cs.
"""

import asyncio
import json
import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from azure.core.exceptions import AzureError, ResourceNotFoundError

from sandbox.azure.host.amqp.namespaces import BackOff
from sandbox.azure.host.encoding import timer as encoding
from sandbox.azure.host.encoding.timer import NEVER, ScheduleStatus
from sandbox.azure.host.functions import Function
from sandbox.azure.host.triggers.blobs import BlobLease, BlobWork
from sandbox.azure.host.triggers.ncrontab import Schedule
from sandbox.azure.host.triggers.retries import invoke_with_retries
from sandbox.azure.host.workers.dispatcher import Dispatcher

log = logging.getLogger(__name__)

CONTAINER = "azure-webjobs-hosts"
_SHORTEST_MONITORED = timedelta(minutes=1)
_LEASE_POLL = 2.0  # seconds
_LATE = 0.01  # seconds by which a run begins late: one that began too early would run again at its time


@dataclass(frozen=True, slots=True)
class Timer:
    """A timer function and its schedule."""

    function: Function
    schedule: Schedule
    dispatcher: Dispatcher
    run_on_startup: bool
    use_monitor: bool

    @property
    def monitored(self) -> bool:
        """Whether runs are remembered: not when they come more often than once a minute."""
        first = self.schedule.next(datetime.now(UTC))
        return self.use_monitor and self.schedule.next(first) - first >= _SHORTEST_MONITORED

    async def run(self, status: ScheduleStatus | None, *, past_due: bool) -> None:
        """Run the function now; what it raises never stops the schedule."""
        await invoke_with_retries(
            self.dispatcher, self.function, encoding.timer(datetime.now(UTC), status, past_due=past_due)
        )

    async def run_manually(self, _: str) -> None:
        """Run the function now (the admin API)."""
        now = datetime.now(UTC)
        await self.run(ScheduleStatus(None, self.schedule.next(now), None), past_due=False)


class ScheduleMonitor:
    """Remembers a timer's runs in a blob."""

    def __init__(self, blobs: BlobWork, host_id: str, function: str) -> None:
        self._blobs = blobs
        self._path = f"timers/{host_id}/Host.Functions.{function}/status"

    async def read(self) -> ScheduleStatus | None:
        """The status that was stored; None before the first run."""
        blob = (await self._blobs.container(CONTAINER)).get_blob_client(self._path)
        try:
            content: Any = await self._blobs.run(lambda: blob.download_blob().readall())
        except ResourceNotFoundError:
            return None
        document = json.loads(content)
        return ScheduleStatus(
            last=_time(document["Last"]),
            next=_time(document["Next"]) or datetime.now(UTC),
            last_updated=_time(document["LastUpdated"]),
        )

    async def write(self, status: ScheduleStatus) -> None:
        """Remember `status`."""
        blob = (await self._blobs.container(CONTAINER)).get_blob_client(self._path)
        await self._blobs.run(blob.upload_blob, json.dumps(status.as_json()).encode(), overwrite=True)


def _time(text: str) -> datetime | None:
    return None if text.startswith(NEVER) else datetime.fromisoformat(text)


class TimerListener:
    """Runs one timer as long as this instance holds its lease."""

    def __init__(self, timer: Timer, blobs: BlobWork, host_id: str, instance: str) -> None:
        self._timer = timer
        self._blobs = blobs
        self._monitor = ScheduleMonitor(blobs, host_id, timer.function.name) if timer.monitored else None
        self._lock = f"locks/{host_id}/Host.Functions.{timer.function.name}.Listener"
        self._instance = instance
        self._lease: BlobLease | None = None
        self._task: asyncio.Task[None] | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._running: asyncio.Task[ScheduleStatus] | None = None

    def start(self) -> None:
        """Listen until `stop`."""
        self._task = asyncio.get_running_loop().create_task(self._listen())

    async def stop(self) -> None:
        """Start no more runs; let the running one end, then release the lease."""
        tasks = [task for task in (self._task, self._keeping) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._running is not None:
            await asyncio.gather(self._running, return_exceptions=True)
        if self._lease is not None:
            await self._lease.release()

    async def _listen(self) -> None:
        back_off = BackOff(f"Timer '{self._timer.function.name}'", longest=10.0)
        started = False
        while True:
            try:
                await self._hold_lease()
                status = await self._catch_up(first=not started)
                started = True
                back_off.succeeded()
                await self._follow_schedule(status)
            except AzureError as error:
                await back_off.failed(error)

    async def _hold_lease(self) -> None:
        if self._lease is not None:
            return
        blob = (await self._blobs.container(CONTAINER)).get_blob_client(self._lock)
        lease = BlobLease(self._blobs, blob, self._instance)
        while True:
            if await lease.acquire():
                break
            await asyncio.sleep(_LEASE_POLL)
        self._lease = lease
        self._keeping = asyncio.get_running_loop().create_task(self._keep_lease(lease))

    async def _keep_lease(self, lease: BlobLease) -> None:
        while True:
            await asyncio.sleep(lease.LENGTH / 2)
            try:
                if not await lease.acquire():
                    log.warning("Timer '%s': another instance has taken the lease", self._timer.function.name)
            except AzureError as error:
                log.warning("Timer '%s': the lease could not be renewed: %s", self._timer.function.name, error)

    async def _catch_up(self, *, first: bool) -> ScheduleStatus:
        """The run that is due at the start: one that was missed, or the one that `runOnStartup` asks for."""
        now = datetime.now(UTC)
        remembered = await self._monitor.read() if self._monitor else None
        status = remembered or ScheduleStatus(None, self._timer.schedule.next(now), None)
        if remembered is not None and remembered.last is not None:
            due = self._timer.schedule.next(remembered.last)
            if now > due:
                log.info("Timer '%s' is past due. Running it now", self._timer.function.name)
                return await self._run(status, past_due=True)
        if first and self._timer.run_on_startup:
            return await self._run(status, past_due=False)
        if self._monitor is not None and remembered is None:
            await self._monitor.write(status)
        return ScheduleStatus(status.last, self._timer.schedule.next(now), status.last_updated)

    async def _follow_schedule(self, status: ScheduleStatus) -> None:
        while True:
            await asyncio.sleep((status.next - datetime.now(UTC)).total_seconds() + _LATE)
            status = await self._run(status, past_due=False)

    async def _run(self, status: ScheduleStatus, *, past_due: bool) -> ScheduleStatus:
        """One run, which a stop waits for."""
        self._running = asyncio.get_running_loop().create_task(self._run_to_the_end(status, past_due=past_due))
        return await asyncio.shield(self._running)

    async def _run_to_the_end(self, status: ScheduleStatus, *, past_due: bool) -> ScheduleStatus:
        started = datetime.now(UTC)
        await self._timer.run(status if self._monitor is not None else None, past_due=past_due)
        now = datetime.now(UTC)
        after = ScheduleStatus(started, self._timer.schedule.next(now), now)
        if self._monitor is not None:
            await self._monitor.write(after)
        return after
