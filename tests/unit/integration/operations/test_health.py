"""What the health report says."""

from integration import __version__
from integration.clock import SystemClock
from integration.operations import Health


def test_it_names_the_version_that_runs() -> None:
    """Whoever has deployed sees whether the new package answers, also while it is not ready."""

    def refused() -> None:
        raise ConnectionError

    report = Health({"ledger": lambda: None, "workQueue": refused}, SystemClock()).report()
    assert report == {
        "ready": False,
        "version": __version__,
        "checks": {"ledger": "ok", "workQueue": "ConnectionError"},
    }
