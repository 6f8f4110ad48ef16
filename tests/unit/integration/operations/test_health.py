"""What the health report says."""

from integration import __version__
from integration.clock import SystemClock
from integration.operations import Health


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
