"""Doing a bulk operation, one event after the other, by whichever instance is at work.

What has to survive is in the ledger: the row of the operation, and one for each event. Killed anywhere, the next run
goes on where the rows say. An event whose row was not written yet is done once more, which does nothing: it is asked
for under the same name (`Replays`), so the same event is sent, or it is found to have been done.

One runner at a time works on an operation, by a lease in its row; two at once would only be faster than was asked for.
"""

import asyncio
import secrets
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from integration.clock import Clock, iso
from integration.errors import IntegrationError, Outage, Rejected, Transient
from integration.ledger import EventStatus, Ledger, State
from integration.operations.audit import Audit, Subject
from integration.operations.bulk.model import CANARY_FAILED, Action, Bulk, BulkState, Item, ItemState
from integration.operations.bulk.store import BulkStore
from integration.operations.repair import Repair
from integration.telemetry import get_logger

_RUN_SECONDS: Final = 200.0
"""Under the functionTimeout of host.json; the next run goes on."""
_LEASE: Final = timedelta(seconds=30)
"""On top of the time between two events."""
_BATCH: Final = 50
_LOOK_AT: Final = 200
_MOST_TRIES: Final = 5
_FOLLOWED: Final = timedelta(hours=1)
"""After the last event was sent; what has not ended then is left as sent."""
_log = get_logger(__name__)


class BulkRunner:
    """Works on the operations that are running; one instance of the app calls it, every twenty seconds."""

    def __init__(
        self,
        store: BulkStore,
        repair: Repair,
        *,
        ledger: Ledger,
        audit: Audit,
        clock: Clock,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        run_seconds: float = _RUN_SECONDS,
    ) -> None:
        self._store = store
        self._repair = repair
        self._ledger = ledger
        self._audit = audit
        self._clock = clock
        self._sleep = sleep
        self._run_seconds = run_seconds
        self._name = secrets.token_hex(6)

    async def run(self) -> None:
        """Do what can be done now, the operations in turns; what is away now is asked for in the next run."""
        until = self._clock.monotonic() + self._run_seconds
        try:
            while self._clock.monotonic() < until:
                worked = [await self._turn(bulk, until) for bulk in await self._store.active()]
                if not any(worked):
                    break
            await self._release()
        except IntegrationError as error:
            _log.warning("bulk-interrupted", error=error)

    async def _turn(self, bulk: Bulk, until: float) -> bool:
        """A batch of one operation, or a look at what has become of its events; whether there may be more to do now."""
        held = await self._take(bulk.bulk_id)
        if held is None:
            return False
        if not held.canary_passed:
            return await self._canary(held, until)
        items = await self._store.items(held.bulk_id, _BATCH, after=held.cursor, state=ItemState.PENDING)
        if items:
            return await self._batch(held, items, until)
        return await self._follow(held)

    async def _take(self, bulk_id: str) -> Bulk | None:
        """The operation, if it is running and no other runner has it."""
        now = self._clock.now()

        def take(bulk: Bulk) -> Bulk:
            free = bulk.runner in {"", self._name} or datetime.fromisoformat(bulk.lease) <= now
            if bulk.state is not BulkState.RUNNING or not free:
                return bulk
            lease = _LEASE + timedelta(minutes=1 / bulk.per_minute)
            renewed = bulk.runner == self._name and datetime.fromisoformat(bulk.lease) > now + lease / 2
            return bulk if renewed else replace(bulk, runner=self._name, lease=(now + lease).isoformat())

        bulk = await self._store.change(bulk_id, take)
        return bulk if bulk.state is BulkState.RUNNING and bulk.runner == self._name else None

    async def _release(self) -> None:
        """Let any instance go on; one that is killed holds its lease until that lapses."""
        for bulk in await self._store.active():
            if bulk.runner == self._name:
                await self._store.change(bulk.bulk_id, lambda it: replace(it, runner="", lease=""))

    async def _canary(self, bulk: Bulk, until: float) -> bool:
        """The first events; the others wait for what comes of them."""
        first = await self._store.items(bulk.bulk_id, bulk.canary)
        pending = [it for it in first if it.state is ItemState.PENDING]
        if pending:
            return await self._batch(bulk, pending, until)
        first = [await self._outcome(bulk, it) if it.state is ItemState.SENT else it for it in first]
        if any(it.state is ItemState.SENT for it in first):
            await self._count(bulk)
            return False
        failed = [it for it in first if it.state in {ItemState.FAILED, ItemState.ERROR}]
        if not failed:
            await self._store.change(bulk.bulk_id, lambda it: replace(it, canary_passed=True))
            return True
        reasons = ", ".join(sorted({it.outcome for it in failed}))
        note = f"{CANARY_FAILED}: {len(failed)} of {len(first)} ({reasons}). Resume it to do the others nevertheless."
        await self._note("bulk-halt", bulk, note)
        await self._store.change(bulk.bulk_id, lambda it: _halted(it, note))
        await self._count(bulk)
        return False

    async def _batch(self, bulk: Bulk, items: list[Item], until: float) -> bool:
        """These events at the operation's rate, until somebody pauses or cancels it, or the time is over."""
        became: Counter[ItemState] = Counter()
        for item in items:
            if self._clock.monotonic() >= until or await self._take(bulk.bulk_id) is None:
                break
            done = await self._do(bulk, item)
            await self._store.put(bulk.bulk_id, done)
            if done.state is not ItemState.PENDING:
                became[done.state] += 1
            await self._sleep(60.0 / bulk.per_minute)
        reached = items[-1].event_id if became.total() == len(items) and bulk.canary_passed else bulk.cursor
        now = iso(self._clock.now())
        await self._store.change(bulk.bulk_id, lambda it: _progressed(it, became, cursor=reached, at=now))
        return True

    async def _do(self, bulk: Bulk, item: Item) -> Item:
        """What was asked for, to one event; what came of it. Raises `Transient` where broker or tables are away."""
        at, why = iso(self._clock.now()), f"{bulk.why} (bulk operation {bulk.bulk_id})"
        item = replace(item, at=at, tries=item.tries + 1)
        try:
            if bulk.action is Action.DISCARD:
                await self._repair.discard(item.event_id, by=bulk.by, why=why, bulk_id=bulk.bulk_id)
                return replace(item, state=ItemState.DONE)
            new_event_id = await self._repair.retry(
                item.event_id,
                by=bulk.by,
                why=why,
                force=bulk.force,
                request=f"bulk {bulk.bulk_id}",
                bulk_id=bulk.bulk_id,
            )
            return replace(item, state=ItemState.SENT, new_event_id=new_event_id)
        except Rejected as refused:
            return replace(item, state=ItemState.SKIPPED, outcome=refused.detail)
        except Transient as error:
            if isinstance(error, Outage) or error.reason == "broker-unavailable":
                raise  # nothing can be done for any event now
            state = ItemState.ERROR if item.tries >= _MOST_TRIES else ItemState.PENDING
            return replace(item, state=state, outcome=error.reason)
        except Exception as error:  # noqa: BLE001 -- one event that meets a defect must not hold up the others
            _log.error("bulk-item-failed", error=error, event_id=item.event_id)
            return replace(item, state=ItemState.ERROR, outcome=type(error).__name__)

    async def _follow(self, bulk: Bulk) -> bool:
        """See what has become of the events that were sent; the end, once all have ended or an hour has gone by."""
        sent = await self._store.items(bulk.bulk_id, _LOOK_AT, state=ItemState.SENT)
        ended = [it for it in [await self._outcome(bulk, item) for item in sent] if it.state is not ItemState.SENT]
        if ended and len(ended) == len(sent):
            return True
        counted = await self._count(bulk)
        if counted.pending:  # one that could not be done at its turn
            await self._store.change(bulk.bulk_id, lambda it: replace(it, cursor=""))
            return bool(bulk.cursor)
        last = datetime.fromisoformat(counted.last_sent or counted.started)
        if counted.sent and self._clock.now() < last + _FOLLOWED:
            return bool(ended)
        await self._note("bulk-finish", counted, _summary(counted))
        await self._store.change(bulk.bulk_id, lambda it: _finished(it, iso(self._clock.now())))
        _log.info("bulk-finished", count=bulk.total)
        return True

    async def _outcome(self, bulk: Bulk, item: Item) -> Item:
        """The item, with what became of the event that was sent; written down where that has ended."""
        status = await self._ledger.read(item.new_event_id)
        if status is None or not status.state.final:
            return item
        known = replace(item, state=_meaning(status), outcome=status.reason or status.state.value)
        await self._store.put(bulk.bulk_id, known)
        return known

    async def _count(self, bulk: Bulk) -> Bulk:
        """Count all items anew: whoever was killed has not said how far it came with its last ones."""
        found = await self._store.counts(bulk.bulk_id)
        return await self._store.change(bulk.bulk_id, lambda it: it.counted(found))

    async def _note(self, what: str, bulk: Bulk, outcome: str) -> None:
        """What the app did by itself, in the name of whoever has planned it; killed after this, it is noted twice."""
        about = Subject(bulk_id=bulk.bulk_id, count=bulk.total)
        async with self._audit.action(what, about, by=bulk.by, why=bulk.why) as entry:
            entry.outcome = outcome


