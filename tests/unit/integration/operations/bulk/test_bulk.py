"""One action for many events: planned, tried on a few of them, done at a given rate, and stopped at any time."""

import json
from datetime import timedelta

import pytest

from integration.errors import Permanent, Rejected, Transient
from integration.ledger import State, keys
from integration.operations.bulk.model import Action, Bulk, BulkState, Item, ItemState
from integration.operations.bulk.planner import Wanted, calls_at_most
from integration.operations.search import Filter
from integration.worker import DeadLettered
from tests.unit.integration.operations.parts import WHO, Desk


async def with_dead_letters(count: int, reason: str = "erp-rejected") -> tuple[Desk, list[str]]:
    """A desk with so many dead letters; their ids in order."""
    desk = Desk()
    ids = [(await desk.dead_letter(Permanent("no", reason=reason, service="erp"))).event_id for _ in range(count)]
    return desk, sorted(ids)


async def planned(desk: Desk, action: Action = Action.RETRY, *, canary: int = 0, per_minute: int = 60) -> Bulk:
    plan = await desk.planner.plan(Wanted(action, Filter(), canary=canary, per_minute=per_minute), **WHO)
    return plan.bulk


async def started(desk: Desk, action: Action = Action.RETRY, *, canary: int = 0, per_minute: int = 60) -> Bulk:
    bulk = await planned(desk, action, canary=canary, per_minute=per_minute)
    return await desk.bulks.start(bulk.bulk_id, **WHO)


async def states(desk: Desk, bulk: Bulk) -> list[ItemState]:
    return [it.state for it in await desk.store.items(bulk.bulk_id, 1_000)]


async def test_a_plan_says_how_many_how_long_and_what_it_costs_and_does_nothing() -> None:
    desk, ids = await with_dead_letters(25)
    plan = await desk.planner.plan(Wanted(Action.RETRY, Filter(reason="erp-rejected"), per_minute=100), **WHO)
    bulk = plan.bulk
    assert (bulk.state, bulk.total, bulk.pending, bulk.canary) == (BulkState.PLANNED, 25, 25, 5)
    assert json.loads(bulk.plan) == {
        "more": False,
        "seconds": 15,
        "callsAtMost": {"erp": 50},
        "byReason": {"erp-rejected": 25},
        "byTable": {"opportunity": 25},
    }
    assert len(plan.sample) == 10
    assert [it.event_id for it in await desk.store.items(bulk.bulk_id)] == ids
    await desk.runner().run()
    assert desk.world.queue.sent == []
    assert [(it["what"], it["bulkId"], it["outcome"]) for it in desk.audited] == [
        ("bulk-plan", bulk.bulk_id, "25 events")
    ]


async def test_only_what_was_planned_is_done() -> None:
    """What becomes a problem later is another plan's."""
    desk, ids = await with_dead_letters(2)
    bulk = await started(desk)
    await desk.dead_letter()
    await desk.runner().run()
    assert sorted(str(it.replay_of) for it in desk.world.queue.sent) == ids
    assert (await desk.bulks.read(bulk.bulk_id)).total == 2


@pytest.mark.parametrize(
    ("selection", "found"),
    [
        (Filter(reason="erp-rejected"), 2),
        (Filter(reason="credit-rejected"), 1),
        (Filter(system="erp", table="opportunity"), 3),
        (Filter(table="account"), 0),
        (Filter(state="waiting"), 1),
    ],
)
async def test_events_are_selected_as_the_list_of_problems_is_narrowed(selection: Filter, found: int) -> None:
    desk, _ = await with_dead_letters(2)
    await desk.dead_letter(Permanent("no", reason="credit-rejected", service="erp"))
    await desk.dead_letter(Transient("later", reason="erp-failed", service="erp"))
    await desk.world.ledger.close()
    if found:
        plan = await desk.planner.plan(Wanted(Action.RETRY, selection), **WHO)
        assert plan.bulk.total == found
    else:
        with pytest.raises(Rejected, match="No event matches"):
            await desk.planner.plan(Wanted(Action.RETRY, selection), **WHO)


async def test_events_are_selected_by_record_and_time() -> None:
    desk, _ = await with_dead_letters(2)
    one = await desk.dead_letter(event_id=f"202611191200-{'a' * 32}")
    minute = one.operation_time.replace(day=19, hour=12, minute=0)
    for selection in (Filter(record_id=one.record_id), Filter(start=minute, end=minute + timedelta(seconds=30))):
        plan = await desk.planner.plan(Wanted(Action.RETRY, selection), **WHO)
        assert [it.event_id for it in plan.sample] == [one.event_id]


