"""Whether the app can do its work now, and what is missing."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from integration import __version__
from integration.clock import Clock

_CHECK_SECONDS = 5.0
_KEPT_SECONDS = 2.0


class Health:
    """Runs named checks side by side; a check returns when all is well and raises otherwise.

    The route is open to anyone, so what was found holds for two seconds, however often it is asked for.
    """

    def __init__(self, checks: Mapping[str, Callable[[], Awaitable[object]]], clock: Clock) -> None:
        self._checks = checks
        self._clock = clock
        self._looking: asyncio.Future[dict[str, Any]] | None = None
        self._found_at = -_KEPT_SECONDS
        self._last: tuple[float, dict[str, Any]] | None = None

    async def report(self) -> dict[str, Any]:
        """`{"ready": bool, "version": ..., "checks": {name: "ok" or what is wrong}}`.

        Says no more than anyone may know. Whoever asks while the checks are under way gets what they find, and may give
        up without ending them.
        """
        if self._looking is None or self._clock.monotonic() - self._found_at >= _KEPT_SECONDS:
            self._found_at = self._clock.monotonic()
            self._looking = asyncio.ensure_future(self._look())
        return await asyncio.shield(self._looking)

    def last(self, within: float) -> dict[str, Any] | None:
        """What was found last, within so many seconds, for whoever does not want to wait."""
        if self._last is None or self._clock.monotonic() - self._last[0] > within:
            return None
        return self._last[1]

    async def _look(self) -> dict[str, Any]:
        found = await asyncio.gather(*map(_outcome, self._checks.values()))
        checks = dict(zip(self._checks, found, strict=True))
        report = {"ready": all(it == "ok" for it in found), "version": __version__, "checks": checks}
        self._last = (self._clock.monotonic(), report)
        return report


async def _outcome(check: Callable[[], Awaitable[object]]) -> str:
    try:
        async with asyncio.timeout(_CHECK_SECONDS):
            await check()
    except TimeoutError:
        return f"no answer within {_CHECK_SECONDS:.0f} s"
    except Exception as error:  # noqa: BLE001 -- whatever it is, it is the finding
        return str(getattr(error, "reason", type(error).__name__))
    return "ok"
