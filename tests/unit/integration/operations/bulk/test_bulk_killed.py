"""A bulk operation is killed before and after each of its writes, and each event is still dealt with exactly once."""

from collections import Counter
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

import pytest

from integration.errors import Permanent
from integration.events import IntegrationEvent, to_envelope
from integration.ledger import State
from integration.operations.bulk.model import Action, BulkState, ItemState
from integration.operations.bulk.planner import Wanted
from integration.operations.search import Filter
from integration.worker import DeadLettered
from tests.memory_table import MemoryTable
from tests.unit.integration.operations.parts import WHO, Desk

EVENTS, CANARY = 3, 1
MOST_WRITES = 400


class Killed(BaseException):
    """The process is dead: nothing of it runs any more, not even its cleaning up."""


class Power:
    """Switches everything off at the write of this number, `before` it or once it has been done."""

    def __init__(self, at: int, *, before: bool) -> None:
        self.left = at
        self.before = before
        self.off = False
        self.armed = True

    def check(self) -> None:
        """A dead process reaches nothing."""
        if self.off and self.armed:
            raise Killed

    def write(self, do: Any) -> Any:
        """Do a write, or be killed at it."""
        self.check()
        if not self.armed:
            return do()
        self.left -= 1
        self.off = self.left == 0
        if self.off and self.before:
            raise Killed
        done = do()
        if self.off:
            raise Killed
        return done


