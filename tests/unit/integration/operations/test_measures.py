"""The metrics that one instance reports for all."""

from collections.abc import Iterator
from datetime import timedelta
from unittest.mock import AsyncMock, Mock

import pytest

from integration.errors import Outage
from integration.ledger import Ledger, State
from integration.ledger.rows import problem_row
from integration.operations.budgets import Budgets, Use
from integration.operations.causes import CauseQuery
from integration.operations.figures import Figures
from integration.operations.known import Knowledge
from integration.operations.measures import Measures
from integration.protection import Phase, SystemState
from integration.protection.breaker import Pause
from integration.telemetry import metrics
from tests.memory_table import ManualClock, MemoryLedger
from tests.unit.integration.operations.parts import event_status


@pytest.fixture(autouse=True)
def _on() -> Iterator[None]:
    metrics.switch_on()
    yield
    metrics.switch_on(counting=False)


def measures(ledger: Ledger, clock: ManualClock) -> Measures:
    systems = {
        "erp": SystemState(phase=Phase.OPEN),
        "credit": SystemState(pause=Pause("anna", "month end", 0.0)),
        "dataverse": SystemState(),
    }
    budgets = Mock(Budgets, now=AsyncMock(return_value={"dataverse": Use(1_500, 6_000)}))
    figures = Figures(ledger, CauseQuery(ledger, clock), clock)
    return Measures(Knowledge(figures, AsyncMock(return_value=systems), budgets, clock), clock)


def known(instrument: metrics.Gauge) -> dict[str, float]:
    return {next(iter(by.values()), ""): value for value, by in instrument.observed()}


async def test_what_waits_and_how_systems_are_is_said_as_all_instances_know_it() -> None:
    clock = ManualClock()
    ledger = MemoryLedger(clock)
    for number, minutes in enumerate((5, 90)):
        at = clock.now() - timedelta(minutes=minutes)
        waiting = event_status(State.WAITING, f"202611201905-{number:032x}", at, reason="erp-unavailable")
        await ledger.table("problems").merge(problem_row(waiting, at.isoformat()))
    await measures(ledger, clock).run()
    assert known(metrics.UNSETTLED) == {"waiting": 2, "dead-lettered": 0}
    assert known(metrics.OLDEST) == {"": 90 * 60}
    assert known(metrics.BREAKER) == {"erp": 2, "credit": 3, "dataverse": 0}
    assert known(metrics.BUDGET) == {"dataverse": 0.25}


async def test_tables_that_are_away_are_asked_again_in_the_next_run(caplog: pytest.LogCaptureFixture) -> None:
    knowledge = Mock(Knowledge, now=AsyncMock(side_effect=Outage("away", reason="ledger-unavailable")))
    await Measures(knowledge, ManualClock()).run()
    assert "measures-not-taken" in caplog.text


async def test_nothing_is_read_where_nobody_gets_it() -> None:
    metrics.switch_on(counting=False)
    knowledge = Mock(Knowledge, now=AsyncMock(side_effect=AssertionError("read")))
    await Measures(knowledge, ManualClock()).run()
