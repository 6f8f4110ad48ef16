"""The dead-letter queue and the ledger are brought together."""

import dataclasses

import pytest

from integration.errors import Outage
from integration.events import IntegrationEvent, to_envelope
from integration.ledger import EventStatus, State, keys
from integration.operations.dead_letters import DeadLetterReader
from integration.worker import DeadLettered
from tests.builders import event
from tests.unit.integration.operations.parts import WHO, Desk, Letters


class Reading:
    """A reader beside a desk."""

    def __init__(self) -> None:
        self.desk, self.letters = Desk(), Letters()
        self.reader = DeadLetterReader(
            self.letters, self.desk.world.ledger, self.desk.claim_check, self.desk.world.clock
        )

    async def status(self, about: IntegrationEvent) -> EventStatus | None:
        await self.desk.world.ledger.close()
        return await self.desk.world.ledger.read(about.event_id)


@pytest.mark.parametrize(
    ("cause", "reason"), [("MaxDeliveryCountExceeded", "worker-died"), ("TTLExpiredException", "message-expired")]
)
@pytest.mark.parametrize("accepted", [True, False])
async def test_an_event_that_nobody_has_ended_gets_a_reason(cause: str, reason: str, accepted: bool) -> None:
    """Its worker died each time, or none ever took it: support finds it like any other dead letter."""
    it, about = Reading(), event()
    if accepted:
        await it.desk.world.ledger.accept(about, urgent=True)
    it.letters.put(to_envelope(about), cause)
    for _ in range(2):
        await it.reader.run()

    status = await it.status(about)
    assert status is not None
    assert (status.state, status.reason) == (State.DEAD_LETTERED, reason)
    (problem,) = it.desk.table(keys.PROBLEMS).entities.values()
    assert (problem["reason"], problem["recordId"]) == (reason, about.record_id)
    assert it.desk.world.ledger.memory(about.session_id).dead_letters[about.event_id].reason == reason
    assert len(it.letters.messages) == 1


async def test_it_can_be_sent_again_then() -> None:
    it, about = Reading(), event()
    it.desk.world.put_row(str(about.record_id), "one")
    it.letters.put(to_envelope(about))
    await it.reader.run()
    await it.desk.repair.retry(about.event_id, **WHO)
    await it.desk.work()
    status = await it.status(about)
    assert status is not None
    assert status.state is State.RESOLVED
    await it.reader.run()
    assert it.letters.messages == []


async def test_one_that_is_put_back_by_hand_is_worked_on_at_once() -> None:
    it, about = Reading(), event()
    it.desk.world.put_row(str(about.record_id), "one")
    it.letters.put(to_envelope(about))
    await it.reader.run()
    await it.desk.world.worker.handle(to_envelope(about))
    status = await it.status(about)
    assert status is not None
    assert status.state is State.COMPLETED


async def test_a_dead_letter_with_its_reason_stays_as_it_is() -> None:
    it = Reading()
    about = await it.desk.dead_letter()
    it.letters.put(to_envelope(about))
    await it.reader.run()
    status = await it.status(about)
    assert status is not None
    assert status.reason == "erp-rejected"
    assert len(it.letters.messages) == 1


async def test_a_dead_letter_that_was_seen_in_the_queue_is_worked_on_as_soon_as_a_person_puts_it_back() -> None:
    """Whatever the broker has counted: it may have given the message back without counting that."""
    it = Reading()
    about = await it.desk.dead_letter()
    with pytest.raises(DeadLettered):
        await it.desk.world.worker.handle(to_envelope(about))  # not in the dead-letter queue yet
    it.letters.put(to_envelope(about))
    await it.reader.run()
    await it.desk.world.worker.handle(to_envelope(about))
    status = await it.status(about)
    assert status is not None
    assert status.state is State.COMPLETED


