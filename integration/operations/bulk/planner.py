"""Planning a bulk operation: which events, how long it takes, and what it costs the systems."""

import json
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from integration.clock import Clock, iso
from integration.errors import Fault, Rejected
from integration.ledger import State
from integration.ledger.problems import Problem
from integration.operations.audit import Audit, Subject
from integration.operations.bulk.model import Action, Bulk
from integration.operations.bulk.store import BulkStore
from integration.operations.search import Filter, Search

MOST: Final = 10_000
MOST_PER_MINUTE: Final = 1_200
DEFAULT_CANARY: Final = {Action.RETRY: 5, Action.DISCARD: 0}
_SAMPLE: Final = 10

CallsOf = Callable[[str, str], Mapping[str, int]]
"""How many calls an event of a table's message makes at most, by system."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody wants done to the events that a filter finds."""

    action: Action
    selection: Filter
    canary: int = 5
    per_minute: int = 60
    force: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """A bulk operation that is ready to be started, and examples of its events."""

    bulk: Bulk
    sample: Sequence[Problem]


class Planner:
    """Raises `Rejected` (400) for what cannot be planned, and `Transient`."""

    def __init__(self, search: Search, store: BulkStore, audit: Audit, calls_of: CallsOf, clock: Clock) -> None:
        self._search = search
        self._store = store
        self._audit = audit
        self._calls_of = calls_of
        self._clock = clock

    async def plan(self, wanted: Wanted, *, by: str, why: str) -> Plan:
        """Find the events and keep them as the items of a new bulk operation, which nobody has started yet.

        Events that become problems later are not part of it. Of more than 10,000, the oldest are.
        """
        _check(wanted)
        bulk_id = self._store.new_id()
        async with self._audit.action("bulk-plan", Subject(bulk_id=bulk_id), by=by, why=why) as entry:
            found = await self._search.problems(wanted.selection, most=MOST + 1)
            if not found:
                raise Rejected(400, "There is nothing to do", "No event matches: look at the list of problems.")
            chosen = found[:MOST]
            bulk = Bulk(
                bulk_id,
                wanted.action,
                by,
                entry.why,
                force=wanted.force,
                canary=min(wanted.canary, len(chosen)),
                canary_passed=not wanted.canary,
                per_minute=wanted.per_minute,
                selection=json.dumps(_shown(wanted.selection)),
                plan=json.dumps(self._estimate(wanted, chosen, more=len(found) > MOST)),
                total=len(chosen),
                pending=len(chosen),
                created=iso(self._clock.now()),
            )
            planned = await self._store.add(bulk, [it.event_id for it in chosen])
            entry.outcome = f"{len(chosen)} events"
            step = max(1, len(chosen) // _SAMPLE)
            return Plan(planned, chosen[::step][:_SAMPLE])

    def _estimate(self, wanted: Wanted, chosen: Sequence[Problem], *, more: bool) -> dict[str, Any]:
        calls: Counter[str] = Counter()
        if wanted.action is Action.RETRY:
            for (table, message), count in Counter((it.table, it.message) for it in chosen).items():
                calls.update({system: count * each for system, each in self._calls_of(table, message).items()})
        return {
            "more": more,
            "seconds": round(len(chosen) * 60 / wanted.per_minute),
            "callsAtMost": dict(sorted(calls.items())),
            "byReason": dict(Counter(it.reason for it in chosen).most_common(20)),
            "byTable": dict(Counter(it.table for it in chosen).most_common(20)),
        }


def calls_at_most(effects: Collection[str], systems: Collection[str]) -> dict[str, int]:
    """Calls of one event that reads its row, does all of its effects and writes back; effects begin with the system."""
    calls = Counter(system for effect in effects for system in systems if effect.startswith(f"{system}-"))
    return {"dataverse": 2, **calls}


def _check(wanted: Wanted) -> None:
    faults = []
    if not 1 <= wanted.per_minute <= MOST_PER_MINUTE:
        faults.append(Fault("/perMinute", f"has to be between 1 and {MOST_PER_MINUTE}"))
    if not 0 <= wanted.canary <= 100:
        faults.append(Fault("/canary", "has to be between 0 and 100"))
    if wanted.action is Action.DISCARD:
        if wanted.canary:
            faults.append(Fault("/canary", "has to be 0: a discard has no outcome to wait for"))
        if wanted.force:
            faults.append(Fault("/force", "is for retries only"))
        if wanted.selection.state == State.WAITING:
            faults.append(Fault("/selection/state", "only dead-lettered events can be discarded"))
    if wanted.selection.state not in {None, State.DEAD_LETTERED.value, State.WAITING.value}:
        faults.append(Fault("/selection/state", "has to be dead-lettered or waiting"))
    if wanted.selection.correlation_id:
        faults.append(Fault("/selection/correlationId", "cannot be asked for here"))
    if faults:
        raise Rejected(400, "This cannot be planned", "Correct what is named.", faults=tuple(faults))


def _shown(selection: Filter) -> dict[str, str]:
    pairs = {
        "state": selection.state or State.DEAD_LETTERED.value,
        "reason": selection.reason,
        "system": selection.system,
        "table": selection.table,
        "recordId": selection.record_id,
        "from": iso(selection.start) if selection.start else None,
        "to": iso(selection.end) if selection.end else None,
    }
    return {name: value for name, value in pairs.items() if value}