def wire(desk: Desk, power: Power, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every write to a table or to the queue, and every call to a table, goes through `power`."""
    store, delete, called, send = (
        MemoryTable._store,
        MemoryTable.delete,
        MemoryTable._called,
        type(desk.world.queue).send,
    )

    def stored(table: MemoryTable, entity: Mapping[str, Any], beneath: dict[str, Any]) -> Any:
        return power.write(lambda: store(table, entity, beneath))

    async def deleted(table: MemoryTable, partition: str, row: str, *, etag: str = "*") -> bool:
        power.write(lambda: None)
        return await delete(table, partition, row, etag=etag)

    def call(table: MemoryTable, operation: str) -> None:
        power.check()
        called(table, operation)

    def sent(queue: Any, event: IntegrationEvent, envelope: bytes) -> "Future[None]":
        return power.write(lambda: send(queue, event, envelope))  # type: ignore[no-any-return] # what it gives

    monkeypatch.setattr(MemoryTable, "_store", stored)
    monkeypatch.setattr(MemoryTable, "delete", deleted)
    monkeypatch.setattr(MemoryTable, "_called", call)
    monkeypatch.setattr(type(desk.world.queue), "send", sent)


async def started(action: Action, power: Power, monkeypatch: pytest.MonkeyPatch) -> tuple[Desk, str, list[str]]:
    """A desk with a bulk operation that was started, its id, and the ids of its events; `power` is armed now."""
    desk, power.armed = Desk(), False
    originals = [(await desk.dead_letter()).event_id for _ in range(EVENTS)]
    canary = CANARY if action is Action.RETRY else 0
    plan = await desk.planner.plan(Wanted(action, Filter(), canary=canary, per_minute=600), **WHO)
    await desk.bulks.start(plan.bulk.bulk_id, **WHO)
    wire(desk, power, monkeypatch)
    power.armed = True
    return desk, plan.bulk.bulk_id, originals


async def work(desk: Desk, delivered: list[IntegrationEvent]) -> None:
    """Another process, the worker, takes what was sent."""
    while desk.world.queue.sent:
        event = desk.world.queue.sent.pop(0)
        delivered.append(event)
        with suppress(DeadLettered):
            await desk.world.worker.handle(to_envelope(event))
    await desk.world.ledger.close()


async def run_until_finished(desk: Desk, bulk_id: str, power: Power, *, failing: bool) -> list[IntegrationEvent]:
    """Runs of ever new instances, with the worker between them; the first kill ends a run, later ones are whole."""
    delivered: list[IntegrationEvent] = []
    for _ in range(40):
        try:
            await desk.another().runner().run()
        except Killed:
            power.armed = False
            desk.world.clock.advance(90)  # until the lease of the dead one has lapsed
        armed, power.armed = power.armed, False
        if failing and not delivered:
            desk.world.handler.script += [Permanent("no", reason="erp-rejected", service="erp")] * EVENTS
        await work(desk, delivered)
        bulk = await desk.bulks.read(bulk_id)
        if bulk.state is BulkState.PAUSED:
            await desk.bulks.resume(bulk_id, **WHO)
        power.armed = armed
        desk.world.clock.advance(20)
        if bulk.state is BulkState.FINISHED:
            return delivered
    raise AssertionError("never finished")


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize("action", list(Action))
async def test_killed_at_every_write_each_event_is_dealt_with_once(
    action: Action, before: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One event for each original, one effect for each event, and all of them are known to be done."""
    for at in range(1, MOST_WRITES):
        with monkeypatch.context() as patched:
            power = Power(at, before=before)
            desk, bulk_id, originals = await started(action, power, patched)
            delivered = await run_until_finished(desk, bulk_id, power, failing=False)
            killed, power.armed = power.off, False
            await check(desk, bulk_id, action, originals, delivered)
        if not killed:
            assert at > 30  # it was killed at least so often
            return
    raise AssertionError("more writes than expected")


async def check(
    desk: Desk, bulk_id: str, action: Action, originals: list[str], delivered: list[IntegrationEvent]
) -> None:
    """Nothing was left out and nothing was done twice; the audit knows of each."""
    items = await desk.store.items(bulk_id)
    assert {it.event_id: it.state for it in items} == dict.fromkeys(originals, ItemState.DONE)
    bulk = await desk.bulks.read(bulk_id)
    assert (bulk.done, bulk.pending, bulk.sent, bulk.failed, bulk.skipped, bulk.error) == (EVENTS, 0, 0, 0, 0, 0)
    ends = [await desk.world.ledger.read(it) for it in originals]
    if action is Action.DISCARD:
        assert [it.state for it in ends if it] == [State.DISCARDED] * EVENTS
        assert delivered == []
    else:
        sent = {(str(it.replay_of), it.event_id) for it in delivered}
        assert Counter(original for original, _ in sent) == Counter(originals)
        assert len(desk.world.handler.keys) == EVENTS
        assert {it.resolved_by for it in ends if it} == {new for _, new in sent}
    noted = Counter(str(it["eventId"]) for it in desk.audited if it["what"] == action.value)
    assert noted.keys() == set(originals)
    assert [it["outcome"] for it in desk.audited if it["what"] == "bulk-finish"][-1] == f"{EVENTS} done"


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
async def test_killed_at_every_write_while_the_canary_fails_nothing_is_sent_twice(
    before: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each event is sent once, fails once more, and is counted so; a person lets the others go nevertheless."""
    for at in range(1, MOST_WRITES):
        with monkeypatch.context() as patched:
            power = Power(at, before=before)
            desk, bulk_id, originals = await started(Action.RETRY, power, patched)
            delivered = await run_until_finished(desk, bulk_id, power, failing=True)
            killed, power.armed = power.off, False
            sent = {(str(it.replay_of), it.event_id) for it in delivered}
            assert Counter(original for original, _ in sent) == Counter(originals)
            assert desk.world.handler.keys == []
            bulk = await desk.bulks.read(bulk_id)
            assert (bulk.failed, bulk.done, bulk.pending) == (EVENTS, 0, 0)
        if not killed:
            assert at > 30
            return
    raise AssertionError("more writes than expected")


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
async def test_killed_while_it_is_planned_it_is_never_started(before: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a plan does nothing; somebody plans it anew."""
    for at in range(1, MOST_WRITES):
        with monkeypatch.context() as patched:
            desk, power = Desk(), Power(at, before=before)
            power.armed = False
            for _ in range(EVENTS):
                await desk.dead_letter()
            wire(desk, power, patched)
            power.armed, power.left = True, at
            try:
                plan = await desk.another().planner.plan(Wanted(Action.RETRY, Filter(), canary=0), **WHO)
            except Killed:
                power.armed = False
                await desk.runner().run()
                assert desk.world.queue.sent == []
                states = {it.state for it in await desk.bulks.recent()}
                assert states <= {BulkState.PLANNING, BulkState.PLANNED}
                again = await desk.planner.plan(Wanted(Action.RETRY, Filter(), canary=0), **WHO)
                assert again.bulk.total == EVENTS
            else:
                assert plan.bulk.state is BulkState.PLANNED
                assert at > 8
                return
    raise AssertionError("more writes than expected")
