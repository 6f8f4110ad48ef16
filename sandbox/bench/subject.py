"""What is measured: an intake that takes webhooks, a queue, and a worker that works them off."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import requests

from sandbox.bench.workload import Event
from sandbox.machine.ports import LOOPBACK


class Subject(Protocol):
    """One of the compared programs. Its intake runs from `start` to `stop`, its worker only when it is asked to."""

    @property
    def name(self) -> str:
        """As it stands in the tables."""

    @property
    def pace(self) -> int:
        """The factor for its number of events: a fast subject needs more of them to run as long."""

    @property
    def url(self) -> str:
        """Base address of the intake."""

    @property
    def key(self) -> str:
        """The key that the intake accepts."""

    def start(self) -> None:
        """Start all but the worker."""

    def stop(self) -> None:
        """Stop all of it."""

    def intake_pid(self) -> int:
        """The one process of the intake."""

    def start_worker(self) -> None:
        """Let the worker begin on what is in the queue."""

    def stop_worker(self) -> None:
        """Stop the worker: from now on the queue only fills."""

    def worker_pid(self) -> int:
        """The one process of the worker; it must run."""

    def helpers(self) -> Mapping[str, int]:
        """Its other processes that take CPU time, by name: brokers, stores."""

    def faults(self, events: Sequence[Event]) -> list[str]:
        """What is wrong with `events`, all of them worked off, as far as only this subject itself can see it."""


class OutsideSystems:
    """The running `sandbox.bench.outside`, which knows what was done for every record, by any subject."""

    def __init__(self, dataverse_port: int, erp_port: int, ca_file: Path) -> None:
        self.dataverse_url = f"https://localhost:{dataverse_port}"
        self.erp_url = f"http://{LOOPBACK}:{erp_port}"
        self.ca_file = ca_file
        self._session = requests.Session()
        self._session.trust_env = False

    def written(self) -> int:
        """How many rows were written back since the start: the last call outside that an event needs."""
        return self.counts()["written"]

    def counts(self) -> dict[str, int]:
        """How many rows were read, customers put and rows written since the start."""
        found: dict[str, int] = self._ask("GET", "counts")
        return found

    def answer_in(self, delay_ms: int) -> None:
        """From now on every answer waits that long."""
        self._ask("POST", f"delay/{delay_ms}")

    def audit(self, events: Sequence[Event]) -> tuple[list[str], int]:
        """What was lost or done twice, and how many rows were written back more than once.

        Writing the same result again changes nothing; a worker that was interrupted in the middle does it.
        """
        effects: dict[str, list[int]] = self._ask("POST", "effects", [event.record for event in events])
        customers, written = ({record: done[number] for record, done in effects.items()} for number in (0, 1))
        found = [
            f"{len(records)} of {len(events)} accounts have {what}: {', '.join(sorted(records)[:3])}"
            for what, records in (
                ("no ERP customer", [record for record, times in customers.items() if times == 0]),
                ("more than one ERP customer", [record for record, times in customers.items() if times > 1]),
                ("no write-back", [record for record, times in written.items() if times == 0]),
            )
            if records
        ]
        return found, sum(times > 1 for times in written.values())

    def _ask(self, method: str, what: str, document: object = None) -> dict[str, Any]:
        answer = self._session.request(method, f"{self.erp_url}/control/{what}", json=document, timeout=60)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found


def eventually_written(outside: OutsideSystems, count: int, within: float) -> None:
    """Wait until so many rows were written back; raises `TimeoutError`."""
    deadline = time.monotonic() + within
    while (written := outside.written()) < count:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{count - written} of the events were not worked off within {within:.0f} s")
        time.sleep(0.05)
