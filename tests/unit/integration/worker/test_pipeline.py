"""The worker over tables in memory: what is called, written, published and scheduled for each event."""

import asyncio
import dataclasses
import json
from datetime import timedelta

import pytest

from integration.dataverse import Row
from integration.errors import Conflict, Fenced, NotFound, Outage, Stale, Transient
from integration.ledger import State, keys
from integration.transport import RetryPolicy
from integration.worker import DeadLettered, Outcome, Work
from tests.builders import event
from tests.memory_table import World


@pytest.fixture
def world() -> World:
    return World.make()


async def test_one_effect_costs_four_calls_of_the_tables_and_a_duplicate_one(world: World) -> None:
    """One read; the start; the end; and the row for people."""
    it = world.event()
    await world.handle(it)
    assert world.ledger.records.calls == ["get", "insert", "replace"]
    assert await world.status(it) is State.COMPLETED
    assert world.ledger.table("events202611").calls == ["merge", "get"]
    world.ledger.records.calls.clear()
    await world.handle(it)
    assert world.ledger.records.calls == ["get"]
    assert len(world.handler.keys) == 1


@pytest.mark.parametrize("message", ["Update", "Merge"])
async def test_an_event_that_ran_is_found_whether_the_intake_could_write_it_down_or_not(
    world: World, message: str
) -> None:
    """The intake may have died with what it was to write, whether anything handles the event or nothing does."""
    it = world.event(message=message)
    await world.handle(it)
    await world.ledger.close()
    assert {keys.correlation_keys(it.correlation_id, it.event_id), keys.time_keys(it.event_id)} == set(
        world.ledger.table("index202611").entities
    )
    assert await world.ledger.read(it.event_id) is not None


async def test_what_was_done_is_remembered_and_published_without_what_is_not_declared(world: World) -> None:
    it = world.event()
    await world.handle(it)
    memory = world.ledger.memory(it.session_id)
    assert memory.effect("order").done == "a"
    assert (memory.acted_by, memory.row_version) == (it.event_id, 1)
    (published,) = map(json.loads, world.hub.published)
    assert published["data"]["state"] == "completed"
    assert published["data"]["effects"] == {"order": {"number": "N-1"}}


async def test_a_later_event_that_finds_nothing_to_do_is_superseded(world: World) -> None:
    it = world.event()
    await world.handle(it)
    late = dataclasses.replace(event(), record_id=it.record_id)
    await world.handle(late)
    assert await world.status(late) is State.SUPERSEDED
    assert len(world.handler.keys) == 1


async def test_a_settled_event_that_comes_again_brings_the_record_further_and_keeps_its_state(world: World) -> None:
    """The row has moved on and its own event was lost on the way: state counts, not deltas."""
    it = world.event()
    await world.handle(it)
    assert it.record_id is not None
    world.put_row(it.record_id, "b", 2)
    await world.handle(it)
    assert world.ledger.memory(it.session_id).effect("order").done == "b"
    assert await world.status(it) is State.COMPLETED


async def test_the_key_of_an_attempt_is_the_same_whoever_repeats_it(world: World) -> None:
    """The answer to one event was lost; another event asks the same: it is done once under one key."""
    it = world.event()

    async def lose(_key: str) -> dict[str, str]:
        world.handler.keys.append(_key)
        raise Outage("the answer was lost")

    async def order(work: Work, row: Row) -> Outcome:
        await work.effects.once("order", str(row.values["name"]), lose)
        return Outcome.completed("not reached")

    world.handler.script = [order]
    await world.handle(it)
    other = dataclasses.replace(event(), record_id=it.record_id)
    await world.handle(other)
    assert len(world.handler.keys) == 2
    assert len(set(world.handler.keys)) == 1


async def test_going_back_to_an_earlier_state_is_done_again_under_another_key(world: World) -> None:
    it = world.event()
    for name in ("a", "b", "a"):
        assert it.record_id is not None
        world.put_row(it.record_id, name)
        await world.handle(dataclasses.replace(event(), record_id=it.record_id))
    assert len(set(world.handler.keys)) == 3


async def test_a_forced_event_does_everything_again_once(world: World) -> None:
    it = world.event()
    await world.handle(it)
    forced = dataclasses.replace(event(), record_id=it.record_id, forced=True)
    await world.handle(forced)
    await world.handle(forced)
    assert len(world.handler.keys) == 2


