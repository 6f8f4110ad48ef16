"""What a handler is given to work with."""

import dataclasses
import json

import pytest

from integration.errors import Permanent
from integration.events import IntegrationEvent
from integration.worker import Work
from integration.worker.effects import Trace
from integration.worker.pace import Pace, TooSoon
from tests.builders import event
from tests.memory_table import ManualClock, MemoryLedger


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def ledger(clock: ManualClock) -> MemoryLedger:
    return MemoryLedger(clock)


async def work_on(ledger: MemoryLedger, clock: ManualClock, it: IntegrationEvent, pace: float = 0.0) -> Work:
    record = await ledger.record(it.session_id)
    return Work(it, record, ledger, clock, pace=Pace(pace, clock), deadline=1_100.0)


def warned(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    found = [json.loads(record.getMessage()) for record in caplog.records]
    return [(it["what"], it.get("service", "")) for it in found]


async def test_every_call_carries_the_events_trace_and_ends_with_its_deadline(
    ledger: MemoryLedger, clock: ManualClock
) -> None:
    it = dataclasses.replace(event(), traceparent="00-trace", tracestate="rojo=1")
    work = await work_on(ledger, clock, it)

    assert (work.context.correlation_id, work.context.traceparent) == (it.correlation_id, "00-trace")
    assert (work.context.tracestate, work.context.deadline) == ("rojo=1", 1_100.0)
    assert work.now == clock.time


async def test_an_event_without_a_record_says_so_to_whoever_needs_one(ledger: MemoryLedger, clock: ManualClock) -> None:
    """It is nobody's outage: the event goes to the dead letters."""
    work = await work_on(ledger, clock, dataclasses.replace(event(), record_id=None))

    with pytest.raises(Permanent) as raised:
        _ = work.record_id
    assert raised.value.reason == "record-missing"


async def test_effects_of_another_record_are_remembered_there(ledger: MemoryLedger, clock: ManualClock) -> None:
    """The customer of an order has a session of its own: it is not claimed."""
    work = await work_on(ledger, clock, event())

    async def do(_key: str) -> dict[str, str]:
        return {"number": "C-1"}

    effects = await work.effects_of("account", "a1")
    await effects.once("customer", "f", do)
    await effects.save()

    assert ledger.memory("account:a1").effect("customer").answer == {"number": "C-1"}
    assert ledger.memory(work.event.session_id).effects == {}
    assert not ledger.memory("account:a1").writer
    assert work.trace.steps["customer"].state == "done"


async def test_a_step_that_needs_no_memory_is_shown_and_counts_as_done(
    ledger: MemoryLedger, clock: ManualClock
) -> None:
    work = await work_on(ledger, clock, event())
    assert work.trace == Trace()
    work.done("write-back", "orderid")

    step = work.trace.steps["write-back"]
    assert (step.name, step.state, step.at, step.detail) == ("write-back", "done", clock.time, "orderid")
    assert work.trace.drove


@pytest.mark.parametrize(
    ("remembered", "replaced", "behind"),
    [(None, None, ""), (None, 3, ""), (5, None, "erp"), (5, 4, "erp"), (5, 5, ""), (5, 6, "")],
)
async def test_a_system_that_holds_less_than_it_has_confirmed_was_set_back(  # noqa: PLR0917 -- three are the case
    ledger: MemoryLedger,
    clock: ManualClock,
    caplog: pytest.LogCaptureFixture,
    remembered: int | None,
    replaced: int | None,
    behind: str,
) -> None:
    """This event's record is right again; somebody has to look after the others, so it is logged as an error."""
    work = await work_on(ledger, clock, event())
    work.compare_versions("erp", remembered=remembered, replaced=replaced)

    assert work.behind == behind
    assert warned(caplog) == ([("system-behind", "erp")] if behind else [])


async def test_a_forced_event_takes_a_systems_word(
    ledger: MemoryLedger, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    work = await work_on(ledger, clock, dataclasses.replace(event(), forced=True))
    work.compare_versions("erp", remembered=5, replaced=None)
    work.expect_unknown("erp", "C-1")

    assert work.behind == ""
    assert not caplog.records


async def test_a_system_that_has_forgotten_what_it_confirmed_is_not_given_it_again(
    ledger: MemoryLedger, clock: ManualClock
) -> None:
    """It was restored from a copy, or it is another system: somebody has to decide."""
    work = await work_on(ledger, clock, event())
    work.expect_unknown("erp", None)

    with pytest.raises(Permanent, match="does not know C-1") as raised:
        work.expect_unknown("erp", "C-1")
    assert (raised.value.reason, raised.value.service) == ("erp-behind", "erp")


async def test_an_effect_waits_while_its_record_was_written_a_moment_ago(
    ledger: MemoryLedger, clock: ManualClock
) -> None:
    """And nothing is started for it."""
    it = event()
    pace = Pace(2.0, clock)
    work = Work(it, await ledger.record(it.session_id), ledger, clock, pace=pace, deadline=1_100.0)
    pace.driven(it.session_id)
    clock.advance(0.5)

    async def do(_key: str) -> dict[str, str]:
        raise AssertionError

    with pytest.raises(TooSoon) as raised:
        await work.effects.once("order", "f", do)
    assert raised.value.seconds == 1.5
    assert work.memory.effects == {}


def test_the_pace_of_a_record_is_nobody_elses(clock: ManualClock) -> None:
    pace = Pace(2.0, clock)
    pace.driven("account:1")

    pace.check("account:2")
    with pytest.raises(TooSoon):
        pace.check("account:1")
    clock.advance(2.0)
    pace.check("account:1")


def test_the_pace_forgets_the_records_whose_time_is_over(clock: ManualClock) -> None:
    """However many records there are, only those of the last moments take memory."""
    pace = Pace(2.0, clock)
    for number in range(100):
        pace.driven(f"account:{number}")
        clock.advance(0.5)
    pace.driven("account:97")

    assert set(pace._driven) == {"account:97", "account:98", "account:99"}
    for kept in ("account:97", "account:98", "account:99"):
        with pytest.raises(TooSoon):
            pace.check(kept)
    pace.check("account:96")
