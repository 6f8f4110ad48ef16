"""Debug detail of one correlation id for a limited time, as people turn it on and off."""

from datetime import timedelta
from typing import Final

from integration.clock import Clock, iso
from integration.errors import Fault, Rejected
from integration.events.fields import kept_correlation_id
from integration.operations.audit import Audit, Subject
from integration.protection import DebugDetail, Detail

LONGEST: Final = timedelta(days=1)


class DetailControl:
    """Over the correlation ids of which it is on. Raises `Rejected` (400, 404, 409), and `Transient` without tables.

    While it is on, every instance logs of the events of this correlation id what it reads, decides and compares, keeps
    all requests and answers of their attempts for those who may see payloads, and exports their traces. It ends by
    itself.
    """

    def __init__(self, detail: DebugDetail, audit: Audit, clock: Clock) -> None:
        self._detail = detail
        self._audit = audit
        self._clock = clock

    async def turn_on(self, correlation_id: str, lasts: timedelta, *, by: str, why: str) -> tuple[str, Detail]:
        """Turn it on for so long, a day at most; the id in its stored form, and what is on."""
        about = _checked(correlation_id)
        until = self._clock.now() + min(lasts, LONGEST)
        async with self._audit.action("debug-on", Subject(correlation_id=about), by=by, why=why) as entry:
            found = await self._detail.turn_on(about, until, by=by, why=entry.why)
            entry.outcome = f"until {iso(until)}"
        return about, found

    async def turn_off(self, correlation_id: str, *, by: str, why: str) -> None:
        """End it before its time."""
        about = _checked(correlation_id)
        async with self._audit.action("debug-off", Subject(correlation_id=about), by=by, why=why):
            if not await self._detail.turn_off(about):
                raise Rejected(404, "Debug detail is not on", f"It is not on for the correlation id {about}.")

    async def running(self) -> dict[str, Detail]:
        """Where it is on now."""
        return await self._detail.running()


def _checked(correlation_id: str) -> str:
    found = kept_correlation_id(correlation_id)
    if found is None:
        fault = Fault("/correlationId", "is not a correlation id")
        detail = "A correlation id has letters, digits and . _ : | = - only; an event's own page shows it."
        raise Rejected(400, "There can be no such correlation id", detail, faults=(fault,))
    return found
