"""A dead-lettered event is sent again, discarded, restored; neither lost nor done twice."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from integration.errors import Outage, Permanent, Rejected, Transient, Unreadable
from integration.events import IntegrationEvent
from integration.ledger import State, keys
from integration.operations.queueing import Queueing
from integration.telemetry import spans
from integration.telemetry.spans import Span
from integration.worker import DeadLettered
from tests.builders import event
from tests.unit.integration.operations.parts import WHO, Desk


async def shown(desk: Desk, event_id: str) -> Any:
    found = await desk.world.ledger.read(event_id)
    assert found is not None
    return found


async def test_a_retry_is_a_new_event_about_the_same_record() -> None:
    desk = Desk()
    original = await desk.dead_letter()
    desk.world.clock.advance(3600)
    new_id = await desk.repair.retry(original.event_id, **WHO)

    (sent,) = desk.world.queue.sent
    assert sent.event_id == new_id != original.event_id
    assert (sent.replay_of, sent.attempt, sent.first_failed_at) == (original.event_id, 1, None)
    assert (sent.session_id, sent.correlation_id) == (original.session_id, original.correlation_id)
    assert not sent.forced
    marked = await shown(desk, original.event_id)
    assert (marked.state, marked.replayed_by) == (State.RESUBMITTED, new_id)
    assert marked.note == "support: the ERP was mended"
    assert (await shown(desk, new_id)).replay_of == original.event_id
    assert desk.audited[0]["outcome"] == f"sent as {new_id}"


async def test_a_retry_goes_on_in_the_trace_of_the_original() -> None:
    """The ledger knows the trace; whether it is sampled or not, what somebody has asked for is."""
    exported: list[Span] = []
    spans.switch_on(spans.Switch(exported.extend, 0.0))
    desk = Desk()
    original = await desk.dead_letter(traceparent=f"00-{'a' * 32}-{'b' * 16}-00")
    exported.clear()
    new_id = await desk.repair.retry(original.event_id, **WHO)
    spans.switch_on(None)
    (sent,), (span,) = desk.world.queue.sent, exported
    assert (span.name, span.context.trace_id, span.parent_id) == ("send work", "a" * 32, "b" * 16)
    assert span.attributes["integration.event.id"] == new_id
    assert sent.traceparent == str(span.context)
    assert (await shown(desk, new_id)).traceparent == sent.traceparent


async def test_the_original_leaves_problems_and_record() -> None:
    desk = Desk()
    original = await desk.dead_letter()
    assert desk.table(keys.PROBLEMS).entities
    await desk.repair.retry(original.event_id, **WHO)
    assert desk.table(keys.PROBLEMS).entities == {}
    memory = desk.world.ledger.memory(original.session_id)
    assert memory.dead_letters == {}
    assert memory.recent[original.event_id] is State.RESUBMITTED


async def test_a_retry_that_ends_well_resolves_the_original() -> None:
    desk = Desk()
    original = await desk.dead_letter()
    new_id = await desk.repair.retry(original.event_id, **WHO)
    await desk.work()
    assert (await shown(desk, new_id)).state is State.COMPLETED
    assert (await shown(desk, original.event_id)).resolved_by == new_id
    assert len(desk.world.handler.keys) == 1


async def test_force_does_again_what_is_remembered_as_done() -> None:
    """Also what another event of the record did before: the same effect, under a new key."""
    desk = Desk()
    original = await desk.dead_letter()
    for force in (False, True):
        await desk.repair.retry(original.event_id, **WHO, force=force)
        await desk.work()
        await revive(desk, original)
    assert len(desk.world.handler.keys) == len(set(desk.world.handler.keys)) == 2
    assert [it["what"] for it in desk.audited] == ["retry", "force"]


async def revive(desk: Desk, original: IntegrationEvent) -> None:
    """The original is dead-lettered once more, as after a message that was sent back by hand."""
    partition, row = keys.event_keys(original.event_id)
    await desk.table("events202611").merge(
        {"PartitionKey": partition, "RowKey": row, "state": "dead-lettered", "changedTime": "2026-11-20T21:00:00Z"}
    )


Break = Callable[[Desk], None]


def broker_away(desk: Desk) -> None:
    desk.world.queue.full = True


def tables_away(name: str) -> Break:
    def away(desk: Desk) -> None:
        desk.table(name).away = True

    return away


@pytest.mark.parametrize(
    ("away", "sends"),
    [
        (broker_away, 1),
        (tables_away(keys.RECORDS), 2),
        (tables_away(keys.PROBLEMS), 2),
        (tables_away("events202611"), 1),
    ],
)
async def test_a_retry_that_broke_off_is_asked_for_again(away: Break, sends: int) -> None:
    """Wherever it broke off, the second request sends the very same event, and marks the original."""
    desk = Desk()
    original = await desk.dead_letter()
    away(desk)
    with pytest.raises(Transient):
        await desk.repair.retry(original.event_id, **WHO)
    desk.world.queue.full = False
    for name in (keys.RECORDS, keys.PROBLEMS, "events202611"):
        desk.table(name).away = False
    desk.world.clock.advance(60)
    new_id = await desk.repair.retry(original.event_id, **WHO)

    assert [it.message_id for it in desk.world.queue.sent] == [f"{new_id}#1"] * sends
    await desk.work()
    assert len(desk.world.handler.keys) == 1
    assert (await shown(desk, original.event_id)).replayed_by == new_id


async def test_an_index_that_is_away_holds_nobody_up() -> None:
    """The event is in the queue and the original is marked: that it is found by its time can wait."""
    desk = Desk()
    desk.queueing = Queueing(desk.world.ledger, desk.world.queue, desk.claim_check, patience=0.05)
    desk.wire()
    original = await desk.dead_letter()
    index = desk.table("index202611")
    index.away = True
    known = len(index.entities)
    new_id = await desk.repair.retry(original.event_id, **WHO)
    assert (await shown(desk, original.event_id)).replayed_by == new_id
    index.away = False
    await desk.world.ledger.close()
    assert len(index.entities) == known + 2


async def test_the_same_request_gets_the_same_answer() -> None:
    """A caller that names its request may repeat it at any time; another request is refused."""
    desk = Desk()
    original = await desk.dead_letter()
    first = await desk.repair.retry(original.event_id, **WHO, request="r-1")
    assert await desk.repair.retry(original.event_id, **WHO, request="r-1") == first
    assert len(desk.world.queue.sent) == 1
    with pytest.raises(Rejected, match=f"sent again as event {first}"):
        await desk.repair.retry(original.event_id, **WHO, request="r-2")


async def test_what_waits_is_tried_now_and_its_copy_changes_nothing() -> None:
    desk = Desk()
    original = await desk.dead_letter(Outage("away", reason="erp-unreachable", service="erp"))
    ((copy, _),) = desk.world.queue.scheduled
    await desk.repair.retry(original.event_id, **WHO)
    await desk.work()
    desk.world.queue.sent.append(copy)
    await desk.work()
    assert len(desk.world.handler.keys) == 1
    assert (await shown(desk, original.event_id)).state is State.RESOLVED
    assert desk.table(keys.PROBLEMS).entities == {}


async def test_discard_and_restore() -> None:
    """A discard clears the event from what support looks at; a restore brings it back with its reason."""
    desk = Desk()
    original = await desk.dead_letter()
    for _ in range(2):
        await desk.repair.discard(original.event_id, **WHO)
    assert (await shown(desk, original.event_id)).state is State.DISCARDED
    assert desk.table(keys.PROBLEMS).entities == {}
    assert desk.world.ledger.memory(original.session_id).dead_letters == {}

    await desk.repair.restore(original.event_id, **WHO)
    status = await shown(desk, original.event_id)
    assert (status.state, status.reason) == (State.DEAD_LETTERED, "erp-rejected")
    (problem,) = desk.table(keys.PROBLEMS).entities.values()
    assert problem["reason"] == "erp-rejected"
    assert desk.world.ledger.memory(original.session_id).dead_letters[original.event_id].reason == "erp-rejected"

    await desk.repair.retry(original.event_id, **WHO)
    await desk.work()
    assert (await shown(desk, original.event_id)).state is State.RESOLVED


async def test_an_invocation_under_way_keeps_its_record() -> None:
    """Repair writes as a guest: who works on the record is not fenced by it, and both changes stay."""
    desk = Desk()
    original = await desk.dead_letter()
    record = await desk.world.ledger.record(original.session_id)
    await record.write(lambda memory: setattr(memory, "waiting", "other"))
    await desk.repair.discard(original.event_id, **WHO)
    await record.write(lambda memory: memory.end("other", State.COMPLETED))
    memory = desk.world.ledger.memory(original.session_id)
    assert memory.recent == {original.event_id: State.DISCARDED, "other": State.COMPLETED}
    assert memory.dead_letters == {}


Action = Callable[[Desk, str], Awaitable[object]]
RETRY: Action = lambda desk, event_id: desk.repair.retry(event_id, **WHO)  # noqa: E731 -- a table of them
DISCARD: Action = lambda desk, event_id: desk.repair.discard(event_id, **WHO)  # noqa: E731
RESTORE: Action = lambda desk, event_id: desk.repair.restore(event_id, **WHO)  # noqa: E731


@pytest.mark.parametrize(
    ("state", "action", "advice"),
    [
        ("", RETRY, "wait"),
        ("completed", RETRY, "resync"),
        ("superseded", DISCARD, "resync"),
        ("no-handler", RETRY, "nothing to do"),
        ("waiting", DISCARD, "send it again to try it now"),
        ("resubmitted", DISCARD, "look at that one"),
        ("resolved", RETRY, "nothing to do"),
        ("discarded", RETRY, "restore it first"),
        ("dead-lettered", RESTORE, "send it again, or discard it"),
    ],
)
async def test_other_states_are_refused_with_what_to_do(state: str, action: Action, advice: str) -> None:
    desk, about = Desk(), event()
    await desk.world.ledger.accept(about, urgent=True)
    partition, row = keys.event_keys(about.event_id)
    await desk.table("events202611").merge({"PartitionKey": partition, "RowKey": row, "state": state})
    with pytest.raises(Rejected, match=advice) as refused:
        await action(desk, about.event_id)
    assert refused.value.status == 409
    assert desk.world.queue.sent == []
    assert desk.audited[0]["outcome"].startswith("refused")  # type: ignore[union-attr] # a text


async def test_an_unknown_event_is_404() -> None:
    with pytest.raises(Rejected) as refused:
        await Desk().repair.retry(event().event_id, **WHO)
    assert refused.value.status == 404


async def test_an_unreadable_message_can_be_discarded_but_not_sent_again() -> None:
    """Nobody knows what it was about."""
    desk = Desk()
    with pytest.raises((DeadLettered, Unreadable)):
        await desk.world.worker.handle(b"nonsense")
    await desk.world.ledger.close()
    ((_, event_id),) = desk.table("events000000").entities
    with pytest.raises(Rejected, match="discard it"):
        await desk.repair.retry(event_id, **WHO)
    await desk.repair.discard(event_id, **WHO)
    assert desk.table(keys.PROBLEMS).entities == {}


async def test_a_failing_retry_is_a_dead_letter_of_its_own() -> None:
    desk = Desk()
    original = await desk.dead_letter()
    new_id = await desk.repair.retry(original.event_id, **WHO)
    desk.world.handler.script.append(Permanent("refused again", reason="erp-rejected", service="erp"))
    with pytest.raises(DeadLettered):
        await desk.work()
    await desk.world.ledger.close()
    assert (await shown(desk, original.event_id)).state is State.RESUBMITTED
    assert (await shown(desk, new_id)).state is State.DEAD_LETTERED