async def test_a_charged_answer_is_written_before_anything_else(world: World) -> None:
    world.handler.charged = True
    it = world.event()
    await world.handle(it)
    assert world.ledger.records.calls == ["get", "insert", "replace", "replace"]


async def test_an_event_that_nobody_handles_costs_no_record(world: World) -> None:
    it = dataclasses.replace(event(), table="lead")
    await world.handle(it)
    assert world.ledger.records.calls == []
    assert await world.status(it) is State.NO_HANDLER
    assert len(world.hub.published) == 1


async def test_an_ignored_message_ends_without_reading_the_row(world: World) -> None:
    it = world.event(message="Assign")
    await world.handle(it)
    assert world.rows.reads == 0
    assert await world.status(it) is State.COMPLETED


async def test_a_row_that_does_not_exist_any_more_supersedes_its_events(world: World) -> None:
    it = event()
    await world.handle(it)
    assert await world.status(it) is State.SUPERSEDED
    assert world.ledger.memory(it.session_id).deleted


async def test_a_deletion_is_handled_where_the_row_is_not_there_and_follows_the_row_where_it_is(world: World) -> None:
    gone = dataclasses.replace(event(), message="Delete")
    await world.handle(gone)
    assert await world.status(gone) is State.COMPLETED
    restored = world.event(message="Delete")
    await world.handle(restored)
    assert world.ledger.memory(restored.session_id).effect("order").done == "a"


async def test_a_row_that_changes_meanwhile_is_read_again(world: World) -> None:
    it = world.event()
    world.handler.script = [Conflict("changed"), Conflict("changed")]
    await world.handle(it)
    assert world.rows.reads == 3
    assert await world.status(it) is State.COMPLETED


async def test_a_row_that_never_holds_still_is_tried_later(world: World) -> None:
    it = world.event()
    world.handler.script = [Conflict("changed")] * 9
    await world.handle(it)
    assert await world.status(it) is State.WAITING
    assert world.queue.scheduled[0][0].first_failed_at == world.clock.now()


async def test_another_row_that_is_missing_is_not_taken_for_this_one(world: World) -> None:
    """The customer of an order was deleted: that is a dead letter of the order, not the end of its row."""
    it = world.event()
    world.handler.script = [NotFound("no customer", reason="dataverse-not-found", service="dataverse", record_id="x")]
    with pytest.raises(DeadLettered):
        await world.handle(it)
    assert await world.status(it) is State.DEAD_LETTERED


async def test_a_system_that_is_ahead_of_a_row_that_stands_still_is_reported(world: World) -> None:
    """Dataverse was restored from an older copy: nothing is said to be synced."""
    it = world.event()
    world.handler.script = [Stale("newer there", service="erp")]
    with pytest.raises(DeadLettered):
        await world.handle(it)
    assert world.ledger.memory(it.session_id).dead_letters[it.event_id].reason == "erp-ahead"


async def test_a_system_that_is_ahead_because_the_row_moved_on_is_followed(world: World) -> None:
    it = world.event()

    async def stale_once(_work: Work, _row: Row) -> Outcome:
        world.put_row(str(it.record_id), "b", 2)
        raise Stale("newer there", service="erp")

    world.handler.script = [stale_once]
    await world.handle(it)
    assert world.ledger.memory(it.session_id).effect("order").done == "b"


async def test_a_failed_attempt_waits_in_a_copy_and_says_why(world: World) -> None:
    it = world.event()
    world.handler.script = [Transient("busy", reason="erp-conflict", service="erp")]
    await world.handle(it)
    ((copy, due),) = world.queue.scheduled
    assert (copy.event_id, copy.attempt) == (it.event_id, 2)
    assert due > world.clock.now()
    await world.ledger.close()
    status = await world.ledger.read(it.event_id)
    assert status is not None
    assert (status.state, status.reason, status.system) == (State.WAITING, "erp-conflict", "erp")
    assert [entry["attempt"] for entry in status.history] == [1]
    assert len(world.ledger.table("problems").entities) == 1
    await world.handle(copy)
    assert await world.status(it) is State.COMPLETED
    assert world.ledger.table("problems").entities == {}