@pytest.mark.parametrize(
    ("wanted", "pointers"),
    [
        (Wanted(Action.RETRY, Filter(), per_minute=0), ["/perMinute"]),
        (Wanted(Action.RETRY, Filter(), per_minute=1_201), ["/perMinute"]),
        (Wanted(Action.RETRY, Filter(), canary=101), ["/canary"]),
        (Wanted(Action.DISCARD, Filter(), canary=1, force=True), ["/canary", "/force"]),
        (Wanted(Action.DISCARD, Filter(state="waiting"), canary=0), ["/selection/state"]),
        (Wanted(Action.RETRY, Filter(state="completed")), ["/selection/state"]),
        (Wanted(Action.RETRY, Filter(correlation_id="c")), ["/selection/correlationId"]),
    ],
)
async def test_what_cannot_be_planned_is_refused_with_its_place(wanted: Wanted, pointers: list[str]) -> None:
    desk, _ = await with_dead_letters(1)
    with pytest.raises(Rejected) as refused:
        await desk.planner.plan(wanted, **WHO)
    assert (refused.value.status, [it.pointer for it in refused.value.faults]) == (400, pointers)


async def test_each_event_is_sent_again_and_its_end_is_followed() -> None:
    desk, ids = await with_dead_letters(3)
    bulk = await started(desk)
    await desk.runner().run()
    counted = await desk.bulks.read(bulk.bulk_id)
    assert (counted.state, counted.pending, counted.sent) == (BulkState.RUNNING, 0, 3)
    assert {str(it.replay_of) for it in desk.world.queue.sent} == set(ids)
    desk.world.handler.script.append(Permanent("no", reason="erp-rejected", service="erp"))
    await work(desk)
    await desk.runner().run()
    finished = await desk.bulks.read(bulk.bulk_id)
    assert (finished.state, finished.done, finished.failed) == (BulkState.FINISHED, 2, 1)
    (entry,) = (it for it in desk.audited if it["what"] == "bulk-finish")
    assert (entry["outcome"], entry["who"], entry["bulkId"]) == ("2 done, 1 failed", "support", bulk.bulk_id)
    retries = [it for it in desk.audited if it["what"] == "retry"]
    assert [it["bulkId"] for it in retries] == [bulk.bulk_id] * 3
    assert retries[0]["why"] == f"the ERP was mended (bulk operation {bulk.bulk_id})"


async def work(desk: Desk) -> None:
    """The worker takes all that was sent, also what is dead-lettered again."""
    while desk.world.queue.sent:
        try:
            await desk.work()
        except DeadLettered:
            await desk.world.ledger.close()


async def test_events_are_done_at_the_rate_that_was_asked_for() -> None:
    desk, _ = await with_dead_letters(30)
    await started(desk, per_minute=120)
    before = desk.world.clock.monotonic()
    await desk.runner().run()
    assert len(desk.world.queue.sent) == 30
    assert desk.world.clock.monotonic() - before == pytest.approx(15.0)


async def test_a_run_ends_in_time_and_the_next_one_goes_on() -> None:
    desk, _ = await with_dead_letters(100)
    await started(desk)
    await desk.runner(run_seconds=30).run()
    assert 30 <= len(desk.world.queue.sent) <= 31
    for _ in range(3):
        await desk.runner(run_seconds=30).run()
    assert len({it.event_id for it in desk.world.queue.sent}) == len(desk.world.queue.sent) == 100


async def test_the_first_few_are_tried_and_the_others_wait_for_what_comes_of_them() -> None:
    desk, ids = await with_dead_letters(10)
    bulk = await started(desk, canary=3)
    await desk.runner().run()
    assert sorted(str(it.replay_of) for it in desk.world.queue.sent) == ids[:3]
    await desk.runner().run()
    assert len(desk.world.queue.sent) == 3
    await work(desk)
    await desk.runner().run()
    assert len(desk.world.queue.sent) == 7
    assert (await desk.bulks.read(bulk.bulk_id)).canary_passed


async def test_a_canary_that_fails_pauses_the_rest_until_somebody_wants_it_nevertheless() -> None:
    desk, _ = await with_dead_letters(6)
    bulk = await started(desk, canary=2)
    await desk.runner().run()
    desk.world.handler.script.append(Permanent("no", reason="erp-rejected", service="erp"))
    await work(desk)
    await desk.runner().run()
    paused = await desk.bulks.read(bulk.bulk_id)
    assert (paused.state, paused.done, paused.failed, paused.pending) == (BulkState.PAUSED, 1, 1, 4)
    assert paused.note.startswith("The canary failed: 1 of 2 (erp-rejected).")
    await desk.runner().run()
    assert desk.world.queue.sent == []

    await desk.bulks.resume(bulk.bulk_id, **WHO)
    await desk.runner().run()
    assert len(desk.world.queue.sent) == 4
    assert [it["what"] for it in desk.audited if str(it["what"]).startswith("bulk")] == [
        "bulk-plan",
        "bulk-start",
        "bulk-halt",
        "bulk-resume",
    ]


