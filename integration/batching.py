"""Collects what many callers submit one by one, and hands it over in batches, on an event loop.

The sibling of `coalescing`, which does the same with a thread for clients that block.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from typing import Final, Generic, TypeVar

from integration.errors import Outage

T = TypeVar("T")
R = TypeVar("R")
_PAUSES: Final = 40


class Batcher(Generic[T]):
    """Hands items to `hand_over` in batches, in the order in which they came, one batch at a time.

    While one batch is being handed over, the next one collects items. `linger` (seconds) is how long the first item of
    a batch waits for further items. If `hand_over` raises, the futures of all items of the batch raise that error. It
    belongs to one event loop and starts its task with the first item.
    """

    def __init__(
        self,
        hand_over: Callable[[Sequence[T]], Awaitable[None]],
        *,
        linger: float = 0.0,
        largest_batch: int = 200,
    ) -> None:
        self._hand_over = hand_over
        self._linger = linger
        self._largest_batch = largest_batch
        self._waiting: list[tuple[T, asyncio.Future[None]]] = []
        self._task: asyncio.Task[None] | None = None
        self._hurry: asyncio.Event | None = None

    @property
    def waiting(self) -> int:
        """How many items wait for their batch."""
        return len(self._waiting)

    def submit(self, item: T, *, urgent: bool = False) -> "asyncio.Future[None]":
        """Queue `item`; the future resolves once its batch has been handed over.

        An `urgent` item does not wait for others.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        future.add_done_callback(_seen)
        self._waiting.append((item, future))
        if self._task is None or self._task.done() or self._task.get_loop() is not loop:
            self._hurry = asyncio.Event()
            self._task = loop.create_task(self._run(self._hurry))
        if self._hurry is not None and (urgent or len(self._waiting) >= self._largest_batch):
            self._hurry.set()
        return future

    async def drain(self) -> None:
        """Hand over what is waiting, and wait until that is done."""
        while self._waiting or (self._task is not None and not self._task.done()):
            if self._hurry is not None:
                self._hurry.set()
            if self._task is None or self._task.done():
                self._task = asyncio.get_running_loop().create_task(self._run(self._hurry or asyncio.Event()))
            await asyncio.wait([self._task])

    async def _run(self, hurry: asyncio.Event) -> None:
        while self._waiting:
            if self._linger and not hurry.is_set():
                with suppress(TimeoutError):
                    await asyncio.wait_for(hurry.wait(), self._linger)
            hurry.clear()
            batch, self._waiting = self._waiting[: self._largest_batch], self._waiting[self._largest_batch :]
            await self._deliver(batch)

    async def _deliver(self, batch: Sequence[tuple[T, "asyncio.Future[None]"]]) -> None:
        try:
            await self._hand_over([item for item, _ in batch])
        except Exception as error:  # noqa: BLE001 -- whatever it is belongs to those who wait for it
            for _, future in batch:
                if not future.done():
                    future.set_exception(error)
        else:
            for _, future in batch:
                if not future.done():
                    future.set_result(None)


async def each(do: Callable[[T], Awaitable[R]], items: Iterable[T], *, at_once: int = 32) -> list[R]:
    """The results of `do` for `items`, in their order, `at_once` of them at a time; raises the first error."""
    gate = asyncio.Semaphore(at_once)

    async def one(item: T) -> R:
        async with gate:
            return await do(item)

    return await asyncio.gather(*map(one, items))


async def persistently(do: Callable[[], Awaitable[None]], sleep: Callable[[float], Awaitable[None]]) -> None:
    """Call `do`, and repeat it for about ten minutes while what it needs is unavailable (`Outage`)."""
    for pause in (1.0, 2.0, 4.0, 8.0, *[15.0] * _PAUSES):
        try:
            await do()
        except Outage:
            await sleep(pause)
        else:
            return
    await do()


def _seen(future: "asyncio.Future[None]") -> None:
    """Mark the error as seen: it was logged where it happened, and asyncio need not report it again."""
    if not future.cancelled():
        future.exception()
