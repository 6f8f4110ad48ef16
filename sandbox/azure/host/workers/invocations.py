"""The data that host and worker process exchange, and the interface of a worker process."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from sandbox.azure.host.functions import Function
from sandbox.azure.host.workers.protos import TypedData

WORKER_EXIT_CODE = 75
"""The host ends with this code when its worker cannot go on; its supervisor starts it again."""


@dataclass(frozen=True, slots=True)
class TraceContext:
    """W3C trace context of an invocation."""

    parent: str = ""
    state: str = ""


NO_TRACE = TraceContext()


@dataclass(frozen=True, slots=True)
class Invocation:
    """One run of a function; `max_retry_count` is 0 without `@app.retry`, -1 without end."""

    invocation_id: str
    function_name: str
    function_id: str
    parameter: str
    value: TypedData
    metadata: Mapping[str, TypedData]
    trace: TraceContext
    retry_count: int
    max_retry_count: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an invocation ended. `error` is the exception as text, with its stack if there is one; None after success."""

    invocation_id: str
    error: str | None
    return_value: TypedData | None = None

    @property
    def succeeded(self) -> bool:
        """Whether the function returned."""
        return self.error is None


class Worker(Protocol):
    """Runs functions, in this process or in several others."""

    async def index(self) -> list[Function]:
        """Import the app and return its functions by name (the host's order); raises `HostStartError`."""

    async def run(self, invocation: Invocation) -> Outcome:
        """Run one function once; never raises for what function code does."""

    def time_out(self, invocation_id: str) -> None:
        """End the process that runs this invocation, as functionTimeout demands; all others that run there fail."""

    def current(self) -> tuple[str, str] | None:
        """The function and the invocation of the calling code, if it runs in this process."""

    async def measures(self) -> list[Mapping[str, Any]]:
        """The counters of each other process that runs functions."""

    async def close(self) -> None:
        """End all other processes that run functions."""
