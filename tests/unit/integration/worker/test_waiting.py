"""How long one attempt takes, and what it waits for."""

import asyncio
import dataclasses
from typing import Any

import azure.functions as func
import pytest

from integration.dataverse import Row
from integration.errors import ConfigurationError, Conflict, NotFound, Outage, Transient
from integration.events import IntegrationEvent, Wants
from integration.events.envelope import to_envelope
from integration.ledger import State
from integration.worker import DeadLettered, Handler, Handlers, Outcome, Pace, Work
from integration.worker.functions import blueprint
from tests.builders import event
from tests.memory_table import CountingHandler, World


@pytest.fixture
def world() -> World:
    return World.make()


@pytest.fixture
def pauses(world: World, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Pauses pass at once, on the world's clock; how long they were."""
    found: list[float] = []

    async def pause(seconds: float) -> None:
        found.append(seconds)
        world.clock.advance(seconds)

    monkeypatch.setattr("integration.worker.pipeline.asyncio.sleep", pause)
    return found


def young(world: World, **changes: object) -> IntegrationEvent:
    """An event that was accepted just now."""
    return dataclasses.replace(event(), accepted_time=world.clock.now(), **changes)  # type: ignore[arg-type]


async def reason_of(world: World, it: IntegrationEvent) -> str | None:
    await world.ledger.close()
    status = await world.ledger.read(it.event_id)
    return status.reason if status else None


async def test_a_row_that_comes_with_the_commit_is_waited_for(
    world: World, pauses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Most transactions are committed within moments: no copy is needed."""
    it = young(world, message="Create")
    reads, read = 0, world.rows.read

    async def later(*arguments: object) -> Row:
        nonlocal reads
        reads += 1
        if reads == 4:
            world.put_row(str(it.record_id), "a")
        return await read(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(world.rows, "read", later)
    await world.handle(it)
    assert pauses == [0.5, 0.5, 0.5]
    assert await world.status(it) is State.COMPLETED


async def test_a_commit_that_takes_long_is_left_to_a_copy(world: World, pauses: list[float]) -> None:
    """An attempt that waits holds the session of its record."""
    it = young(world, message="Update", uncommitted=True)
    await world.handle(it)

    assert sum(pauses) == 3.0
    assert len(world.queue.scheduled) == 1
    assert await reason_of(world, it) == "not-committed-yet"


async def test_what_was_rolled_back_ends_when_no_transaction_lasts_so_long(world: World, pauses: list[float]) -> None:
    """The row never comes: two and a half minutes after it was announced, the event is superseded."""
    it = young(world, message="Create", uncommitted=True)
    world.clock.advance(151)
    await world.handle(it)

    assert pauses == []
    assert await world.status(it) is State.SUPERSEDED


async def test_a_row_that_is_there_again_after_it_was_missed_is_read_again(world: World) -> None:
    """The handler's own write found it missing: that is no dead letter, the row decides."""
    it = young(world)
    world.put_row(str(it.record_id), "a")
    missing = NotFound("no such row", reason="dataverse-not-found", service="dataverse", record_id=it.record_id)
    world.handler.script = [missing]
    await world.handle(it)

    assert world.rows.reads == 2
    assert await world.status(it) is State.COMPLETED


async def test_the_same_id_in_another_system_is_another_thing(world: World) -> None:
    it = young(world)
    world.put_row(str(it.record_id), "a")
    world.handler.script = [NotFound("no such row", reason="erp-not-found", service="erp", record_id=it.record_id)]
    with pytest.raises(DeadLettered, match="erp-not-found"):
        await world.handle(it)


async def test_a_row_of_which_something_else_is_missing_is_not_deleted(world: World) -> None:
    """A wrong answer of a gateway must not pass for a deletion."""
    it = young(world)
    world.rows.error = NotFound("no such column", reason="dataverse-not-found", service="dataverse", record_id="other")
    with pytest.raises(DeadLettered):
        await world.handle(it)
    assert not world.ledger.memory(it.session_id).deleted


async def test_a_row_that_changes_all_the_time_is_read_five_times(world: World) -> None:
    it = young(world)
    world.put_row(str(it.record_id), "a")
    world.handler.script = [Conflict("changed")] * 9
    await world.handle(it)

    assert world.rows.reads == 5
    assert await reason_of(world, it) == "row-contended"


async def test_an_attempt_that_takes_too_long_is_ended_and_tried_again(world: World) -> None:
    """Before the host ends it, which would say nothing: its limit is five minutes."""
    it = young(world)
    world.put_row(str(it.record_id), "a")

    async def hang(_work: Work, _row: Row) -> Outcome:
        await asyncio.Event().wait()
        raise AssertionError

    world.handler.script = [hang]
    assert world.worker._deadline_seconds <= 200
    world.worker._deadline_seconds = 0.05
    await world.handle(it)
    assert len(world.queue.scheduled) == 1
    assert await reason_of(world, it) == "deadline-exceeded"


async def test_all_calls_of_an_attempt_end_with_it(world: World) -> None:
    """However long reading the ledger took."""
    it, seen = young(world), []
    world.put_row(str(it.record_id), "a")

    async def look(work: Work, _row: Row) -> Outcome:
        seen.append(work.context.deadline)
        return Outcome.completed("done")

    world.handler.script = [look]
    await world.handle(it)
    assert seen == [world.clock.seconds + world.worker._deadline_seconds]


async def test_only_what_touched_something_outside_sets_the_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    """An event that found nothing to do keeps no later one waiting."""
    world = World.make(pace=100.0)
    it = young(world)
    world.put_row(str(it.record_id), "a")

    async def nothing(_work: Work, _row: Row) -> Outcome:
        return Outcome.completed("nothing to do")

    world.handler.script = [nothing]
    await world.handle(it)
    await world.handle(young(world, record_id=it.record_id))
    assert len(world.handler.keys) == 1

    waited: list[float] = []

    async def pause(seconds: float) -> None:
        waited.append(seconds)
        world.clock.advance(seconds)

    monkeypatch.setattr("integration.worker.pipeline.asyncio.sleep", pause)
    world.put_row(str(it.record_id), "b", 2)
    await world.handle(young(world, record_id=it.record_id))
    assert waited == [100.0]


@pytest.mark.parametrize("error", [Outage("away", reason="erp-unavailable", service="erp"), Transient("busy")])
async def test_a_defect_of_the_ledger_or_a_system_is_never_lost(world: World, error: Exception) -> None:
    it = young(world)
    world.rows.error = error
    await world.handle(it)
    assert len(world.queue.scheduled) == 1


def test_the_trigger_takes_bytes_of_one_session_after_the_other(world: World) -> None:
    """As text, top-level keys of the body would overwrite the trigger's own metadata."""
    app = func.FunctionApp()
    app.register_functions(blueprint(world.worker, queue="work"))
    (function,) = app.get_functions()
    found: Any = function.get_trigger()
    trigger = found.get_dict_repr()

    assert (trigger["queueName"], trigger["connection"], trigger["name"]) == ("work", "ServiceBus", "message")
    assert trigger["isSessionsEnabled"] is True
    assert str(trigger["dataType"].name) == "BINARY"


async def test_the_trigger_hands_its_message_to_the_worker(world: World) -> None:
    app = func.FunctionApp()
    app.register_functions(blueprint(world.worker, queue="work"))
    (function,) = app.get_functions()
    it = young(world)
    world.put_row(str(it.record_id), "a")

    await function.get_user_function()(to_envelope(it))
    assert await world.status(it) is State.COMPLETED


def test_two_handlers_of_the_same_message_are_a_mistake() -> None:
    """Whose turn it is would depend on their order."""

    class Other(CountingHandler):
        messages = frozenset({"Update"})

    with pytest.raises(ConfigurationError, match="CountingHandler and Other both handle Update of opportunity"):
        Handlers([CountingHandler(), Other()])
    handler = CountingHandler()
    handlers = Handlers([handler, handler])
    assert handlers.of(event()) is handler
    assert handlers.of(dataclasses.replace(event(), message="Merge")) is None


def test_a_handler_wants_the_values_that_decide_of_the_messages_that_it_handles() -> None:
    """Of other messages and tables, an event only names what has changed."""
    handlers = Handlers([CountingHandler()])

    assert "name" in handlers.wants_of("opportunity", "Update").decisive
    assert handlers.wants_of("opportunity", "Merge") == handlers.wants_of("lead", "Update") == Wants()


async def test_a_deletion_that_undoes_nothing_ends_well(world: World) -> None:
    it = young(world, message="Delete")
    record = await world.ledger.record(it.session_id)
    work = Work(it, record, world.ledger, world.clock, pace=Pace(0, world.clock), deadline=0.0)
    outcome = await Handler.deleted(world.handler, work)

    assert outcome.state is State.COMPLETED
    assert outcome.agrees
