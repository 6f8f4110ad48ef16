"""What is written, shown and sent where the ledger, the hub or the queue are away at the worst moment."""

import asyncio
import dataclasses
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from integration.dataverse import Row
from integration.errors import Fenced, Permanent, Stale, Transient
from integration.ledger import State
from integration.transport import RetryPolicy
from integration.worker import DeadLettered, Outcome, Work
from tests.builders import event
from tests.memory_table import World


@pytest.fixture
def world() -> World:
    return World.make()


def logged(caplog: pytest.LogCaptureFixture, what: str) -> list[dict[str, Any]]:
    found = [json.loads(record.getMessage()) for record in caplog.records if record.name.startswith("integration.")]
    return [it for it in found if it["what"] == what]


def overtaken(world: World, then: Callable[[], Awaitable[Outcome]]) -> Callable[[Work, Row], Awaitable[Outcome]]:
    """A handler's work during which another invocation takes the record over."""

    async def work_slowly(work: Work, _row: Row) -> Outcome:
        await work.record.write()
        other = await world.ledger.record(work.event.session_id)
        await other.write(lambda memory: setattr(memory, "acted_by", "another"))
        return await then()

    return work_slowly


async def completed() -> Outcome:
    return Outcome.completed("done", agrees=True)


async def refused() -> Outcome:
    raise Permanent("refused", reason="erp-rejected", service="erp")


async def busy() -> Outcome:
    raise Transient("busy", reason="erp-conflict", service="erp")


@pytest.mark.parametrize("then", [completed, refused, busy])
async def test_whoever_was_overtaken_leaves_no_trace(
    world: World, caplog: pytest.LogCaptureFixture, then: Callable[[], Awaitable[Outcome]]
) -> None:
    """Whatever came of its work: nothing is published, shown, scheduled or marked, and the message comes back."""
    it = world.event()
    world.handler.script = [overtaken(world, then)]
    with pytest.raises(Fenced, match=it.event_id):
        await world.handle(it)

    assert world.ledger.memory(it.session_id).acted_by == "another"
    assert it.event_id not in world.ledger.memory(it.session_id).recent
    assert (world.hub.published, world.queue.scheduled, world.handler.marked) == ([], [], [])
    assert await world.status(it) is State.PROCESSING
    assert len(logged(caplog, "fenced")) == 1


async def test_an_event_that_had_ended_and_is_overtaken_says_nothing_either(world: World) -> None:
    it = world.event()
    await world.handle(it)
    published = len(world.hub.published)
    world.put_row(str(it.record_id), "b", 2)

    async def act() -> Outcome:
        return Outcome.completed("done")

    slow = overtaken(world, act)

    async def and_act(work: Work, row: Row) -> Outcome:
        work.trace.drove = True
        return await slow(work, row)

    world.handler.script = [and_act]
    with pytest.raises(Fenced):
        await world.handle(it)
    assert len(world.hub.published) == published


