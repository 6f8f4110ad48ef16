"""What the intake does with events of an ERP: admit them, read them, queue them, record them in the ledger, answer."""

from collections.abc import Iterable

from integration.errors import Rejected
from integration.events import IntegrationEvent
from integration.events.business_event import ErpEventName
from integration.events.erp_event import read_erp_events
from integration.intake.taking_in import Accepted, IntakeRequest, TakingIn

_SOURCE = "erp"


class ErpIntake:
    """The endpoint for events of an ERP. Raises `Rejected` (400, 401, 404, 413, 415) or `Unavailable` (503).

    `names` are the names that flows declare; `organisation` is the Dataverse organisation that they write to.
    """

    def __init__(self, taking_in: TakingIn, names: Iterable[ErpEventName], *, organisation: str) -> None:
        self._taking_in = taking_in
        self._names = {it.name: it for it in names}
        self._organisation = organisation

    async def events(self, name: str, request: IntakeRequest) -> list[Accepted]:
        """Take in the events of a request about `name`: all of them, or none."""
        started = self._taking_in.clock.monotonic()

        def read(request: IntakeRequest, caller: str) -> list[IntegrationEvent]:
            events = read_erp_events(
                request.body,
                headers=request.headers,
                name=self._known(name),
                caller=caller,
                organisation=self._organisation,
                accepted_time=self._taking_in.clock.now(),
            )
            self._taking_in.check_tables(events, caller)
            return events

        caller, events = await self._taking_in.admitted(request, _SOURCE, read)
        return await self._taking_in.queue_all(events, caller, _SOURCE, started)

    def _known(self, name: str) -> ErpEventName:
        if name not in self._names:
            known = ", ".join(sorted(self._names)) or "none"
            raise Rejected(404, "Unknown event", f"No flow takes events of that name; the known names are: {known}.")
        return self._names[name]
