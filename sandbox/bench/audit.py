"""Checks the end of the events in the app itself: each is in the archive as completed, and none is a dead letter."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from sandbox.bench.workload import Event
from sandbox.client import Client, eventually

_ARCHIVED_SECONDS = 120.0


class Audit:
    """Asks archive and broker about `events`; the host that writes the archive must run."""

    def __init__(self, client: Client, events: Sequence[Event]) -> None:
        self._client = client
        self._wanted = {event.record for event in events}
        self._lines: dict[str, dict[str, Any]] = {}

    def faults(self) -> list[str]:
        """What is wrong; empty when every event was settled as completed."""
        with suppress(TimeoutError):
            eventually(self._all_archived, within=_ARCHIVED_SECONDS, what="a line in the archive for every event")
        return list(self._faults())

    def settled_at(self) -> dict[str, float]:
        """When the event of each record was settled, in seconds since 1970; known after `faults` was called."""
        return {
            record: datetime.fromisoformat(line["data"]["settledTime"]).timestamp()
            for record, line in self._lines.items()
        }

    def _all_archived(self) -> bool:
        self._lines = {line["data"]["recordId"]: line for line in self._client.archive.lines()}
        return self._wanted <= self._lines.keys()

    def _faults(self) -> Iterator[str]:
        if missing := self._wanted - self._lines.keys():
            yield f"{len(missing)} of {len(self._wanted)} accepted events were never settled: {few(missing)}"
        states = {record: self._lines[record]["data"]["state"] for record in self._wanted & self._lines.keys()}
        if other := {record for record, state in states.items() if state != "completed"}:
            yield f"{len(other)} events ended otherwise than completed: {Counter(states.values())}: {few(other)}"
        dead = sum(queue["deadLetter"] for queue in self._client.broker.entities()["queues"].values())
        if dead:
            yield f"{dead} messages are in dead-letter queues"


def few(records: set[str]) -> str:
    """The first three of them."""
    return ", ".join(sorted(records)[:3])
