"""Effects happen once, also where two invocations hold the same record for a moment."""

import asyncio
import dataclasses
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from integration.errors import Fenced, Outage, Permanent
from integration.ledger import Record
from integration.worker.effects import Effects, Trace, fingerprint
from tests.builders import event
from tests.memory_table import ManualClock, MemoryLedger


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


def test_a_fingerprint_is_the_same_in_every_version() -> None:
    """What an older version has done is known by it: another one would do everything again."""
    assert fingerprint("a", 1, None, {"b": Decimal("1.50"), "a": "ä"}) == "6838842532b2ec95"
    assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})
    assert fingerprint("a") != fingerprint("b")


async def done(_key: str) -> Mapping[str, Any]:
    return {"number": "N-1"}


async def test_what_is_done_is_remembered_with_its_answer_and_shown_as_a_step(ledger: MemoryLedger) -> None:
    it, clock, trace = event(), ManualClock(), Trace()
    record = await ledger.record("opportunity:1")
    effects = Effects(it, record, clock, trace)
    answer = await effects.once("order", "f1", done, report=lambda found: f"order {found['number']}")

    assert answer == {"number": "N-1"}
    known = effects.memory.effect("order")
    assert (known.done, known.started, known.answer, known.event_id) == ("f1", None, {"number": "N-1"}, it.event_id)
    assert (known.at, known.detail) == (clock.now().isoformat(), "order N-1")
    step = trace.steps["order"]
    assert (step.name, step.state, step.at, step.detail) == ("order", "done", clock.now(), "order N-1")
    assert trace.drove


async def test_what_another_event_has_done_is_no_step_of_this_one(ledger: MemoryLedger) -> None:
    """Its answer is given all the same, and nothing is touched."""
    record, first = await opened(ledger)
    await first.once("order", "f1", done)
    trace = Trace()
    later = Effects(event(), record, ManualClock(), trace)

    assert await later.once("order", "f1", unexpected) == {"number": "N-1"}
    assert trace == Trace()


async def unexpected(_key: str) -> Mapping[str, Any]:
    raise AssertionError("it is done already")


async def test_a_started_effect_is_a_step_until_somebody_knows_its_end(ledger: MemoryLedger) -> None:
    trace = Trace()
    record = await ledger.record("opportunity:1")
    effects = Effects(event(), record, ManualClock(), trace)

    async def lost(_key: str) -> Mapping[str, Any]:
        raise Outage("the answer was lost")

    with pytest.raises(Outage):
        await effects.once("order", "f1", lost)
    assert trace.steps["order"].state == "started"
    assert not trace.drove
    assert effects.memory.effect("order").started == "f1"


async def test_what_a_system_refuses_was_not_done_and_what_was_done_before_holds(ledger: MemoryLedger) -> None:
    """And the next attempt has another key: a system may have remembered the refusal under the old one."""
    _, effects = await opened(ledger)
    keys: list[str] = []

    async def do(key: str) -> Mapping[str, Any]:
        keys.append(key)
        return {"number": "N-1"}

    async def refuse(key: str) -> Mapping[str, Any]:
        keys.append(key)
        raise Permanent("refused")

    await effects.once("order", "f1", do)
    with pytest.raises(Permanent):
        await effects.once("order", "f2", refuse)
    assert effects.is_done("order", "f1")
    assert not effects.is_done("order", "f2")
    await effects.once("order", "f2", do)
    assert len(set(keys)) == 3


async def test_a_key_names_the_effect_its_record_its_number_and_what_it_is_done_with(ledger: MemoryLedger) -> None:
    """So that no two things have one, in whichever order they are done."""
    _, effects = await opened(ledger)
    keys: list[str] = []

    async def do(key: str) -> Mapping[str, Any]:
        keys.append(key)
        return {}

    for with_fingerprint in ("f1", "f2", "f1"):
        await effects.once("order", with_fingerprint, do)
    assert keys == ["order:opportunity:1:1:f1", "order:opportunity:1:2:f2", "order:opportunity:1:3:f1"]


async def test_what_is_forgotten_is_done_again(ledger: MemoryLedger) -> None:
    """The other system says that it does not know it. Also what was charged for."""
    _, effects = await opened(ledger)
    await effects.once("score", "f1", done, charged=True)
    effects.forget("score")
    effects.forget("never-done")

    assert not effects.is_done("score", "f1", charged=True)
    await effects.save()
    assert not ledger.memory("opportunity:1").effect("score").done


async def test_what_is_free_of_charge_is_written_down_with_the_end_of_the_event(ledger: MemoryLedger) -> None:
    """What is charged for at once: nothing is charged twice because a process died."""
    _, effects = await opened(ledger)
    await effects.once("order", "f1", done)
    assert ledger.memory("opportunity:1").effect("order").started == "f1"
    await effects.once("score", "f1", done, charged=True)
    assert ledger.memory("opportunity:1").effect("score").done == "f1"
    assert ledger.memory("opportunity:1").effect("order").done == "f1"