async def test_a_copy_of_it_that_is_still_under_way_goes_to_the_queue_too() -> None:
    """The broker died after it had taken the copy that reports later, and before the message was completed."""
    it = Reading()
    about = await it.desk.dead_letter()
    it.letters.put(to_envelope(about))
    await it.reader.run()
    copy = dataclasses.replace(about, attempt=2)
    with pytest.raises(DeadLettered):
        await it.desk.world.worker.handle(to_envelope(copy))
    it.letters.put(to_envelope(copy))
    for _ in range(2):
        await it.reader.run()
    memory = it.desk.world.ledger.memory(about.session_id)
    assert memory.dead_letters[about.event_id].reported == ("row", "hub", "queue 1", "queue 2")


async def test_a_row_that_was_lost_is_made_again_with_its_reason() -> None:
    """The record knows why; no other reason is made up."""
    it = Reading()
    about = await it.desk.dead_letter()
    for name in ("events202611", keys.PROBLEMS):
        it.desk.table(name).entities.clear()
    it.letters.put(to_envelope(about))
    await it.reader.run()
    status = await it.status(about)
    assert status is not None
    assert status.reason == "erp-rejected"
    assert len(it.desk.table(keys.PROBLEMS).entities) == 1


async def test_an_attempt_whose_copy_is_scheduled_is_no_dead_letter() -> None:
    """The worker died after it had scheduled the next attempt: that one decides."""
    it = Reading()
    about = await it.desk.dead_letter(Outage("away", reason="erp-unreachable", service="erp"))
    it.letters.put(to_envelope(about))
    await it.reader.run()
    status = await it.status(about)
    assert status is not None
    assert status.state is State.WAITING

    copy = dataclasses.replace(about, attempt=2)
    it.letters.put(to_envelope(copy))
    await it.reader.run()
    status = await it.status(about)
    assert status is not None
    assert (status.state, status.reason) == (State.DEAD_LETTERED, "worker-died")
    assert [row["reason"] for row in it.desk.table(keys.PROBLEMS).entities.values()] == ["worker-died"]


@pytest.mark.parametrize("action", ["retry", "discard"])
async def test_what_is_over_leaves_the_queue(action: str) -> None:
    it = Reading()
    over, open_still = await it.desk.dead_letter(), await it.desk.dead_letter()
    for about in (open_still, over):
        it.letters.put(to_envelope(about))
    if action == "retry":
        await it.desk.repair.retry(over.event_id, **WHO)
    else:
        await it.desk.repair.discard(over.event_id, **WHO)
    await it.reader.run()
    assert [message.body for message in it.letters.messages] == [to_envelope(open_still)]


@pytest.mark.parametrize("published", [True, False])
async def test_a_message_whose_event_has_ended_well_leaves_the_queue_unless_analytics_lacks_it(published: bool) -> None:
    """Its lock was lost too often, while another delivery has done everything; put back by hand it would publish."""
    it, about = Reading(), event()
    it.desk.world.put_row(str(about.record_id), "one")
    it.desk.world.hub.away = not published
    await it.desk.world.worker.handle(to_envelope(about))
    await it.desk.world.ledger.close()
    it.letters.put(to_envelope(about))
    await it.reader.run()
    assert len(it.letters.messages) == (0 if published else 1)


async def test_an_unreadable_message_stays_until_it_is_discarded() -> None:
    it = Reading()
    with pytest.raises(Exception, match="unreadable"):
        await it.desk.world.worker.handle(b"nonsense")
    await it.desk.world.ledger.close()
    it.letters.put(b"nonsense")
    await it.reader.run()
    assert len(it.letters.messages) == 1
    ((_, event_id),) = it.desk.table("events000000").entities
    await it.desk.repair.discard(event_id, **WHO)
    await it.reader.run()
    assert it.letters.messages == []


async def test_a_long_queue_is_gone_through_in_rounds() -> None:
    """250 messages a run; after the last one it begins anew."""
    it = Reading()
    for _ in range(300):
        it.letters.put(b"nonsense")
    for _ in range(3):
        await it.reader.run()
    assert it.letters.looked == [0, 250, 0]


async def test_a_broker_that_is_away_fails_nothing() -> None:
    it, about = Reading(), event()
    it.letters.put(to_envelope(about))
    it.letters.away = True
    await it.reader.run()
    it.letters.away = False
    await it.reader.run()
    assert await it.status(about) is not None
