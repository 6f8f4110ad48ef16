"""A record's entity on Azurite: read once, claimed, fenced, and never lost with an answer."""

import asyncio
import uuid

import pytest

from integration.errors import Fenced, Outage, Unreadable
from integration.ledger import DeadLetter, Ledger, Memory, State, keys
from integration.ledger.record import record_entity
from tests.contract.integration.ledger.faults import Fault, FaultyTransport


@pytest.fixture
def session_id() -> str:
    """A record that no other test has."""
    return f"opportunity:{uuid.uuid4()}"


def end(memory: Memory) -> None:
    memory.end("e1", State.COMPLETED)


async def test_nothing_is_remembered_of_a_record_that_nobody_has_worked_on(ledger: Ledger, session_id: str) -> None:
    """And opening it writes nothing."""
    assert (await ledger.record(session_id)).memory == Memory()
    assert await ledger.table(keys.RECORDS).get(*keys.record_keys(session_id)) is None


async def test_what_is_written_is_read_by_the_next_invocation(
    ledger: Ledger, transport: FaultyTransport, session_id: str
) -> None:
    """All of it, in one point read, and written in one call whatever was changed."""
    await (await ledger.record("opportunity:another")).write(end)
    record = await ledger.record(session_id)
    transport.sent.clear()
    record.change(lambda memory: memory.start("order", "f1", event_id="e1", at="2026-11-20T19:05:00+00:00"))
    record.change(lambda memory: memory.finish("order", 1, "f1", {"number": "Ü-1"}, at="later", detail="order Ü-1"))
    await record.write(end)
    assert len(transport.sent) == 1
    transport.sent.clear()
    again = await ledger.record(session_id)
    assert len(transport.sent) == 1
    assert again.memory.effect("order").answer == {"number": "Ü-1"}
    assert again.memory.recent == {"e1": State.COMPLETED}


async def test_who_has_lost_its_session_is_fenced(ledger: Ledger, session_id: str) -> None:
    """A reads, B reads and writes: A's write changes nothing, and neither does any further one."""
    a, b = await ledger.record(session_id), await ledger.record(session_id)
    await b.write(lambda memory: memory.end("by b", State.COMPLETED))
    for _ in range(3):
        with pytest.raises(Fenced):
            await a.write(lambda memory: memory.end("by a", State.COMPLETED))
    await b.write(lambda memory: memory.end("by b again", State.COMPLETED))
    assert list((await ledger.record(session_id)).memory.recent) == ["by b", "by b again"]


async def test_who_has_written_before_is_fenced_as_well(ledger: Ledger, session_id: str) -> None:
    """A claim holds until the next one, not for ever."""
    a = await ledger.record(session_id)
    await a.write(end)
    b = await ledger.record(session_id)
    await b.write(lambda memory: memory.end("e2", State.COMPLETED))
    with pytest.raises(Fenced):
        await a.write(lambda memory: memory.end("e3", State.COMPLETED))


async def test_the_last_word_of_a_frozen_invocation_before_the_claim_is_kept(ledger: Ledger, session_id: str) -> None:
    """B's first write keeps what A has written since B's read."""
    a = await ledger.record(session_id)
    await a.write(lambda memory: memory.end("a1", State.COMPLETED))
    b = await ledger.record(session_id)
    await a.write(lambda memory: memory.end("a2", State.COMPLETED))
    await b.write(lambda memory: memory.end("b1", State.COMPLETED))
    assert list(b.memory.recent) == ["a1", "a2", "b1"]
    with pytest.raises(Fenced):
        await a.write(lambda memory: memory.end("a3", State.COMPLETED))


async def test_a_guest_and_the_owner_keep_what_the_other_has_written(ledger: Ledger, session_id: str) -> None:
    """A guest takes no claim: neither is fenced by the other, before or after."""
    owner, guest = await ledger.record(session_id), await ledger.record(session_id, guest=True)
    await guest.write(lambda memory: memory.start("customer", "f1", event_id="g", at=""))
    await owner.write(lambda memory: memory.end("o1", State.COMPLETED))
    await guest.write(lambda memory: memory.finish("customer", 1, "f1", {"number": 7}, at="", detail=""))
    await owner.write(lambda memory: memory.end("o2", State.COMPLETED))
    found = (await ledger.record(session_id)).memory
    assert (found.effect("customer").done, list(found.recent)) == ("f1", ["o1", "o2"])


