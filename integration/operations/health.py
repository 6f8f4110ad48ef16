"""Whether the app can do its work now, and what is missing."""

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotInTime
from typing import Any

from integration import __version__
from integration.clock import Clock

_CHECK_SECONDS = 5.0
_KEPT_SECONDS = 2.0


class Health:
    """Runs named checks side by side; a check returns when all is well and raises otherwise.

    The route is open to anyone, so what was found holds for two seconds, however often it is asked for.
    """

    def __init__(self, checks: Mapping[str, Callable[[], object]], clock: Clock) -> None:
        self._checks = checks
        self._clock = clock
        self._lock = threading.Lock()
        self._found: dict[str, Any] = {}
        self._found_at = -_KEPT_SECONDS

    def report(self) -> dict[str, Any]:
        """`{"ready": bool, "version": ..., "checks": {name: "ok" or what is wrong}}`.

        Says no more than anyone may know.
        """
        with self._lock:
            if self._clock.monotonic() - self._found_at >= _KEPT_SECONDS:
                self._found = self._check()
                self._found_at = self._clock.monotonic()
            return self._found

    def _check(self) -> dict[str, Any]:
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
        return {"ready": all(state == "ok" for state in found.values()), "version": __version__, "checks": found}
