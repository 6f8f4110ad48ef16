"""The worker's side: `azure-functions-runtime`, called in this process instead of over gRPC."""

import logging
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from sandbox.azure.host.errors import HostStartError
from sandbox.azure.host.functions import Function
from sandbox.azure.host.stats import HostStats
from sandbox.azure.host.workers import protos
from sandbox.azure.host.workers.invocations import WORKER_EXIT_CODE, Invocation, Outcome
from sandbox.azure.host.workers.protos import Message, ParameterBinding, StatusResult

log = logging.getLogger(__name__)

_FRAME = re.compile(r'^  File "(?P<file>[^"]+)".*\n(?:    .*\n)*', re.MULTILINE)
_LOADING = re.compile(r"<frozen |[/\\]importlib[/\\]|[/\\]azure_functions_runtime[/\\]")


class Runtime:
    """Indexes one app and runs its functions in this process.

    The package keeps its state in module globals, so a process has one runtime.
    """

    def __init__(self, app: Path, stats: HostStats) -> None:
        self._app = app
        self._stats = stats
        self._package: ModuleType | None = None
        self._running: dict[str, str] = {}

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
            raise HostStartError(f"The app cannot be indexed. {failure.message}{_frames(failure.stack_trace)}")
        response = await azure_functions_runtime.functions_metadata_request(Message())
        functions = [Function.from_metadata(metadata) for metadata in response.function_metadata_results or ()]
        for function in functions:
            self._stats.of(function.name)  # so that its counters exist, with 0
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

    async def run(self, invocation: Invocation) -> Outcome:
        """Run one function once; never raises for what function code does."""
        package = self._package
        if package is None:
            raise RuntimeError("the app has not been indexed")
        request = Message(
            invocation_id=invocation.invocation_id,
            function_id=invocation.function_id,
            input_data=[ParameterBinding(name=invocation.parameter, data=invocation.value)],
            trigger_metadata=invocation.metadata,
            trace_context=Message(
                trace_parent=invocation.trace.parent, trace_state=invocation.trace.state, attributes={}
            ),
            retry_context=Message(
                retry_count=invocation.retry_count, max_retry_count=invocation.max_retry_count, exception=None
            ),
        )
        self._running[invocation.invocation_id] = invocation.function_name
        token = package.invocation_id_cv.set(invocation.invocation_id)
        try:
            response = await package.invocation_request(Message(request=Message(invocation_request=request)))
        finally:
            package.invocation_id_cv.reset(token)
            del self._running[invocation.invocation_id]
        if response.result.status == StatusResult.Success:
            return Outcome(invocation.invocation_id, None, response.return_value)
        failure = response.result.exception
        return Outcome(invocation.invocation_id, failure.stack_trace or failure.message)

    def current(self) -> tuple[str, str] | None:
        """The function and the invocation of the calling code, by its task or thread."""
        if self._package is None:
            return None
        invocation_id: str | None = self._package.invocation_id_cv.get()
        name = self._running.get(invocation_id) if invocation_id else None
        return (name, invocation_id) if name and invocation_id else None

    def time_out(self, invocation_id: str) -> None:
        """End this process at once: it is both the worker and the host."""
        others = len(self._running.keys() - {invocation_id})
        log.critical(
            "The worker process ends (exit code %d) and takes %d other invocations with it", WORKER_EXIT_CODE, others
        )
        logging.shutdown()
        os._exit(WORKER_EXIT_CODE)

    async def measures(self) -> list[Mapping[str, Any]]:
        """Nothing: this process has counters of its own."""
        return []

    async def close(self) -> None:
        """Nothing to end: this process ends by itself."""


def _frames(stack: str) -> str:
    """Where in the app an exception came from, without the frames that loaded it; empty if there is no other."""
    first = (stack or "").partition("\nDuring handling of the above exception")[0]
    frames = [match[0] for match in _FRAME.finditer(first) if not _LOADING.search(match["file"])]
    return "".join(["\n", *frames]).rstrip() if frames else ""
