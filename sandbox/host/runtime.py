"""The worker's side: `azure-functions-runtime`, called in this process instead of over gRPC."""

import asyncio
import contextlib
import logging
import os
import random
import sys
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from sandbox.host import protos
from sandbox.host.errors import HostStartError
from sandbox.host.functions import Function
from sandbox.host.protos import Message, ParameterBinding, StatusResult, TypedData
from sandbox.host.stats import HostStats

log = logging.getLogger(__name__)

TIMEOUT_EXIT_CODE = 75
"""The process ends with this code when a function runs into functionTimeout; whoever supervises it starts it again."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an invocation ended. `error` is the exception as text, None after success."""

    invocation_id: str
    error: str | None
    return_value: TypedData | None = None

    @property
    def succeeded(self) -> bool:
        """Whether the function returned."""
        return self.error is None


@dataclass(frozen=True, slots=True)
class TraceContext:
    """W3C trace context of an invocation."""

    parent: str = ""
    state: str = ""


class Runtime:
    """Indexes one app and invokes its functions.

    The package keeps its state in module globals, so a process has one runtime. `function_timeout` (seconds) is
    enforced as the real host does: the worker dies, and here the worker is this process.
    """

    def __init__(self, app: Path, stats: HostStats, function_timeout: float | None) -> None:
        self._app = app
        self._stats = stats
        self._timeout = function_timeout
        self._package: ModuleType | None = None
        self._running: dict[str, Function] = {}
        self._idle = asyncio.Event()
        self._idle.set()

    async def index(self) -> list[Function]:
        """Import the app and return its functions by name (the host's order); raises `HostStartError`."""
        if not (self._app / "function_app.py").is_file():
            raise HostStartError(f"There is no function_app.py in {self._app}.")
        sys.path.insert(0, str(self._app))
        os.chdir(self._app)
        import azure_functions_runtime  # noqa: PLC0415 -- reads the environment when it is imported

        self._package = azure_functions_runtime
        azure_functions_runtime.start_threadpool_executor()
        response = await azure_functions_runtime.worker_init_request(
            Message(
                request=Message(worker_init_request=Message(capabilities={}, function_app_directory=str(self._app))),
                properties={"protos": protos, "host": "127.0.0.1"},
            )
        )
        if response.result.status != StatusResult.Success:
            failure = response.result.exception
            raise HostStartError(f"The app cannot be indexed. {failure.message}\n{failure.stack_trace}")
        response = await azure_functions_runtime.functions_metadata_request(Message())
        functions = [Function.from_metadata(metadata) for metadata in response.function_metadata_results or ()]
        for function in functions:
            self._stats.of(function.name)  # so that it is counted from 0 on
        if self._stats.measure:
            self._measure(functions)
        return sorted(functions, key=lambda function: function.name.lower())

    def _measure(self, functions: list[Function]) -> None:
        """Put the timed form of each function in the runtime's registry."""
        from azure_functions_runtime import handle_event  # noqa: PLC0415 -- see `index`

        registry = handle_event._functions._functions  # noqa: SLF001 -- no public way to the callable
        for function in functions:
            info = registry[function.function_id]
            timed = self._stats.timed(function.name, info.func, is_async=info.is_async)
            registry[function.function_id] = info._replace(func=timed)

    def function_of(self, invocation_id: str) -> Function | None:
        """The function that a running invocation belongs to."""
        return self._running.get(invocation_id)

    @property
    def current_invocation(self) -> str | None:
        """The id of the invocation that the calling code belongs to, in its task or thread."""
        if self._package is None:
            return None
        invocation_id: str | None = self._package.invocation_id_cv.get()
        return invocation_id

    async def invoke(
        self,
        function: Function,
        value: TypedData,
        metadata: Mapping[str, TypedData],
        *,
        trace: TraceContext = TraceContext(),
        retry_count: int = 0,
    ) -> Outcome:
        """Run `function` once; never raises for what function code does."""
        package = self._package
        if package is None:
            raise RuntimeError("the app has not been indexed")
        invocation_id = str(uuid.UUID(int=random.getrandbits(128), version=4))  # uuid4 asks the kernel each time
        retries = function.retry.max_retries if function.retry else 0
        invocation = Message(
            invocation_id=invocation_id,
            function_id=function.function_id,
            input_data=[ParameterBinding(name=function.parameter, data=value)],
            trigger_metadata=metadata,
            trace_context=Message(trace_parent=trace.parent, trace_state=trace.state, attributes={}),
            retry_context=Message(retry_count=retry_count, max_retry_count=retries, exception=None),
        )
        counters = self._stats.of(function.name)
        counters.invocations += 1
        self._running[invocation_id] = function
        self._idle.clear()
        alarm = self._set_alarm(function, invocation_id)
        token = package.invocation_id_cv.set(invocation_id)
        try:
            response = await package.invocation_request(Message(request=Message(invocation_request=invocation)))
        finally:
            package.invocation_id_cv.reset(token)
            if alarm is not None:
                alarm.cancel()
            del self._running[invocation_id]
            if not self._running:
                self._idle.set()
        if response.result.status == StatusResult.Success:
            return Outcome(invocation_id, None, response.return_value)
        counters.errors += 1
        failure = response.result.exception
        log.error(
            "Executed '%s' (Failed, Id=%s) %s", function.name, invocation_id, failure.stack_trace or failure.message
        )
        return Outcome(invocation_id, failure.message)

    def _set_alarm(self, function: Function, invocation_id: str) -> asyncio.TimerHandle | None:
        if self._timeout is None:
            return None
        return asyncio.get_running_loop().call_later(self._timeout, self._time_out, function, invocation_id)

    def _time_out(self, function: Function, invocation_id: str) -> None:
        log.critical(
            "Timeout value of %gs was exceeded by function '%s' (Id=%s). The worker process ends (exit code %d) and "
            "takes %d other invocations with it.",
            self._timeout,
            function.name,
            invocation_id,
            TIMEOUT_EXIT_CODE,
            len(self._running) - 1,
        )
        logging.shutdown()
        os._exit(TIMEOUT_EXIT_CODE)

    async def drain(self, limit: float) -> int:
        """Wait until nothing runs any more, at most `limit` seconds; returns how many invocations still run."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(limit):
                await self._idle.wait()
        return len(self._running)