async def test_many_guests_at_once_lose_nothing(ledger: Ledger, session_id: str) -> None:
    """Orders of one customer that are won in the same moment."""
    guests = [await ledger.record(session_id, guest=True) for _ in range(4)]
    await asyncio.gather(
        *(
            guest.write(lambda memory, n=n: memory.bury(f"g{n}", DeadLetter("r", "d", "t")))  # type: ignore[misc]
            for n, guest in enumerate(guests)
        )
    )
    assert set((await ledger.record(session_id)).memory.dead_letters) == {"g0", "g1", "g2", "g3"}


@pytest.mark.parametrize("first", [True, False], ids=["the first write", "a later write"])
async def test_a_write_whose_answer_was_lost_is_recognised(
    ledger: Ledger, transport: FaultyTransport, session_id: str, first: bool
) -> None:
    """It is nobody else's: trying again goes through, and changes nothing twice."""
    record = await ledger.record(session_id)
    if not first:
        await record.write(end)
    transport.faults = [Fault.ANSWER_LOST]
    with pytest.raises(Outage):
        await record.write(lambda memory: memory.start("order", "f1", event_id="e2", at=""))
    await record.write(lambda memory: memory.end("e2", State.COMPLETED))
    found = (await ledger.record(session_id)).memory
    assert found.effect("order").number == 1
    assert found.recent["e2"] is State.COMPLETED


async def test_a_write_that_was_sent_twice_is_recognised(
    ledger: Ledger, transport: FaultyTransport, session_id: str
) -> None:
    """The second one fails on the ETag of the first: the claim shows that this was ours."""
    record = await ledger.record(session_id)
    await record.write(end)
    transport.faults = [Fault.SENT_TWICE]
    await record.write(lambda memory: memory.start("order", "f1", event_id="e2", at=""))
    assert record.memory.effect("order").number == 1
    assert (await ledger.record(session_id)).memory.effect("order").number == 1


async def test_a_write_that_never_arrived_is_made_good_by_the_next(
    ledger: Ledger, transport: FaultyTransport, session_id: str
) -> None:
    """Changes wait until they are written."""
    record = await ledger.record(session_id)
    transport.faults = [Fault.AWAY]
    with pytest.raises(Outage):
        await record.write(end)
    await record.write(lambda memory: memory.end("e2", State.COMPLETED))
    assert list((await ledger.record(session_id)).memory.recent) == ["e1", "e2"]


async def test_a_record_that_was_erased_fences_those_who_hold_it(ledger: Ledger, session_id: str) -> None:
    """What was erased does not come back by a late write; the next delivery begins anew."""
    record = await ledger.record(session_id)
    await record.write(end)
    await ledger.table(keys.RECORDS).delete(*keys.record_keys(session_id))
    with pytest.raises(Fenced):
        await record.write(lambda memory: memory.end("e2", State.COMPLETED))
    assert (await ledger.record(session_id)).memory == Memory()


async def test_a_memory_of_any_length_fits(ledger: Ledger, session_id: str) -> None:
    """A property holds 64 KB: a longer memory takes several, a shorter one leaves none of them behind."""
    record = await ledger.record(session_id)
    answer = {"text": "😀é" * 30_000}
    await record.write(lambda memory: memory.start("order", "f", event_id="e", at=""))
    await record.write(lambda memory: memory.finish("order", 1, "f", answer, at="", detail=""))
    again = await ledger.record(session_id)
    assert again.memory.effect("order").answer == answer
    await again.write(lambda memory: memory.finish("order", 1, "f", {}, at="", detail=""))
    found = await ledger.table(keys.RECORDS).get(*keys.record_keys(session_id))
    assert found is not None
    assert [name for name in found.entity if name.startswith("memory")] == ["memory"]


async def test_a_record_of_a_newer_version_is_not_touched(ledger: Ledger, session_id: str) -> None:
    """After a roll-back: what this version does not understand it must not write over."""
    entity = record_entity(session_id, Memory(), "w")
    await ledger.table(keys.RECORDS).insert({**entity, "schema": 99})
    with pytest.raises(Unreadable) as raised:
        await ledger.record(session_id)
    assert raised.value.reason == "ledger-schema"


async def test_an_event_without_a_record_is_remembered_for_its_month(ledger: Ledger) -> None:
    """It is its own session; a table that is dropped whole holds it, so that nothing grows for ever."""
    event_id = f"202611201905-{uuid.uuid4().hex}"
    await (await ledger.record(event_id)).write(end)
    assert (await ledger.record(event_id)).memory.recent == {"e1": State.COMPLETED}
    assert await ledger.table("records202611").get(*keys.record_keys(event_id)) is not None
