"""How many calls to the tables an event costs, and how many its duplicate."""

import time
from dataclasses import dataclass

from sandbox.bench.measures import Bench
from sandbox.bench.product import Product
from sandbox.bench.subject import OutsideSystems, eventually_written
from sandbox.bench.table_calls import Relay, relay
from sandbox.bench.workload import Workload
from sandbox.running.endpoints import storage_connection

EVENTS = 40
_WARM_UP = 8
_SECONDS = 60.0
_QUIET_SECONDS = 3.0
_BEYOND_THE_WINDOW_SECONDS = 700.0
"""infra/topology.json: duplicateDetectionHistoryTimeWindow is ten minutes."""


@dataclass(frozen=True, slots=True)
class Calls:
    """Calls per event: all, and those among them that the event does not wait for."""

    all: float
    in_background: float

    @property
    def on_the_path(self) -> float:
        """Those that the event waits for."""
        return self.all - self.in_background


@dataclass(frozen=True, slots=True)
class TableCalls:
    """What an event costs in intake and worker, and again when it is sent a second time."""

    intake: Calls
    worker: Calls
    duplicate_intake: Calls
    duplicate_worker: Calls


def count_table_calls(bench: Bench, workload: Workload, product: Product, outside: OutsideSystems) -> TableCalls:
    """Send a few events through a product whose calls to the tables go through relays; then send them again."""
    table = product.sandbox.ports.table
    with relay(table) as intake, relay(table) as worker:
        product.restart_on(_through(product, intake), _through(product, worker))
        base = outside.written()
        bench.send(product, workload.events(_WARM_UP))
        eventually_written(outside, base + _WARM_UP, _SECONDS)
        product.drain()
        _wait_until_quiet(intake, worker)
        events = workload.events(EVENTS)
        counts = []
        for kept in (True, False):
            if not kept:  # within its window the queue itself drops duplicates
                product.client.broker.advance_clock(_BEYOND_THE_WINDOW_SECONDS)
            intake.counted.clear()
            worker.counted.clear()
            bench.send(product, events, kept=kept)
            product.drain()
            _wait_until_quiet(intake, worker)
            rows = worker.rows_of_events if kept else 0
            shown = min(EVENTS, rows)  # the worker waits for the row that says how an event has ended
            counts += [
                Calls(intake.calls / EVENTS, intake.in_background / EVENTS),
                Calls(worker.calls / EVENTS, (worker.in_background - shown) / EVENTS),
            ]
        product.restart_on_own_storage()
    return TableCalls(*counts)


def _through(product: Product, through: Relay) -> str:
    ports = product.sandbox.ports
    direct = storage_connection(ports)
    return direct.replace(f":{ports.table}/", f":{through.port}/")


def _wait_until_quiet(*relays: Relay) -> None:
    """Rows that no event waits for are written a moment later, and count too."""
    seen, since = -1, time.monotonic()
    while time.monotonic() - since < _QUIET_SECONDS:
        calls = sum(each.calls for each in relays)
        if calls != seen:
            seen, since = calls, time.monotonic()
        time.sleep(0.05)