async def test_a_hub_that_is_away_costs_no_second_look_at_the_row(world: World) -> None:
    """Settle, then publish: a copy carries the document, and nothing else is done for it."""
    world.hub.away = True
    it = world.event()
    await world.handle(it)
    reads = world.rows.reads
    ((copy, _),) = world.queue.scheduled
    assert copy.settled is not None
    await world.ledger.close()
    status = await world.ledger.read(it.event_id)
    assert status is not None
    assert (status.state, status.published_time) == (State.COMPLETED, None)
    world.hub.away = False
    world.clock.advance(11)
    await world.handle(copy)
    assert world.rows.reads == reads
    assert len(world.hub.published) == 1
    await world.ledger.close()
    status = await world.ledger.read(it.event_id)
    assert status is not None
    assert status.published_time is not None


async def test_a_ledger_that_is_away_schedules_a_copy_and_touches_nothing(world: World) -> None:
    world.ledger.records.away = True
    it = world.event()
    await world.handle(it)
    assert (world.rows.reads, world.handler.keys) == (0, [])
    assert len(world.queue.scheduled) == 1


async def test_what_cannot_be_written_down_at_its_end_is_repeated_under_its_key(world: World) -> None:
    it = world.event()

    async def then_away(key: str) -> dict[str, str]:
        world.handler.keys.append(key)
        world.ledger.records.away = True
        return {"number": "N-1"}

    async def order(work: Work, row: Row) -> Outcome:
        await work.effects.once("order", str(row.values["name"]), then_away)
        return Outcome.completed("ordered")

    world.handler.script = [order]
    await world.handle(it)
    world.ledger.records.away = False
    ((copy, _),) = world.queue.scheduled
    await world.handle(copy)
    assert len(set(world.handler.keys)) == 1
    assert await world.status(it) is State.COMPLETED


async def test_an_invocation_that_lost_its_session_ends_without_a_trace(world: World) -> None:
    """Frozen in its effect, while another invocation has taken the record over."""
    it = world.event()
    frozen, go_on = asyncio.Event(), asyncio.Event()

    async def freeze(work: Work, _row: Row) -> Outcome:
        await work.record.write()
        frozen.set()
        await go_on.wait()
        raise Transient("the ERP did not answer")

    world.handler.script = [freeze]
    zombie = asyncio.create_task(world.handle(it))
    await frozen.wait()
    await world.handle(it)
    go_on.set()
    with pytest.raises(Fenced):
        await zombie
    assert world.queue.scheduled == []
    assert await world.status(it) is State.COMPLETED


