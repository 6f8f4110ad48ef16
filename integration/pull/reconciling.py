"""Reconciliation of what was pushed with what is there: shows what is missing, and heals it with events."""

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from integration.batching import each
from integration.clock import Clock
from integration.errors import Rejected
from integration.events import IntegrationEvent
from integration.exports.changes import Change
from integration.flow import Flow
from integration.ledger import Ledger, Memory
from integration.operations.audit import Audit, Subject
from integration.pull.comparing import Difference, FlowComparing, Kind
from integration.pull.deletions import Deletions
from integration.pull.events import PulledEvents, Reason
from integration.pull.queueing import PulledQueue
from integration.pull.tables import pulled_table
from integration.pull.window import Place, Window

CALLER: Final = "dataverse-reconcile"
PER_SECOND: Final = 20.0
REQUEST_SECONDS: Final = 40.0
"""Under the 60 s for which the commands wait for an answer."""
_READS_AT_ONCE: Final = 16
_DELETED: Final = "the ledger knows the row, and Dataverse does not have it"


@dataclass(frozen=True, slots=True)
class Reconciled:
    """A page: how many rows were `compared`, what is different; `following` is empty after the last one."""

    compared: int
    differences: Sequence[Difference]
    following: str


class Reconciliation:
    """Compares page by page. Raises `Rejected` (400, 404) and what Dataverse, ledger and broker raise."""

    def __init__(
        self,
        flows: Mapping[str, Flow[Any]],
        *,
        comparing: FlowComparing,
        deletions: Deletions,
        events: PulledEvents,
        queue: PulledQueue,
        ledger: Ledger,
        audit: Audit,
        clock: Clock,
    ) -> None:
        self._flows = {table: flow for table, flow in flows.items() if flow.effects}
        self._comparing = comparing
        self._deletions = deletions
        self._events = events
        self._queue = queue
        self._ledger = ledger
        self._audit = audit
        self._clock = clock

    async def look(self, window: Window, following: str = "") -> Reconciled:
        """What is different; nothing is changed."""
        flow = self._flow(window.table)
        place = Place.read(following)
        if place.deleted:
            return await self._deleted(flow, place)
        compared, differences, link = await self._comparing.page(flow, window, place.following)
        if link:
            return Reconciled(compared, differences, str(Place(following=link)))
        return Reconciled(compared, differences, str(Place(deleted=True)) if window.deleted else "")

    async def heal(self, window: Window, following: str, *, by: str, why: str) -> Reconciled:
        """The same, with an event for each difference that an event makes up for.

        Without one (`event_id`) are the others, and those for which there was no time while live traffic used the
        budget of Dataverse: the next reconciliation finds them again.
        """
        return await self._heal(window.table, await self.look(window, following), by=by, why=why)

    async def look_at(self, table: str, changes: Sequence[Change], *, systems: bool = False) -> Reconciled:
        """What is different about rows that an export names as changed; nothing is changed.

        The ledger is read once for each row, and once more for those that are compared. Dataverse is asked only about
        rows whose version the ledger does not know (all rows with `systems`), 50 in one request: the row decides, not
        the file.
        """
        flow = self._flow(table)
        known = await each(lambda it: self._memory(table, it.row_id), changes, at_once=_READS_AT_ONCE)
        memories = {it.row_id: memory for it, memory in zip(changes, known, strict=True)}
        wanted = [
            it.row_id
            for it in changes
            if systems or not memories[it.row_id].has_brought(it.version or None, deleted=it.deleted)
        ]
        there, found = await self._comparing.rows(flow, wanted, systems=systems)
        gone = [it for it in wanted if it not in there and _is_there(memories[it])]
        return Reconciled(len(changes), [*found, *(Difference(it, Kind.DELETED, _DELETED) for it in gone)], "")

    async def heal_at(
        self, table: str, changes: Sequence[Change], *, systems: bool = False, by: str, why: str
    ) -> Reconciled:
        """The same, with events as `heal` has them."""
        return await self._heal(table, await self.look_at(table, changes, systems=systems), by=by, why=why)

    async def _heal(self, table: str, found: Reconciled, *, by: str, why: str) -> Reconciled:
        wanted = [it for it in found.differences if it.kind.healed]
        if not wanted:
            return found
        about = Subject(table=table, count=len(wanted))
        async with self._audit.action("reconcile", about, by=by, why=why) as entry:
            healed = await self._queue_events(table, wanted, secrets.token_hex(8))
            entry.outcome = f"{len(healed)} of {len(wanted)} sent again"
        done = [replace(it, event_id=healed.get(it.record_id, "")) for it in found.differences]
        return replace(found, differences=done)

    async def _memory(self, table: str, row_id: str) -> Memory:
        return (await self._ledger.record(f"{table}:{row_id}")).memory

    async def _queue_events(self, table: str, wanted: Sequence[Difference], run: str) -> dict[str, str]:
        """The events that were queued, by record."""
        until = self._clock.monotonic() + REQUEST_SECONDS
        queued: dict[str, str] = {}
        for start in range(0, len(wanted), int(PER_SECOND)):
            some = wanted[start : start + int(PER_SECOND)]
            if not await self._queue.pace.wait(len(some), PER_SECOND, until=until):
                break
            for it in some:
                await self._forget(table, it)
            events = [self._event(table, it, run) for it in some]
            await self._queue.queue(events, _reason("", run))
            queued |= {str(event.record_id): event.event_id for event in events}
        return queued

    def _event(self, table: str, it: Difference, run: str) -> IntegrationEvent:
        of, reason = pulled_table(self._flows[table]), _reason(f"{it.kind.value}: {it.detail}", run)
        if it.row is None:
            return self._events.deleted(of, it.record_id, self._clock.now(), reason)
        event = self._events.changed(of, it.row, reason)
        return event if it.kind is Kind.NEVER_ACCEPTED else replace(event, row_version=None)

    async def _forget(self, table: str, it: Difference) -> None:
        """Forget what a system has lost, so that it is done again."""
        if not it.forget:
            return
        record = await self._ledger.record(f"{table}:{it.record_id}", guest=True)
        for name in it.forget:
            record.change(lambda memory, name=name: memory.forget(name))  # type: ignore[misc] # mypy #15459
        await record.write()

    async def _deleted(self, flow: Flow[Any], place: Place) -> Reconciled:
        page = await self._deletions.page(pulled_table(flow), json.loads(place.following or "null"))
        found = [Difference(it, Kind.DELETED, _DELETED) for it in page.deleted]
        following = "" if page.following is None else str(Place(deleted=True, following=json.dumps(page.following)))
        return Reconciled(page.looked, found, following)

    def _flow(self, table: str) -> Flow[Any]:
        flow = self._flows.get(table)
        if flow is None:
            names = ", ".join(sorted(self._flows))
            raise Rejected(404, "Unknown table", f"There is no flow with effects for {table[:100]}; there are {names}.")
        return flow


def _is_there(memory: Memory) -> bool:
    """Whether events have brought the row, and none its deletion."""
    return bool(memory.effects or memory.recent) and not memory.deleted


def _reason(detail: str, run: str) -> Reason:
    return Reason(CALLER, f"reconciled, {detail}", run)
