"""Brings batches of the hub into one sink, and keeps at it until every row is written or set aside."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from integration.analytics.row import Row
from integration.analytics.set_aside import SetAside
from integration.analytics.sink import Receipt, Sink
from integration.clock import Clock
from integration.telemetry import get_logger
from integration.transport import RetryPolicy

MOST_SECONDS: Final = 200.0
"""How long one execution tries; the Functions host ends it after five minutes (host.json, functionTimeout)."""
_log = get_logger(__name__)


class Delivery:
    """One sink with its retries.

    Rows that the sink refuses are set aside, and those behind them go on. Rows that wait are tried again, alone, with
    the pauses of the retry policy. What has not been written in the time of an execution raises the last error, so that
    the Functions host delivers the batch again: until then its partition waits, for this sink only.
    """

    def __init__(
        self,
        sink: Sink,
        set_aside: SetAside,
        *,
        policy: RetryPolicy,
        clock: Clock,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._sink = sink
        self._set_aside = set_aside
        self._policy = policy
        self._clock = clock
        self._sleep = sleep
        self._reported: set[str] = set()

    async def deliver(self, rows: Sequence[Row]) -> None:
        """Write a batch of one partition. Raises `Transient` if a part of it could not be written in time."""
        self._report_new_columns(rows)
        until = self._clock.monotonic() + MOST_SECONDS
        waiting, attempt = rows, 0
        while waiting:
            receipt = await self._sink.write(waiting)
            await self._set_aside.put(self._sink.name, receipt.refused)
            self._report(waiting, receipt)
            waiting, attempt = receipt.waiting, attempt + 1
            if receipt.error is not None:
                pause = self._policy.delay(attempt, receipt.error.retry_after, random.random).total_seconds()
                if self._clock.monotonic() + pause > until:
                    raise receipt.error
                await self._sleep(pause)

    def _report(self, rows: Sequence[Row], receipt: Receipt) -> None:
        first = rows[0]
        if receipt.cut:
            _log.warning("sink-cut", sink=self._sink.name, partition=first.partition, count=len(receipt.cut))
        if receipt.error is not None:
            self._report_wait(receipt)
        written = len(rows) - len(receipt.refused) - len(receipt.waiting)
        if written:
            _log.info(
                "sink-wrote",
                sink=self._sink.name,
                count=written,
                partition=first.partition,
                sequence_number=first.sequence_number,
                duration_ms=self._waited_ms(first),
            )

    def _report_wait(self, receipt: Receipt) -> None:
        first = receipt.waiting[0]
        _log.warning(
            "sink-waits",
            sink=self._sink.name,
            count=len(receipt.waiting),
            partition=first.partition,
            sequence_number=first.sequence_number,
            duration_ms=self._waited_ms(first),
            error=receipt.error,
        )

    def _report_new_columns(self, rows: Sequence[Row]) -> None:
        """Once for each column, as long as the process lives."""
        found = {name for row in rows for name in row.new_columns()} - self._reported
        if found:
            self._reported |= found
            _log.warning("sink-new-columns", sink=self._sink.name, columns=sorted(found))

    def _waited_ms(self, row: Row) -> float:
        return (self._clock.now() - row.enqueued_time).total_seconds() * 1000
