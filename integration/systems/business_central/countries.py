"""Countries: Business Central takes codes of its own list, an address in Dataverse holds whatever people wrote."""

from integration.clock import Clock
from integration.systems.business_central.webservice import Company
from integration.transport import CallContext

_KEPT_SECONDS = 3600.0


class Countries:
    """The codes of the company's countries by code and by name; read once an hour."""

    def __init__(self, company: Company, clock: Clock) -> None:
        self._company = company
        self._clock = clock
        self._codes: dict[str, str] = {}
        self._until = 0.0

    async def code_of(self, text: str, context: CallContext) -> str:
        """The code of a country; empty where the company's list does not have it, as a customer has to be saved."""
        if self._clock.monotonic() >= self._until:
            rows = await self._company.all("countriesRegions", context=context)
            names = {str(row.get("displayName", "")).casefold(): str(row["code"]) for row in rows}
            self._codes = names | {str(row["code"]).casefold(): str(row["code"]) for row in rows}
            self._until = self._clock.monotonic() + _KEPT_SECONDS
        return self._codes.get(text.strip().casefold(), "")