def _meaning(status: EventStatus) -> ItemState:
    """What somebody has sent again, or discarded, had failed before."""
    failed = {State.DEAD_LETTERED, State.RESUBMITTED, State.DISCARDED}
    return ItemState.FAILED if status.state in failed else ItemState.DONE


def _progressed(bulk: Bulk, became: Counter[ItemState], *, cursor: str, at: str) -> Bulk:
    """With items that were pending and now are something else; reading all of them each time would take too long."""
    counts = {state.value: getattr(bulk, state.value) + became[state] for state in ItemState}
    counts["pending"] = max(0, bulk.pending - became.total())
    return replace(bulk.counted(counts), cursor=cursor, last_sent=at if became else bulk.last_sent)


def _halted(bulk: Bulk, note: str) -> Bulk:
    return bulk.stopped(BulkState.PAUSED, note) if bulk.state is BulkState.RUNNING else bulk


def _finished(bulk: Bulk, at: str) -> Bulk:
    return bulk.stopped(BulkState.FINISHED, "", at) if bulk.state is BulkState.RUNNING else bulk


def _summary(bulk: Bulk) -> str:
    counts = {"done": bulk.done, "failed": bulk.failed, "skipped": bulk.skipped, "error": bulk.error, "sent": bulk.sent}
    return ", ".join(f"{count} {name}" for name, count in counts.items() if count)