async def test_a_dead_letter_whose_reason_cannot_be_written_down_is_tried_again(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """A dead letter without its reason would help nobody: a copy finds out again, after the longest delay."""
    it = world.event()

    async def refused_while_the_ledger_goes_away(_work: Work, _row: Row) -> Outcome:
        world.ledger.records.away = True
        raise Permanent("refused", reason="erp-rejected")

    world.handler.script = [refused_while_the_ledger_goes_away]
    await world.handle(it)

    ((copy, due),) = world.queue.scheduled
    assert (copy.event_id, copy.attempt) == (it.event_id, 2)
    assert due == world.clock.time + world.worker._copies.policy.cap
    assert world.handler.marked == []
    assert [it["reason"] for it in logged(caplog, "dead-letter-not-written")] == ["erp-rejected"]
    assert len(logged(caplog, "ledger-behind")) == 1
    world.ledger.records.away = False
    world.handler.script = [Permanent("refused", reason="erp-rejected")]
    with pytest.raises(DeadLettered):
        await world.handle(copy)


async def test_an_attempt_that_failed_while_the_ledger_is_away_is_tried_again_all_the_same(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """The copy says enough."""
    it = world.event()

    async def busy_while_the_ledger_goes_away(_work: Work, _row: Row) -> Outcome:
        world.ledger.records.away = True
        raise Transient("busy", reason="erp-conflict")

    world.handler.script = [busy_while_the_ledger_goes_away]
    await world.handle(it)
    assert len(world.queue.scheduled) == 1
    assert len(logged(caplog, "ledger-behind")) == 1
    assert [it["due"] for it in logged(caplog, "retry-scheduled")] == [world.queue.scheduled[0][1].isoformat()]


async def test_an_end_that_cannot_be_written_down_is_logged(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """And not published: a copy does both."""
    it = world.event()

    async def done_while_the_ledger_goes_away(_work: Work, _row: Row) -> Outcome:
        world.ledger.records.away = True
        return Outcome.completed("done")

    world.handler.script = [done_while_the_ledger_goes_away]
    await world.handle(it)
    assert world.hub.published == []
    assert len(world.queue.scheduled) == 1
    assert len(logged(caplog, "retry-scheduled")) == 1


async def test_a_dead_letter_is_logged_as_an_error_with_its_reason(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """An alert looks for it."""
    it = world.event()
    world.handler.script = [Permanent("refused", reason="erp-rejected")]
    with pytest.raises(DeadLettered):
        await world.handle(it)
    with pytest.raises(DeadLettered):
        await world.worker.handle(b"{}")

    found = logged(caplog, "dead-lettered")
    assert [entry["reason"] for entry in found] == ["erp-rejected", "unreadable"]
    assert found[0]["eventId"] == it.event_id
    assert {record.levelname for record in caplog.records if '"dead-lettered"' in record.getMessage()} == {"ERROR"}


async def test_an_unreadable_message_is_shown_with_what_is_wrong_with_it(world: World) -> None:
    """Under the same name each time, so that its deliveries are one entry."""
    for _ in range(2):
        with pytest.raises(DeadLettered):
            await world.worker.handle(b"{}")
    with pytest.raises(DeadLettered):
        await world.worker.handle(b"[]")
    await world.ledger.close()

    shown = world.ledger.table("events000000").entities.values()
    assert len(shown) == 2
    assert all(row["detail"] for row in shown)
    names = ("table", "message", "recordId", "organisation")
    assert {tuple(row[name] for name in names) for row in shown} == {("", "", "", "")}
    assert len(world.ledger.table("problems").entities) == 2


async def test_a_dead_letter_shows_which_system_refused_and_what_was_done_before(world: World) -> None:
    it = world.event()

    async def half(work: Work, _row: Row) -> Outcome:
        work.done("score", "80")
        raise Permanent("the ERP refuses it", reason="erp-rejected", service="erp")

    world.handler.script = [half]
    with pytest.raises(DeadLettered):
        await world.handle(it)
    await world.ledger.close()
    status = await world.ledger.read(it.event_id)
    assert status is not None
    assert (status.reason, status.detail, status.system) == ("erp-rejected", "the ERP refuses it", "erp")
    assert [(step.name, step.detail) for step in status.steps] == [("score", "80")]


async def test_an_event_that_waits_shows_its_next_attempt_and_what_was_done(world: World) -> None:
    it = world.event()

    async def half(work: Work, _row: Row) -> Outcome:
        work.done("score", "80")
        raise Transient("busy", reason="erp-conflict", service="erp")

    world.handler.script = [half]
    await world.handle(it)
    await world.ledger.close()
    status = await world.ledger.read(it.event_id)
    assert status is not None
    assert status.next_attempt == world.queue.scheduled[0][1]
    assert [step.name for step in status.steps] == ["score"]


async def test_a_system_that_was_set_back_is_shown_as_a_problem(world: World) -> None:
    """The event itself has ended well."""
    it = world.event()

    async def notice(work: Work, _row: Row) -> Outcome:
        work.compare_versions("erp", remembered=5, replaced=None)
        return Outcome.completed("done")

    world.handler.script = [notice]
    await world.handle(it)
    assert await world.status(it) is State.COMPLETED
    (problem,) = world.ledger.table("problems").entities.values()
    assert str(problem["PartitionKey"]).startswith("system-behind")


async def test_a_repeated_event_makes_up_for_the_one_that_it_repeats(world: World) -> None:
    """Of whichever record: its status says by what it was resolved."""
    first = world.event()
    world.handler.script = [Permanent("refused")]
    with pytest.raises(DeadLettered):
        await world.handle(first)
    again = world.event(replay_of=first.event_id)
    await world.handle(again)
    await world.ledger.close()

    status = await world.ledger.read(first.event_id)
    assert status is not None
    assert (status.state, status.resolved_by) == (State.RESOLVED, again.event_id)
    assert world.ledger.table("problems").entities == {}


async def test_what_does_not_agree_with_the_row_makes_up_for_nothing(world: World) -> None:
    first = world.event()
    world.handler.script = [Permanent("refused")]
    with pytest.raises(DeadLettered):
        await world.handle(first)
    world.handler.script = [_put_off]
    await world.handle(dataclasses.replace(event(), record_id=first.record_id))

    assert await world.status(first) is State.DEAD_LETTERED


async def _put_off(_work: Work, _row: Row) -> Outcome:
    await asyncio.sleep(0)
    return Outcome.completed("on hold", agrees=False)


async def test_a_record_remembers_that_its_row_was_deleted_until_it_is_there_again(world: World) -> None:
    """With the month, for the retention."""
    it = event()
    await world.handle(it)
    assert world.ledger.memory(it.session_id).deleted == "202611"
    world.put_row(str(it.record_id), "a", 1)
    await world.handle(dataclasses.replace(event(), record_id=it.record_id))
    assert world.ledger.memory(it.session_id).deleted == ""


async def test_a_row_without_a_version_is_a_dead_letter_that_says_so(world: World) -> None:
    """Order could not be kept."""
    it = event()
    world.rows.rows[str(it.record_id)] = Row("opportunities", str(it.record_id), {"name": "a"})
    with pytest.raises(DeadLettered):
        await world.handle(it)
    assert world.ledger.memory(it.session_id).dead_letters[it.event_id].reason == "row-without-version"


async def test_a_system_that_is_ahead_of_its_row_is_named(world: World) -> None:
    """Where people look for what a system has refused."""
    it = world.event()
    world.handler.script = [Stale("newer there", service="erp")]
    with pytest.raises(DeadLettered):
        await world.handle(it)
    await world.ledger.close()
    status = await world.ledger.read(it.event_id)
    assert status is not None
    assert (status.reason, status.system) == ("erp-ahead", "erp")


async def test_who_was_away_until_an_event_was_given_up_is_named() -> None:
    """Support asks the people of that system."""
    world = World.make(RetryPolicy(min_attempts=2, max_age=timedelta(minutes=1)))
    it = world.event(attempt=5, first_failed_at=world.clock.now() - timedelta(hours=1))
    world.handler.script = [Transient("busy", reason="erp-conflict", service="erp")]
    with pytest.raises(DeadLettered):
        await world.handle(it)
    await world.ledger.close()
    status = await world.ledger.read(it.event_id)
    assert status is not None
    assert (status.reason, status.system) == ("retries-exhausted", "erp")


async def test_an_event_that_waited_before_it_was_given_up_is_one_problem(world: World) -> None:
    """The list of what waits is what somebody goes through: what is over is not on it."""
    it = world.event()
    world.handler.script = [Transient("busy", reason="erp-conflict"), Permanent("refused", reason="erp-rejected")]
    await world.handle(it)
    ((copy, _),) = world.queue.scheduled
    with pytest.raises(DeadLettered):
        await world.handle(copy)
    await world.ledger.close()

    (problem,) = world.ledger.table("problems").entities.values()
    assert str(problem["PartitionKey"]).startswith("dead-lettered")


async def test_an_event_that_waited_leaves_the_list_of_problems_although_its_record_does_not_know_that_it_did(
    world: World,
) -> None:
    """The record could not be written when the copy was scheduled: that it is a copy says enough."""
    it = world.event()
    world.handler.script = [Transient("busy", reason="erp-conflict")]
    await world.handle(it)
    ((copy, _),) = world.queue.scheduled
    await world.ledger.close()
    assert len(world.ledger.table("problems").entities) == 1
    await (await world.ledger.record(it.session_id)).write(lambda memory: setattr(memory, "waiting", ""))
    await world.handle(copy)
    assert copy.attempt == 2
    await world.ledger.close()
    assert world.ledger.table("problems").entities == {}
