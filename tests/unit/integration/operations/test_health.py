"""What the health report says."""

import asyncio

import pytest

from integration import __version__
from integration.clock import SystemClock
from integration.operations import Health
from tests.memory_table import ManualClock


async def test_it_names_the_version_that_runs() -> None:
    """Whoever has deployed sees whether the new package answers, also while it is not ready."""

    async def reached() -> None:
        return

    async def refused() -> None:
        raise ConnectionError

    report = await Health({"ledger": reached, "workQueue": refused}, SystemClock()).report()
    assert report == {
        "ready": False,
        "version": __version__,
        "checks": {"ledger": "ok", "workQueue": "ConnectionError"},
    }


async def test_who_asks_while_the_checks_are_under_way_gets_what_they_find() -> None:
    """Also where the first one to ask has given up."""
    go_on = asyncio.Event()

    async def slow() -> None:
        await go_on.wait()

    health = Health({"slow": slow}, SystemClock())
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(health.report(), 0.01)
    go_on.set()
    assert (await health.report())["checks"] == {"slow": "ok"}


async def test_what_was_found_last_is_there_for_who_does_not_want_to_wait() -> None:
    """For a time; before the first look there is nothing."""

    async def well() -> None:
        return

    clock = ManualClock()
    health = Health({"ledger": well}, clock)
    assert health.last(60) is None
    report = await health.report()
    assert health.last(60) == report
    clock.advance(61)
    assert health.last(60) is None
