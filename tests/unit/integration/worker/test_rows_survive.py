"""A message that is completed or dead-lettered is not delivered again: by then the row of its event is written.

Processes are killed, the intake and the worker within the same second: nothing that still waits to be written counts.
"""

import dataclasses
from typing import Any

import pytest

from integration.errors import Permanent
from integration.events import IntegrationEvent
from integration.ledger import DeadLetter, State, rows
from integration.worker import DeadLettered, Outcome, Work
from tests.builders import event
from tests.memory_table import World


def row(world: World, it: IntegrationEvent) -> dict[str, Any]:
    """The event's row as it is in the table now, whatever still waits to be written."""
    return next((dict(row) for (_, name), row in written(world) if name == it.event_id), {})


def written(world: World) -> Any:
    return world.ledger.table("events202611").entities.items()


async def test_the_row_of_an_event_that_has_ended_says_who_it_was_and_how_it_ended() -> None:
    world = World.make()
    it = world.event()
    await world.handle(it)
    found = row(world, it)
    assert (found["state"], found["table"], found["correlationId"]) == ("completed", it.table, it.correlation_id)
    assert found["publishedTime"]


async def test_so_does_that_of_an_event_that_nothing_handles() -> None:
    world = World.make()
    it = world.event(message="Merge")
    await world.handle(it)
    assert row(world, it)["state"] == "no-handler"


async def test_the_next_delivery_writes_the_row_that_was_lost_with_its_process() -> None:
    world = World.make()
    it = world.event()
    await world.handle(it)
    world.ledger.table("events202611").entities.clear()
    successor = World.make()
    successor.ledger._tables, successor.rows.rows = world.ledger._tables, world.rows.rows
    await successor.handle(it)
    assert (row(successor, it)["state"], row(successor, it)["message"]) == ("completed", it.message)


async def test_so_does_who_finds_only_at_the_end_that_another_has_ended_the_event() -> None:
    world = World.make()
    it = world.event()

    async def ended_meanwhile(_work: Work, _row: object) -> Outcome:
        other = await world.ledger.record(it.session_id, guest=True)
        await other.write(lambda memory: memory.end(it.event_id, State.COMPLETED))
        return Outcome.superseded("nothing to do")

    world.handler.script = [ended_meanwhile]
    await world.handle(it)
    assert row(world, it)["state"] == "completed"


async def test_a_dead_letter_whose_row_was_lost_gets_it_when_its_message_passes_again() -> None:
    """Killed between the record, which says why, and the row."""
    world = World.make()
    it = world.event()
    record = await world.ledger.record(it.session_id)
    letter = DeadLetter("erp-rejected", "the ERP refuses it", world.clock.now().isoformat())
    await record.write(lambda memory: memory.bury(it.event_id, letter))
    with pytest.raises(DeadLettered):
        await world.handle(it)
    found = row(world, it)
    assert (found["state"], found["reason"], found["detail"]) == ("dead-lettered", letter.reason, letter.detail)


async def test_a_resolved_event_keeps_the_reason_that_only_its_record_knew() -> None:
    world = World.make()
    it = world.event()
    world.handler.script = [Permanent("refused", reason="erp-rejected")]
    with pytest.raises(DeadLettered):
        await world.handle(it)
    world.ledger.table("events202611").entities.clear()
    await world.handle(dataclasses.replace(event(), record_id=it.record_id))
    status = rows.to_status(row(world, it))
    assert (status.state, status.reason, status.detail) == (State.RESOLVED, "erp-rejected", "refused")
