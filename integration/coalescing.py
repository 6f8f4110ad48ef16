"""One thread that collects what many callers submit one by one, and hands it over in batches.

While one batch is being handed over, the next one collects items: under load a batch holds everything that came in
meanwhile, and without load an item is handed over at once. The thread also makes it safe to use a client that is not
safe for concurrent use, because no other thread uses it.
"""

import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Generic, TypeVar

from integration.errors import Transient

T = TypeVar("T")


def acknowledged(future: "Future[None]", seconds: float, what: str) -> None:
    """Wait until `future` is done.

    Raises the error of the future, and `Transient` if it takes longer than `seconds`.
    """
    try:
        future.result(seconds)
    except TimeoutError as error:
        raise Transient(f"{what}: no acknowledgement within {seconds:.0f} s", reason="not-acknowledged") from error


class Coalescer(Generic[T]):
    """Submits items to `hand_over` in batches, in the order in which they came.

    `hand_over` gets one to `largest_batch` items and either returns, which resolves their futures, or raises, which
    fails them all with that error. At most `backlog` items may wait; beyond that `submit` raises `Transient`.
    The thread starts with the first item.
    """

    def __init__(
        self,
        name: str,
        hand_over: Callable[[Sequence[T]], None],
        *,
        largest_batch: int = 100,
        backlog: int = 5_000,
    ) -> None:
        self._name = name
        self._hand_over = hand_over
        self._largest_batch = largest_batch
        self._waiting: queue.Queue[tuple[T, Future[None]] | None] = queue.Queue(maxsize=backlog)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def submit(self, item: T) -> "Future[None]":
        """Queue `item`; the future resolves once its batch has been handed over.

        Cancelling the future before that removes the item. Raises `Transient` if too many items are waiting.
        """
        future: Future[None] = Future()
        try:
            self._waiting.put_nowait((item, future))
        except queue.Full:
            raise Transient(f"{self._name}: {self._waiting.maxsize} items are waiting already") from None
        if self._thread is None:
            self._start()
        return future

    def close(self) -> None:
        """Hand over what is waiting, then end the thread."""
        if self._thread is not None:
            self._waiting.put(None)
            self._thread.join()

    def _start(self) -> None:
        with self._lock:
            if self._thread is None:
                thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                thread.start()
                self._thread = thread

    def _run(self) -> None:
        while (first := self._waiting.get()) is not None:
            entries, last = [first], False
            while len(entries) < self._largest_batch and not last:
                try:
                    entry = self._waiting.get_nowait()
                except queue.Empty:
                    break
                if entry is None:
                    last = True
                else:
                    entries.append(entry)
            self._deliver([(item, future) for item, future in entries if future.set_running_or_notify_cancel()])
            if last:
                return

    def _deliver(self, entries: list[tuple[T, "Future[None]"]]) -> None:
        if not entries:
            return
        try:
            self._hand_over([item for item, _ in entries])
        except BaseException as error:  # noqa: BLE001 -- whatever it is belongs to the callers that wait for it
            for _, future in entries:
                future.set_exception(error)
        else:
            for _, future in entries:
                future.set_result(None)