@pytest.fixture
def pauses(world: World, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What a copy was held for while the queue takes none; no test waits for it."""
    found = []

    async def pause(seconds: float) -> None:
        found.append(seconds)
        world.clock.advance(seconds)

    monkeypatch.setattr("integration.worker.copies.asyncio.sleep", pause)
    return found


async def test_a_queue_that_is_full_holds_the_message_then_gives_it_back(world: World, pauses: list[float]) -> None:
    """Raising at once would use up the message's deliveries within seconds."""
    world.queue.full = True
    it = world.event()
    world.handler.script = [Transient("busy")]
    with pytest.raises(Transient, match="takes no copy"):
        await world.handle(it)
    assert 60 < sum(pauses) <= 100


async def test_a_burst_of_changes_of_one_record_becomes_few_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred updates while the worker is at it: the record is written at most three times."""
    world = World.make(pace=2.0)
    it = world.event("0")

    async def pause(seconds: float) -> None:
        world.clock.advance(seconds)
        world.put_row(str(it.record_id), "100", 100)  # people go on while it waits

    monkeypatch.setattr("integration.worker.pipeline.asyncio.sleep", pause)
    for number in range(100):
        world.put_row(str(it.record_id), str(max(number, int(world.rows.rows[str(it.record_id)].values["name"]))))
        await world.handle(dataclasses.replace(event(), record_id=it.record_id))
    assert len(world.handler.keys) <= 3
    assert world.ledger.memory(it.session_id).effect("order").done == "100"


async def test_giving_up_says_how_often_and_how_long(world: World) -> None:
    world = World.make(RetryPolicy(min_attempts=2, max_age=timedelta(minutes=1)))
    it = world.event(attempt=5, first_failed_at=world.clock.now() - timedelta(hours=1))
    world.handler.script = [Transient("busy", reason="erp-conflict")]
    with pytest.raises(DeadLettered, match="retries-exhausted"):
        await world.handle(it)
    assert "5 attempts in 1:00:00" in world.ledger.memory(it.session_id).dead_letters[it.event_id].detail


def waiting(world: World) -> list[str]:
    """The events that the list of problems has as waiting."""
    rows = world.ledger.table("problems").entities
    return [row for partition, row in rows if partition.startswith("waiting")]


@pytest.mark.usefixtures("pauses")
async def test_a_wait_whose_copy_the_queue_refused_is_over_when_its_message_has_settled(world: World) -> None:
    """The message comes back as the attempt that it was, and is not listed as waiting for ever."""
    it = world.event()
    world.handler.script = [Transient("away", reason="erp-unavailable")]
    world.queue.full = True
    with pytest.raises(Transient):
        await world.handle(it)
    await world.ledger.close()
    assert waiting(world) == [it.event_id]
    world.queue.full = False
    await world.handle(it)
    await world.ledger.close()
    assert waiting(world) == []


async def test_a_wait_is_over_also_where_whoever_ended_it_died_before_saying_so(world: World) -> None:
    """The record says that the event has ended; its next delivery takes it from the list of problems."""
    it = world.event()
    world.handler.script = [Transient("away", reason="erp-unavailable")]
    await world.handle(it)
    [(copy, _)] = world.queue.scheduled
    await world.ledger.close()
    problems = dict(world.ledger.table("problems").entities)
    await world.handle(copy)
    await world.ledger.close()
    world.ledger.table("problems").entities = problems
    successor = World.make()
    successor.ledger._tables, successor.rows.rows = world.ledger._tables, world.rows.rows
    await successor.handle(copy)
    await successor.ledger.close()
    assert waiting(successor) == []


async def test_who_cannot_read_the_record_does_not_say_that_its_event_waits(world: World) -> None:
    """It may have ended: its copy finds out, and what people see stays as it is."""
    it = world.event()
    await world.handle(it)
    world.ledger.records.away = True
    await world.handle(it)
    world.ledger.records.away = False
    [(copy, _)] = world.queue.scheduled
    await world.ledger.close()
    assert waiting(world) == []
    await world.handle(copy)
    assert await world.status(it) is State.COMPLETED
    assert len(world.hub.published) == 1


async def test_an_event_that_two_have_worked_on_ends_as_the_first_of_them_says(world: World) -> None:
    """Analytics hears of one end."""
    it = world.event()

    async def ended_meanwhile(_work: Work, _row: Row) -> Outcome:
        other = await world.ledger.record(it.session_id, guest=True)
        await other.write(lambda memory: memory.end(it.event_id, State.COMPLETED))
        return Outcome.superseded("nothing to do")

    world.handler.script = [ended_meanwhile]
    await world.handle(it)
    assert world.ledger.memory(it.session_id).recent[it.event_id] is State.COMPLETED
    assert world.hub.published == []


async def test_a_pulled_event_of_a_version_that_was_seen_costs_one_look_at_the_ledger(world: World) -> None:
    """Whether something had to be done for that version or not; a newer one is worked on as ever."""
    it = world.event()
    await world.handle(it)
    assert world.ledger.memory(it.session_id).seen == 1
    reads, keys_before = world.rows.reads, list(world.handler.keys)

    pulled = world.event(record_id=it.record_id, cause="pulled", row_version=1)
    await world.handle(pulled)
    assert await world.status(pulled) is State.SUPERSEDED
    assert (world.rows.reads, world.handler.keys) == (reads, keys_before)

    newer = world.event(record_id=it.record_id, cause="pulled", row_version=2)
    await world.handle(newer)
    assert world.rows.reads == reads + 1


async def test_a_deletion_that_was_brought_already_is_not_brought_again(world: World) -> None:
    """And the version that was seen before it counts for nothing once the row is there again."""
    it = world.event()
    await world.handle(it)
    deletion = world.event(record_id=it.record_id, message="Delete")
    world.rows.rows.clear()
    await world.handle(deletion)
    assert (world.ledger.memory(it.session_id).seen, world.ledger.memory(it.session_id).deleted) == (0, "202611")
    reads = world.rows.reads

    pulled = world.event(record_id=it.record_id, message="Delete", cause="pulled")
    await world.handle(pulled)
    assert await world.status(pulled) is State.SUPERSEDED
    assert world.rows.reads == reads


async def test_whoever_forgets_an_effect_forgets_the_version_that_was_seen(world: World) -> None:
    """What other systems do not know any more is brought again, though the row has not changed."""
    it = world.event()
    await world.handle(it)
    await (await world.ledger.record(it.session_id)).write(lambda memory: memory.forget("order"))

    pulled = world.event(record_id=it.record_id, cause="pulled", row_version=1)
    await world.handle(pulled)
    assert await world.status(pulled) is State.COMPLETED
