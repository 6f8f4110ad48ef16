"""Effects happen once, also where two invocations hold the same record for a moment."""

import asyncio
import dataclasses
from collections.abc import Mapping
from typing import Any

import pytest

from integration.errors import Fenced
from integration.ledger import Record
from integration.worker.effects import Effects, Trace
from tests.builders import event
from tests.unit.integration.worker.memory_table import ManualClock, MemoryLedger


class System:
    """Another system: knows the keys that it was called with; its first answer comes when `answer` is set."""

    def __init__(self) -> None:
        self.keys: list[str] = []
        self.called = asyncio.Event()
        self.answer = asyncio.Event()

    async def do(self, key: str) -> Mapping[str, Any]:
        self.keys.append(key)
        self.called.set()
        number = len(self.keys)
        if number == 1:
            await self.answer.wait()
        return {"call": number}


@pytest.fixture
def ledger() -> MemoryLedger:
    return MemoryLedger(ManualClock())


async def opened(ledger: MemoryLedger) -> tuple[Record, Effects]:
    record = await ledger.record("opportunity:1")
    return record, Effects(event(), record, ManualClock(), Trace())


async def frozen_in_its_first_call(ledger: MemoryLedger, system: System) -> "asyncio.Task[Mapping[str, Any]]":
    """An invocation that has started the effect and waits for its answer while its session is lost."""
    _, effects = await opened(ledger)
    working = asyncio.create_task(effects.once("score", "f1", system.do, charged=True))
    await system.called.wait()
    return working


async def test_what_a_frozen_invocation_has_finished_meanwhile_is_not_done_again(ledger: MemoryLedger) -> None:
    """It wrote its answer after its successor had read the record, and before that wrote for the first time."""
    system = System()
    working = await frozen_in_its_first_call(ledger, system)
    _, successor = await opened(ledger)
    system.answer.set()
    assert await working == {"call": 1}
    assert await successor.once("score", "f1", system.do, charged=True) == {"call": 1}
    assert len(system.keys) == 1


async def test_what_a_fenced_invocation_did_is_repeated_under_the_same_key(ledger: MemoryLedger) -> None:
    """Its answer is lost with it; the other system recognises the key."""
    system = System()
    working = await frozen_in_its_first_call(ledger, system)
    _, successor = await opened(ledger)
    assert await successor.once("score", "f1", system.do, charged=True) == {"call": 2}
    system.answer.set()
    with pytest.raises(Fenced):
        await working
    assert len(set(system.keys)) == 1
    assert ledger.memory("opportunity:1").effect("score").answer == {"call": 2}


async def killed(key: str) -> Mapping[str, Any]:
    """A call whose answer nobody hears any more."""
    raise asyncio.CancelledError(key)


async def test_what_was_charged_for_is_not_charged_again_because_something_else_was_asked(ledger: MemoryLedger) -> None:
    """Scored; asked anew for another amount and killed before the answer; then the amount is the old one again."""
    system = System()
    system.answer.set()
    _, effects = await opened(ledger)
    await effects.once("score", "f1", system.do, charged=True)
    with pytest.raises(asyncio.CancelledError):
        await effects.once("score", "f2", killed, charged=True)
    _, successor = await opened(ledger)
    assert await successor.once("score", "f1", system.do, charged=True) == {"call": 1}
    await successor.once("score", "f2", system.do, charged=True)
    assert [key.split(":")[-2:] for key in system.keys] == [["1", "f1"], ["2", "f2"]]


async def test_what_costs_nothing_is_done_again_where_something_else_may_have_been_done(ledger: MemoryLedger) -> None:
    """The other system may have that state now: the older one has to be sent again."""
    system = System()
    system.answer.set()
    _, effects = await opened(ledger)
    await effects.once("order", "f1", system.do)
    with pytest.raises(asyncio.CancelledError):
        await effects.once("order", "f2", killed)
    _, successor = await opened(ledger)
    assert await successor.once("order", "f1", system.do) == {"call": 2}


async def test_the_same_state_is_done_again_for_an_event_that_is_forced(ledger: MemoryLedger) -> None:
    """Under a key of its own, once: for its own redelivery it is done."""
    system = System()
    system.answer.set()
    record, effects = await opened(ledger)
    await effects.once("order", "f1", system.do)
    await record.write()
    forced = dataclasses.replace(event(), forced=True)
    again = Effects(forced, await ledger.record("opportunity:1"), ManualClock(), Trace())
    await again.once("order", "f1", system.do)
    await again.once("order", "f1", system.do)
    assert len(system.keys) == len(set(system.keys)) == 2
