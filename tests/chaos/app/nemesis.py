"""What goes wrong in a run: processes killed and frozen, connections cut, a broker that is slow, busy or out of time,
outside systems that fail before or after the work. Everything is well again when `heal` returns.
"""  # noqa: D205 -- one sentence

import logging
import os
import random
import signal
import time
from collections.abc import Callable

from sandbox.client import Client
from tests.chaos.app.bench import WORKER, Bench

log = logging.getLogger("chaos.nemesis")

PAST_THE_LOCK = 61.0
"""Seconds: the work queue's lock duration, and a little."""

PROCESSES = (*[WORKER] * 3, "host-http", "broker", "erp", "credit", "dataverse")
_OURS = r"[?&](\$select=.*versionnumber|tag=dataverse-integration)"  # requests of the app, seldom those of people
_CALLS = (
    ("erp", "PUT /api/customers"),
    ("erp", "PUT /api/orders"),
    ("erp", "PATCH /api/orders"),
    ("erp", "GET /api/orders"),
    ("credit", "POST /api/scores"),
    ("dataverse", f"GET {_OURS}"),
    ("dataverse", f"PATCH {_OURS}"),
)
_FAULTS = (
    {"status": 503},
    {"status": 503, "after": True},
    {"status": 429, "headers": {"Retry-After": "1"}},
    {"status": 429, "headers": {"Retry-After": "1"}, "after": True},
    {"status": 500, "after": True, "delay_ms": 300},
    {"drop": True},
    {"drop": True, "after": True, "times": 2},
    {"delay_ms": 1500},
)


class Nemesis:
    """Strikes one after the other; `strikes` lists what was done."""

    def __init__(self, bench: Bench, client: Client, rng: random.Random) -> None:
        self._bench = bench
        self._sandbox = bench.sandbox
        self._client = client
        self._rng = rng
        self.strikes: list[str] = []

    def strike(self) -> None:
        """Something, by chance; kills are half of it."""
        kills: list[Callable[[], None]] = [lambda: self.kill(self._rng.choice(PROCESSES))] * 8
        others = [self.freeze, self.storage_away, self.drop, self.slow, self.busy, self.jump, *[self.fail] * 3]
        self._rng.choice(kills + others)()

    def kill(self, name: str, *, pause: float = 1.0, free: bool = True) -> None:
        """Kill -9, a pause of so many seconds at most, start again; what a dead worker held is `free` at once.

        Otherwise that stays locked for as long as its lock lasts, as on Azure; other workers go on.
        """
        self._note(f"kill {name}")
        self._sandbox.processes.kill(name)
        time.sleep(self._rng.uniform(0, pause))
        if free and name.startswith(WORKER):  # before its successor holds locks of its own
            self._client.broker.advance_clock(PAST_THE_LOCK)
        self._sandbox.processes.start(name)

    def freeze(self) -> None:
        """A worker sleeps past its locks, with its host, then both go on as if nothing had happened."""
        name = self._rng.choice(self._bench.workers)
        self._note(f"freeze {name}")
        pid = self._sandbox.processes.pid(name)
        if pid is None:
            return
        os.killpg(pid, signal.SIGSTOP)
        try:
            self._client.broker.advance_clock(PAST_THE_LOCK)
            time.sleep(self._rng.uniform(0.2, 1))
        finally:
            os.killpg(pid, signal.SIGCONT)

    def storage_away(self) -> None:
        """Azurite is stopped and started, in good order: it acknowledges up to five seconds before it writes."""
        self._note("stop azurite")
        self._sandbox.processes.stop_one("azurite")
        time.sleep(self._rng.uniform(0, 1))
        self._sandbox.processes.start("azurite")

    def drop(self) -> None:
        """Cut every AMQP connection."""
        self._note("drop connections")
        self._client.broker.drop_connections()

    def slow(self) -> None:
        """What is sent to the broker is taken later."""
        self._during("slow broker", delay_ms=self._rng.randrange(100, 800))

    def busy(self) -> None:
        """The broker answers that it is busy."""
        self._during("busy broker", server_busy=True)

    def jump(self) -> None:
        """Locks end while their holders are at work."""
        self._note("clock past the locks")
        self._client.broker.advance_clock(PAST_THE_LOCK)

    def fail(self) -> None:
        """A call of the app to an outside system goes wrong, before or after the work was done."""
        (system, match), fault = self._rng.choice(_CALLS), self._rng.choice(_FAULTS)
        self._note(f"{system}: {match} {fault}")
        stand_in = {"erp": self._client.erp, "credit": self._client.credit, "dataverse": self._client.dataverse}[system]
        stand_in.add_fault(match, **{"times": self._rng.randrange(1, 4), **fault})

    def heal(self) -> None:
        """Everything runs and no fault is armed; the locks of dead workers were freed when they died."""
        for name in self._sandbox.processes.names:
            if self._sandbox.processes.pid(name) is None:
                self._sandbox.processes.start(name)
        for stand_in in (self._client.erp, self._client.credit, self._client.dataverse, self._client.broker):
            stand_in.clear_faults()

    def _during(self, what: str, **fault: object) -> None:
        self._note(f"{what} {fault}")
        self._client.broker.add_fault(**fault)
        time.sleep(self._rng.uniform(0.5, 2))
        self._client.broker.clear_faults()

    def _note(self, what: str) -> None:
        self.strikes.append(what)
        log.info("%s", what)
