"""What debug detail costs: `python -m tests.benchmarks.debug_detail` (about ten seconds).

CPU time of what an event meets because of it while it is off for all, or on for another correlation id: in the intake,
in the worker and at a reader of the hub. And the CPU time of an attempt of the worker over tables in memory, off and on
in turns; medians of rounds.
"""

import asyncio
import logging
import statistics
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta

from integration.events.trace_state import MARK, marked
from integration.ledger import State
from integration.protection import DebugDetail
from integration.telemetry import detailed_event, get_logger
from integration.transport.detailed_calls import calls_of_attempt
from integration.worker.settled import encoded, settled_document
from tests.builders import event
from tests.memory_table import World

TIMES = 20_000
ATTEMPTS = 300
ROUNDS = 7
_log = get_logger(__name__)


async def microseconds(does: Callable[[], Awaitable[None]], times: int) -> float:
    """CPU time of one."""
    started = time.process_time()
    for _ in range(times):
        await does()
    return (time.process_time() - started) * 1e6 / times


async def lookups(detail: DebugDetail) -> dict[str, float]:
    """What each part of the app does for an event of which nobody wants anything."""
    it = event()
    body = encoded(settled_document(it, State.COMPLETED, at=it.accepted_time))

    async def intake() -> None:
        detail.look()
        detail.until(it.correlation_id)  # for the trace
        detail.until(it.correlation_id)  # for the log

    async def worker() -> None:
        await detail.keep_up()
        marked(it.tracestate, detail.until(it.correlation_id))
        calls_of_attempt()
        for _ in range(5):  # memory, row, columns, decision, exchanges
            detailed_event()
        for _ in range(2):  # effect, publication
            _log.debug("debug-effect", effect="order", fingerprint="x", remembered=None, outcome="done")

    async def reader() -> None:
        assert MARK not in body

    await detail.keep_up()
    parts = {"intake": intake, "worker": worker, "reader of the hub": reader}
    return {
        name: statistics.median([await microseconds(does, TIMES) for _ in range(ROUNDS)])
        for name, does in parts.items()
    }


async def attempts() -> tuple[float, float]:
    """An attempt that does an effect: off, and on."""
    found: dict[str, list[float]] = {"another": [], "wanted": []}
    for _ in range(ROUNDS):
        for correlation_id, figures in found.items():
            world = World.make()
            await world.detail.turn_on("wanted", world.clock.now() + timedelta(hours=1), by="x", why="x")

            async def attempt(world: World = world, correlation_id: str = correlation_id) -> None:
                await world.handle(world.event(correlation_id=correlation_id))

            figures.append(await microseconds(attempt, ATTEMPTS))
    return statistics.median(found["another"]), statistics.median(found["wanted"])


async def main() -> None:
    """Print the figures."""
    logging.basicConfig(level=logging.INFO, handlers=[logging.NullHandler()])
    world = World.make()
    for title in ("off", "on for another correlation id"):
        for part, figure in (await lookups(world.detail)).items():
            print(f"{title}, {part}: {figure:.2f} µs")  # noqa: T201 -- it is a command
        await world.detail.turn_on("another", world.clock.now() + timedelta(hours=1), by="x", why="x")
    off, on = await attempts()
    ratio = f"{on / off:.2f}"
    print(f"an attempt over tables in memory: {off:.0f} µs, with debug detail {on:.0f} µs ({ratio})")  # noqa: T201 -- the same


if __name__ == "__main__":
    asyncio.run(main())
