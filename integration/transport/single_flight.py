"""One run at a time of work that many callers ask for at once."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class SingleFlight(Generic[T]):
    """Starts `work`, or returns the run that is under way in this event loop.

    Callers wait with `asyncio.shield`, so that a cancelled caller does not end the run for the others.
    """

    def __init__(self) -> None:
        self._run: asyncio.Task[T] | None = None

    def start(self, work: Callable[[], Awaitable[T]]) -> "asyncio.Task[T]":
        """The run under way, or a new one of `work`; its failure is raised in those who wait, if there are any."""
        loop, run = asyncio.get_running_loop(), self._run
        if run is None or run.done() or run.get_loop() is not loop:
            run = self._run = loop.create_task(_finished(work))
            run.add_done_callback(_mark_as_seen)
        return run


async def _finished(work: Callable[[], Awaitable[T]]) -> T:
    return await work()


def _mark_as_seen(run: "asyncio.Task[T]") -> None:
    """Mark the error as seen, because asyncio warns if a run fails with nobody waiting for it."""
    if not run.cancelled():
        run.exception()