async def test_a_pause_and_a_cancel_hold_from_the_next_event_on() -> None:
    """Also in the middle of a batch."""
    desk, _ = await with_dead_letters(10)
    bulk = await started(desk)
    runner = desk.runner()
    clock, sent = desk.world.clock, desk.world.queue.sent

    async def pausing(seconds: float) -> None:
        clock.advance(seconds)
        if len(sent) == 4:
            await desk.bulks.pause(bulk.bulk_id, **WHO)

    runner._sleep = pausing
    await runner.run()
    paused = await desk.bulks.read(bulk.bulk_id)
    assert (len(sent), paused.state, paused.pending) == (4, BulkState.PAUSED, 6)
    assert paused.note == "support: the ERP was mended"
    await desk.bulks.resume(bulk.bulk_id, **WHO)
    await desk.runner(run_seconds=1).run()
    cancelled = await desk.bulks.cancel(bulk.bulk_id, **WHO)
    assert (cancelled.state, cancelled.ended) == (BulkState.CANCELLED, "2026-11-20T20:00:05.000Z")
    await desk.runner().run()
    assert len(sent) < 10
    assert ItemState.PENDING in await states(desk, bulk)


async def test_a_discard_is_done_at_once() -> None:
    desk, ids = await with_dead_letters(3)
    bulk = await started(desk, Action.DISCARD)
    await desk.runner().run()
    finished = await desk.bulks.read(bulk.bulk_id)
    assert (finished.state, finished.done) == (BulkState.FINISHED, 3)
    assert desk.table(keys.PROBLEMS).entities == {}
    for event_id in ids:
        status = await desk.world.ledger.read(event_id)
        assert status is not None
        assert status.state is State.DISCARDED


async def test_what_somebody_has_dealt_with_meanwhile_is_skipped_and_says_why() -> None:
    desk, ids = await with_dead_letters(2)
    bulk = await started(desk)
    await desk.repair.discard(ids[0], **WHO)
    await desk.runner().run()
    first, second = await desk.store.items(bulk.bulk_id)
    assert (first.state, "restore it first" in first.outcome) == (ItemState.SKIPPED, True)
    assert second.state is ItemState.SENT


async def test_an_event_that_meets_a_defect_holds_nobody_up() -> None:
    desk, ids = await with_dead_letters(3)
    bulk = await started(desk)
    partition, row = keys.event_keys(ids[0])
    await desk.table("events202611").merge({"PartitionKey": partition, "RowKey": row, "acceptedTime": "nonsense"})
    await desk.runner().run()
    items = await desk.store.items(bulk.bulk_id)
    assert [it.state for it in items] == [ItemState.ERROR, ItemState.SENT, ItemState.SENT]
    assert items[0].outcome == "ValueError"


async def test_an_event_that_cannot_be_done_now_is_tried_five_times() -> None:
    """Its record is written by many at once, say; the others go on."""
    desk, ids = await with_dead_letters(3)
    bulk = await started(desk)
    retry = desk.repair.retry

    async def contended(event_id: str, **more: str) -> str:
        if event_id == ids[1]:
            raise Transient("busy", reason="record-contended")
        return await retry(event_id, **more)  # type: ignore[arg-type] # as the runner calls it

    desk.repair.retry = contended  # type: ignore[method-assign, assignment] # as a record that is contended
    await desk.runner().run()
    items: list[Item] = await desk.store.items(bulk.bulk_id)
    assert [it.state for it in items] == [ItemState.SENT, ItemState.ERROR, ItemState.SENT]
    assert (items[1].tries, items[1].outcome) == (5, "record-contended")


@pytest.mark.parametrize("away", ["broker", keys.RECORDS, "events202611", "audit202611", "bulks202611"])
async def test_while_broker_or_tables_are_away_nothing_is_given_up(away: str) -> None:
    desk, _ = await with_dead_letters(3)
    bulk = await started(desk)
    table = desk.table(away)
    desk.world.queue.full = table.away = True
    for _ in range(10):
        await desk.runner().run()
    desk.world.queue.full = table.away = False
    desk.world.clock.advance(90)
    await desk.runner().run()
    assert await states(desk, bulk) == [ItemState.SENT] * 3


