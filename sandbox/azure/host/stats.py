"""Counters for benchmarks: invocations, errors, and the CPU time that function code itself takes."""

import asyncio
import contextlib
import os
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine, Generator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_current: ContextVar["FunctionStats | None"] = ContextVar("function_stats", default=None)


@dataclass(slots=True)
class FunctionStats:
    """The counters of one function; `function_seconds` is CPU time and stays 0 unless it is measured."""

    invocations: int = 0
    errors: int = 0
    function_seconds: float = 0.0
    is_async: bool = False


class HostStats:
    """Counters of all functions; with `measure`, function code is timed wherever it runs.

    Measured are: a sync function in its thread; each step of an async function; each step of the tasks that an async
    function starts. Not measured are protocol callbacks of libraries that the function uses on the event loop.
    """

    def __init__(self, *, measure: bool) -> None:
        self.measure = measure
        self.functions: dict[str, FunctionStats] = {}
        self._lock = threading.Lock()

    def of(self, name: str) -> FunctionStats:
        """The counters of one function, made on first use."""
        return self.functions.setdefault(name, FunctionStats())

    def timed(self, name: str, function: Callable[..., Any], *, is_async: bool) -> Callable[..., Any]:
        """`function`, with its CPU time added to the counters of `name`."""
        counters = self.of(name)
        counters.is_async = is_async
        if is_async:

            async def async_function(**arguments: Any) -> Any:
                token = _current.set(counters)
                try:
                    return await _Stepped(function(**arguments), counters)
                finally:
                    _current.reset(token)

            return async_function

        def sync_function(**arguments: Any) -> Any:
            start = time.thread_time()
            try:
                return function(**arguments)
            finally:
                with self._lock:
                    counters.function_seconds += time.thread_time() - start

        return sync_function

    def measure_tasks(self, loop: asyncio.AbstractEventLoop) -> None:
        """Time tasks that function code starts on `loop` as function code too."""

        def factory(
            loop: asyncio.AbstractEventLoop,
            coroutine: Coroutine[Any, Any, Any] | Generator[Any, None, Any],
            **options: Any,
        ) -> "asyncio.Task[Any]":
            counters = _current.get()
            if counters is not None and asyncio.iscoroutine(coroutine):
                coroutine = _wait_for(_Stepped(coroutine, counters))
            return asyncio.Task(coroutine, loop=loop, **options)

        loop.set_task_factory(factory)

    def snapshot(self) -> dict[str, Any]:
        """The counters as JSON.

        `processSeconds` is the CPU time of the whole process; `threadSeconds` that of each thread that is alive, by
        name.
        """
        return {
            "pid": os.getpid(),
            "measured": self.measure,
            "processSeconds": time.process_time(),
            "functionSeconds": sum(counters.function_seconds for counters in self.functions.values()),
            "threadSeconds": _thread_seconds(),
            "functions": {
                name: {
                    "invocations": counters.invocations,
                    "errors": counters.errors,
                    "functionSeconds": counters.function_seconds,
                    "isAsync": counters.is_async,
                }
                for name, counters in self.functions.items()
            },
        }


class _Stepped:
    """An awaitable that runs a coroutine and adds the CPU time of each step to `counters`."""

    __slots__ = ("_coroutine", "_counters")

    def __init__(self, coroutine: Coroutine[Any, Any, Any], counters: FunctionStats) -> None:
        self._coroutine = coroutine
        self._counters = counters

    def __await__(self) -> Generator[Any, Any, Any]:
        return self

    __iter__ = __await__

    def __next__(self) -> Any:
        return self.send(None)

    def send(self, value: Any) -> Any:
        start = time.thread_time()
        try:
            return self._coroutine.send(value)
        finally:
            self._counters.function_seconds += time.thread_time() - start

    def throw(self, *error: Any) -> Any:
        start = time.thread_time()
        try:
            return self._coroutine.throw(*error)
        finally:
            self._counters.function_seconds += time.thread_time() - start

    def close(self) -> None:
        self._coroutine.close()


def _thread_seconds() -> dict[str, float]:
    """CPU time by thread name, from /proc (proc(5), task/TID/stat); empty where there is none."""
    seconds: dict[str, float] = {}
    for thread in threading.enumerate():
        with contextlib.suppress(OSError):  # no /proc here, or the thread has just ended
            stat = Path(f"/proc/self/task/{thread.native_id}/stat").read_text(encoding="utf-8")
            user, system = stat.rpartition(")")[2].split()[11:13]
            used = (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
            seconds[thread.name] = seconds.get(thread.name, 0.0) + used
    return seconds


def merged(host: Mapping[str, Any], workers: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The host's snapshot with CPU time added from those of its worker processes, which are listed too."""
    whole = {
        **host,
        "workers": [{"pid": worker["pid"], "processSeconds": worker["processSeconds"]} for worker in workers],
    }
    for name in ("processSeconds", "functionSeconds"):
        whole[name] += sum(worker[name] for worker in workers)
    for worker in workers:
        for name, seconds in worker["threadSeconds"].items():
            whole["threadSeconds"][name] = whole["threadSeconds"].get(name, 0.0) + seconds
        for name, counters in worker["functions"].items():
            if name in whole["functions"]:
                whole["functions"][name]["functionSeconds"] += counters["functionSeconds"]
    return whole


async def _wait_for(awaitable: Awaitable[Any]) -> Any:
    return await awaitable
