"""What an event carries and its message cannot hold: kept before it is sent, given back, removed with the event."""

import asyncio
import dataclasses
from concurrent.futures import Future
from typing import Any

import pytest

from integration.claim_check import erase
from integration.dataverse import Row
from integration.errors import Permanent, Rejected, Transient, Unavailable
from integration.events import IntegrationEvent, to_envelope
from integration.ledger import State
from integration.operations.dead_letters import DeadLetterReader
from integration.operations.edit import Edit
from integration.worker import DeadLettered, Outcome, Work
from tests.builders import event as new_event
from tests.memory_table import World
from tests.unit.integration.intake.support import UnderTest
from tests.unit.integration.operations.parts import WHO, Desk

LARGE = "x" * 300_000


def large(**changes: Any) -> IntegrationEvent:
    """An event whose parameters are larger than a message may be."""
    return dataclasses.replace(new_event(), parameters={"Text": LARGE, "Number": 7}, **changes)


async def sent(world: World, event: IntegrationEvent) -> IntegrationEvent:
    """The event as its message has it."""
    world.put_row(str(event.record_id), "one")
    fitted, envelope = await world.claim_check.fitted(event)
    assert len(envelope) < 10_000
    assert len(world.contents.blobs) == 1
    return fitted


async def queued(intake: UnderTest, event: IntegrationEvent) -> None:
    """The intake takes the event in."""
    await intake.taking_in.queue(event, "caller", "webhook", 0.0)


async def test_the_handler_has_all_that_the_event_carries_and_it_is_removed_with_its_end() -> None:
    """Who works on the event knows nothing of claims."""
    world, seen = World.make(), []

    async def look(work: Work, _row: Row) -> Outcome:
        seen.append(work.event)
        return Outcome.completed("done")

    world.handler.script.append(look)
    event = large()

    await world.handle(await sent(world, event))

    assert seen == [event]
    assert await world.status(event) is State.COMPLETED
    assert world.contents.blobs == {}


async def test_it_is_kept_while_the_event_waits_and_its_copies_stay_small() -> None:
    """Each attempt reads it again."""
    world = World.make()
    world.handler.script.append(Transient("away", reason="erp-unavailable", service="erp"))
    event = large()

    await world.handle(await sent(world, event))

    [(copy, _due)] = world.queue.scheduled
    assert len(to_envelope(copy)) < 10_000
    assert len(world.contents.blobs) == 1
    await world.handle(copy)
    assert await world.status(event) is State.COMPLETED
    assert world.contents.blobs == {}


@pytest.mark.parametrize("reason", ["contents-missing", "contents-changed"])
async def test_contents_that_are_lost_are_a_reason_of_their_own(reason: str) -> None:
    """Nothing is done on half of an event."""
    world = World.make()
    event = large()
    fitted = await sent(world, event)
    for name in [*world.contents.blobs]:
        world.contents.blobs = {name: b"{}"} if reason == "contents-changed" else {}

    with pytest.raises(DeadLettered, match=reason):
        await world.handle(fitted)

    assert world.handler.keys == []


async def test_a_delivery_that_comes_after_the_end_is_a_duplicate_and_no_failure() -> None:
    """The first one took the contents with it."""
    world = World.make()
    event = large()
    fitted = await sent(world, event)
    await world.handle(fitted)

    await world.handle(fitted)

    assert await world.status(event) is State.COMPLETED
    assert world.queue.scheduled == []


async def test_events_wait_for_a_storage_that_is_away_and_do_not_age() -> None:
    """No event is to blame for it."""
    world = World.make()
    fitted = await sent(world, large())
    world.contents.away = True

    await world.handle(fitted)

    [(copy, _due)] = world.queue.scheduled
    assert copy.first_failed_at is None
    world.contents.away = False
    await world.handle(copy)
    assert await world.status(copy) is State.COMPLETED


async def test_what_cannot_be_removed_fails_nothing() -> None:
    """The sweep removes it."""
    world = World.make()
    fitted = await sent(world, large())

    async def then_away(_work: Work, _row: Row) -> Outcome:
        world.contents.away = True
        return Outcome.completed("done")

    world.handler.script.append(then_away)
    await world.handle(fitted)

    assert await world.status(fitted) is State.COMPLETED
    assert len(world.contents.blobs) == 1


async def test_an_end_that_cannot_be_written_down_keeps_the_contents() -> None:
    """A copy ends the event, and needs what it carries."""
    world = World.make()
    fitted = await sent(world, large())

    async def then_away(_work: Work, _row: Row) -> Outcome:
        world.ledger.records.away = True
        return Outcome.completed("done")

    world.handler.script.append(then_away)
    await world.handle(fitted)
    world.ledger.records.away = False

    assert len(world.contents.blobs) == 1
    [(copy, _due)] = world.queue.scheduled
    await world.handle(copy)
    assert world.contents.blobs == {}


