"""Sends every invocation to a worker; counts and times them, and waits for them when the host stops.

Sources: azure-functions-host RpcFunctionInvocationDispatcher.cs, WebScriptHostExceptionHandler.cs (functionTimeout).
"""

import asyncio
import contextlib
import logging
import random
import uuid
from collections.abc import Mapping
from typing import Any

from sandbox.azure.host.functions import Function
from sandbox.azure.host.stats import HostStats, merged
from sandbox.azure.host.workers.invocations import NO_TRACE, Invocation, Outcome, TraceContext, Worker
from sandbox.azure.host.workers.protos import TypedData

log = logging.getLogger(__name__)


class Dispatcher:
    """Invokes functions on `worker`; one that takes longer than `function_timeout` seconds has its process ended."""

    def __init__(self, worker: Worker, stats: HostStats, function_timeout: float | None) -> None:
        self._worker = worker
        self._stats = stats
        self._timeout = function_timeout
        self._running = 0
        self._idle = asyncio.Event()
        self._idle.set()

    async def invoke(
        self,
        function: Function,
        value: TypedData,
        metadata: Mapping[str, TypedData],
        *,
        trace: TraceContext = NO_TRACE,
        retry_count: int = 0,
    ) -> Outcome:
        """Run `function` once; never raises for what function code does."""
        invocation = Invocation(
            invocation_id=str(uuid.UUID(int=random.getrandbits(128), version=4)),  # uuid4 asks the kernel each time
            function_name=function.name,
            function_id=function.function_id,
            parameter=function.parameter,
            value=value,
            metadata=metadata,
            trace=trace,
            retry_count=retry_count,
            max_retry_count=function.retry.max_retries if function.retry else 0,
        )
        counters = self._stats.of(function.name)
        counters.invocations += 1
        self._running += 1
        self._idle.clear()
        alarm = self._set_alarm(invocation)
        try:
            outcome = await self._worker.run(invocation)
        finally:
            if alarm is not None:
                alarm.cancel()
            self._running -= 1
            if not self._running:
                self._idle.set()
        if outcome.error is not None:
            counters.errors += 1
            log.error("Executed '%s' (Failed, Id=%s) %s", function.name, invocation.invocation_id, outcome.error)
        return outcome

    def _set_alarm(self, invocation: Invocation) -> asyncio.TimerHandle | None:
        if self._timeout is None:
            return None
        return asyncio.get_running_loop().call_later(self._timeout, self._time_out, invocation)

    def _time_out(self, invocation: Invocation) -> None:
        log.critical(
            "Timeout value of %gs was exceeded by function '%s' (Id=%s)",
            self._timeout,
            invocation.function_name,
            invocation.invocation_id,
        )
        self._worker.time_out(invocation.invocation_id)

    async def drain(self, limit: float) -> int:
        """Wait until nothing runs any more, at most `limit` seconds; returns how many invocations still run."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(limit):
                await self._idle.wait()
        return self._running

    async def snapshot(self) -> dict[str, Any]:
        """The counters of the host with those of its workers, as JSON."""
        return merged(self._stats.snapshot(), await self._worker.measures())
