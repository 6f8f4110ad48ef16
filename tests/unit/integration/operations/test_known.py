"""What a timer makes metrics of and tells operators of is read once in a run."""

from unittest.mock import AsyncMock, Mock

import pytest

from integration.errors import Outage
from integration.operations.budgets import Budgets
from integration.operations.figures import Figures
from integration.operations.known import Knowledge
from tests.memory_table import ManualClock


async def test_it_is_read_once_in_a_run_and_again_in_the_next() -> None:
    clock, figures = ManualClock(), Mock(Figures, series=AsyncMock(), causes=AsyncMock())
    knowledge = Knowledge(figures, AsyncMock(), Mock(Budgets, now=AsyncMock()), clock)
    assert await knowledge.now() is await knowledge.now()
    assert figures.series.await_count == 1
    assert [call.args[1] for call in figures.causes.await_args_list] == ["waiting", "dead-lettered"]
    clock.advance(60)
    await knowledge.now()
    assert figures.series.await_count == 2


async def test_what_could_not_be_read_is_asked_for_again_by_whoever_comes_next() -> None:
    figures = Mock(Figures, series=AsyncMock(side_effect=[Outage("away", reason="ledger-unavailable"), None]))
    figures.causes = AsyncMock()
    knowledge = Knowledge(figures, AsyncMock(), Mock(Budgets, now=AsyncMock()), ManualClock())
    with pytest.raises(Outage):
        await knowledge.now()
    await knowledge.now()
    assert figures.series.await_count == 2