async def test_a_copy_that_only_publishes_is_small_and_carries_nothing() -> None:
    """Analytics are away; what the event carried is not needed any more, and does not lie in the queue meanwhile."""
    world = World.make()
    world.hub.away = True
    columns = tuple(f"column_{number}" for number in range(2_000))
    event = world.event(changed_columns=columns, parameters={"Text": "x" * 150_000})

    await world.handle(event)

    [(copy, _due)] = world.queue.scheduled
    assert copy.settled is not None
    assert (copy.parameters, copy.changed_columns, copy.claim) == ({}, None, None)
    assert len(to_envelope(copy)) < 100_000
    world.hub.away = False
    world.clock.advance(600)
    await world.handle(copy)
    assert len(world.hub.published) == 1


async def test_the_intake_keeps_it_before_it_sends_the_message() -> None:
    """However the process dies between the two, no message names what is not there."""
    intake = UnderTest()
    kept_at_sending: list[int] = []
    send = intake.queue.send

    def note(event: IntegrationEvent, envelope: bytes) -> "Future[None]":
        kept_at_sending.append(len(intake.contents.blobs))
        return send(event, envelope)

    intake.queue.send = note  # type: ignore[method-assign] # to look at what is there when a message is sent

    event = large()
    await queued(intake, event)
    await queued(intake, event)

    assert kept_at_sending == [1, 1]
    assert [event.claim is not None and event.parameters == {} for event in intake.queue.events] == [True, True]


async def test_the_intake_takes_in_nothing_that_it_cannot_keep() -> None:
    """503: whoever sends it has it still."""
    intake = UnderTest()
    intake.contents.away = True

    with pytest.raises(Unavailable):
        await queued(intake, large())

    assert intake.queue.envelopes == []
    await queued(intake, new_event())
    assert len(intake.queue.envelopes) == 1


def dead_lettered() -> Desk:
    return Desk(declared=frozenset({"Text", "Number"}))


async def buried(desk: Desk) -> IntegrationEvent:
    """A large event that the worker has dead-lettered."""
    event = large()
    fitted = await sent(desk.world, event)
    desk.world.handler.script.append(Permanent("refused", reason="erp-rejected", service="erp"))
    await desk.world.ledger.accept(fitted, urgent=True)
    with pytest.raises(DeadLettered):
        await desk.world.handle(fitted)
    desk.letters.put(to_envelope(fitted))
    await desk.world.ledger.close()
    return event


async def reader_runs(desk: Desk) -> None:
    world = desk.world
    await DeadLetterReader(desk.letters, world.ledger, desk.claim_check, world.clock).look()


async def test_a_dead_lettered_event_is_sent_again_whole() -> None:
    """The new event has contents of its own; those of the old one go with its message."""
    desk = dead_lettered()
    event = await buried(desk)

    again_id = await desk.repair.retry(event.event_id, **WHO)

    assert len(desk.world.contents.blobs) == 2
    [again] = desk.world.queue.sent
    whole = await desk.claim_check.redeemed(again)
    assert (again.event_id, whole.parameters) == (again_id, event.parameters)
    await desk.work()
    await reader_runs(desk)
    assert desk.letters.messages == []
    assert desk.world.contents.blobs == {}


async def test_a_dead_lettered_event_is_edited_like_any_other() -> None:
    """Whoever may see what it carries sees it, and changes it."""
    desk = dead_lettered()
    event = await buried(desk)

    carrying = await desk.edit.carrying(event.event_id)
    await desk.edit.retry(event.event_id, Edit({}, {"Number": 8}), **WHO)

    assert carrying.parameters == {"Text": LARGE, "Number": 7}
    [again] = desk.world.queue.sent
    assert (await desk.claim_check.redeemed(again)).parameters == {"Text": LARGE, "Number": 8}


async def test_a_discarded_event_takes_its_contents_with_it() -> None:
    desk = dead_lettered()
    event = await buried(desk)

    await reader_runs(desk)
    assert len(desk.world.contents.blobs) == 1
    await desk.repair.discard(event.event_id, **WHO)
    await reader_runs(desk)

    assert desk.world.contents.blobs == {}


async def test_an_event_whose_contents_are_lost_says_what_to_do() -> None:
    desk = dead_lettered()
    event = await buried(desk)
    desk.world.contents.blobs.clear()

    with pytest.raises(Rejected, match="have it sent anew") as refused:
        await desk.repair.retry(event.event_id, **WHO)

    assert refused.value.status == 409


async def test_what_is_kept_for_a_record_is_erased_with_it() -> None:
    """Whatever the ledger still knows of its events."""
    world = World.make()
    ours = large()
    other = dataclasses.replace(ours, event_id=ours.event_id[:-1] + "0", record_id="0" * 8)
    for event in (ours, other):
        await world.claim_check.fitted(event)

    assert await erase(world.contents, ours.session_id) == 1

    assert await world.claim_check.redeemed((await world.claim_check.fitted(other))[0]) == other


def test_a_sender_has_its_answer_within_the_deadline_though_blob_storage_hangs() -> None:
    """503 in time, as where the queue hangs: Dataverse waits a minute, and others less."""
    intake = UnderTest(INTAKE_DEADLINE_SECONDS="1")
    released = asyncio.Event()

    async def run() -> None:
        async def hang(event: IntegrationEvent) -> tuple[IntegrationEvent, bytes]:
            await released.wait()
            return event, b""

        intake.taking_in._claim_check.fitted = hang  # type: ignore[method-assign] # a call that does not return
        with pytest.raises(Unavailable):
            await queued(intake, large())

    asyncio.run(run())
