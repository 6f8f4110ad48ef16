"""Whether the app can do its work now, and what is missing."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotInTime
from typing import Any

_CHECK_SECONDS = 5.0


class Health:
    """Runs named checks side by side; a check returns when all is well and raises otherwise."""

    def __init__(self, checks: Mapping[str, Callable[[], object]]) -> None:
        self._checks = checks

    def report(self) -> dict[str, Any]:
        """`{"ready": bool, "checks": {name: "ok" | what is wrong}}`; says no more than anyone may know."""
        pool = ThreadPoolExecutor(max_workers=len(self._checks), thread_name_prefix="health")
        running = {name: pool.submit(check) for name, check in self._checks.items()}
        found = {}
        for name, future in running.items():
            try:
                future.result(timeout=_CHECK_SECONDS)
                found[name] = "ok"
            except NotInTime:
                found[name] = f"no answer within {_CHECK_SECONDS:.0f} s"
            except Exception as error:  # noqa: BLE001 -- whatever it is, it is the finding
                found[name] = str(getattr(error, "reason", type(error).__name__))
        pool.shutdown(wait=False, cancel_futures=True)
        return {"ready": all(state == "ok" for state in found.values()), "checks": found}