async def test_progress_is_shown_between_two_batches_without_reading_all_events() -> None:
    """Ten thousand of them would be read two hundred times."""
    desk, _ = await with_dead_letters(120)
    bulk = await started(desk)
    await desk.runner(run_seconds=70.0).run()
    shown = await desk.bulks.read(bulk.bulk_id)
    assert (shown.sent, shown.pending) == (70, 50)
    queries = desk.table("bulks202611").calls.count("query")
    await desk.runner(run_seconds=70.0).run()
    shown = await desk.bulks.read(bulk.bulk_id)
    assert (shown.sent, shown.pending) == (120, 0)
    assert desk.table("bulks202611").calls.count("query") - queries < 20


async def test_what_a_runner_could_not_count_before_it_died_is_counted_in_the_end() -> None:
    desk, _ = await with_dead_letters(3)
    bulk = await started(desk)
    died = desk.runner()
    taken = await died._take(bulk.bulk_id)
    assert taken is not None
    (first, *_) = await desk.store.items(bulk.bulk_id)
    await desk.store.put(bulk.bulk_id, await died._do(taken, first))
    assert (await desk.bulks.read(bulk.bulk_id)).pending == 3
    desk.world.clock.advance(90)
    await desk.runner().run()
    shown = await desk.bulks.read(bulk.bulk_id)
    assert (shown.sent, shown.pending) == (3, 0)


async def test_one_runner_at_a_time_works_on_an_operation() -> None:
    """Until its lease lapses: it may have been killed."""
    desk, _ = await with_dead_letters(5)
    bulk = await started(desk)
    first, second = desk.runner(), desk.runner()
    assert await first._take(bulk.bulk_id) is not None
    await second.run()
    assert desk.world.queue.sent == []
    desk.world.clock.advance(90)
    await second.run()
    assert len(desk.world.queue.sent) == 5
    assert await first._take(bulk.bulk_id) is not None  # the second one is done, and has let it go


async def test_what_has_not_ended_after_an_hour_is_left_as_sent() -> None:
    desk, _ = await with_dead_letters(2)
    bulk = await started(desk)
    await desk.runner().run()
    desk.world.clock.advance(3_601)
    await desk.runner().run()
    finished = await desk.bulks.read(bulk.bulk_id)
    assert (finished.state, finished.sent) == (BulkState.FINISHED, 2)


@pytest.mark.parametrize(
    ("state", "action", "says"),
    [
        (BulkState.PLANNING, "start", "plan it anew"),
        (BulkState.RUNNING, "start", "pause it"),
        (BulkState.PLANNED, "pause", "start it"),
        (BulkState.PLANNED, "resume", "start it"),
        (BulkState.PAUSED, "pause", "resume it"),
        (BulkState.FINISHED, "cancel", "plan another"),
        (BulkState.CANCELLED, "resume", "was cancelled"),
    ],
)
async def test_other_states_are_refused_with_what_to_do(state: BulkState, action: str, says: str) -> None:
    desk, _ = await with_dead_letters(1)
    bulk = await planned(desk)
    entity = desk.table("bulks202611").entities["bulks", bulk.bulk_id]
    entity["state"] = state.value
    with pytest.raises(Rejected, match=says) as refused:
        await getattr(desk.bulks, action)(bulk.bulk_id, **WHO)
    assert refused.value.status == 409


@pytest.mark.parametrize("bulk_id", ["", "x", "202611202000-", "202611202000-abcd1234", "209913990000-a", "/x"])
async def test_an_unknown_one_is_404(bulk_id: str) -> None:
    with pytest.raises(Rejected) as refused:
        await Desk().bulks.read(bulk_id)
    assert refused.value.status == 404


async def test_operations_of_this_month_and_the_last_one_are_listed_newest_first() -> None:
    desk, _ = await with_dead_letters(1)
    first = await planned(desk)
    desk.world.clock.advance(timedelta(days=20).total_seconds())
    second = await planned(desk)
    assert [it.bulk_id for it in await desk.bulks.recent()] == [second.bulk_id, first.bulk_id]
    desk.world.clock.advance(timedelta(days=30).total_seconds())
    assert [it.bulk_id for it in await desk.bulks.recent()] == [second.bulk_id]


def test_calls_are_counted_by_the_system_that_an_effect_begins_with() -> None:
    effects = ["credit-score", "erp-order", "erp-customer", "own-thing"]
    assert calls_at_most(effects, ["erp", "credit", "dataverse"]) == {"dataverse": 2, "credit": 1, "erp": 2}
