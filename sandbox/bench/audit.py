"""What came of the events: nothing lost, nothing done twice; and when each was settled."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from sandbox.bench.workload import Record
from sandbox.client import Client, eventually

_ARCHIVED_SECONDS = 60.0


class Audit:
    """Asks analytics, ERP, credit scoring and broker about `events` (records by event id)."""

    def __init__(self, client: Client, events: Mapping[str, Record]) -> None:
        self._client = client
        self._events = events
        self._lines: dict[str, dict[str, Any]] = {}

    def faults(self) -> list[str]:
        """What is wrong; empty when every event was settled and had its effect once."""
        with suppress(TimeoutError):
            eventually(self._all_archived, within=_ARCHIVED_SECONDS, what="a line in the archive for every event")
        return list(self._faults())

    def settled_at(self) -> dict[str, float]:
        """When each event was settled, in seconds since 1970; known once `faults` was asked."""
        return {
            event: datetime.fromisoformat(line["data"]["settledTime"]).timestamp()
            for event, line in self._lines.items()
        }

    def _all_archived(self) -> bool:
        self._lines = {line["id"]: line for line in self._client.archive.lines()}
        return self._events.keys() <= self._lines.keys()

    def _faults(self) -> Iterator[str]:
        if missing := self._events.keys() - self._lines.keys():
            yield f"{len(missing)} of {len(self._events)} accepted events were never settled: {_few(missing)}"
        states = {event: self._lines[event]["data"]["state"] for event in self._events.keys() & self._lines.keys()}
        if other := {event for event, state in states.items() if state != "completed"}:
            yield f"{len(other)} events ended otherwise than completed: {Counter(states.values())}: {_few(other)}"
        if dead := self._client.broker.entities()["queues"]["work"]["deadLetter"]:
            yield f"{dead} messages are in the dead-letter queue"
        yield from self._unless_once("account", "ERP customer", [it["id"] for it in self._client.erp.effects()])
        yield from self._unless_once(
            "opportunity", "credit score", [it["reference"] for it in self._client.credit.charges()]
        )

    def _unless_once(self, table: str, effect: str, done: list[str]) -> Iterator[str]:
        counts = Counter(done)
        wanted = [record.id for record in self._events.values() if record.table == table]
        if without := [record for record in wanted if counts[record] == 0]:
            yield f"{len(without)} of {len(wanted)} records have no {effect}: {_few(without)}"
        if often := [record for record in wanted if counts[record] > 1]:
            yield f"{len(often)} of {len(wanted)} records have more than one {effect}: {_few(often)}"


def service_times(log: Path) -> dict[str, float]:
    """How many seconds the worker took for each event, from its own log line `settled`."""
    found: dict[str, float] = {}
    for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
        if line.startswith("{") and '"settled"' in line:
            record = json.loads(line)
            if record.get("what") == "settled":
                found[record["eventId"]] = record["durationMs"] / 1000
    return found


def _few(ids: Any) -> str:
    return ", ".join(sorted(ids)[:3])
