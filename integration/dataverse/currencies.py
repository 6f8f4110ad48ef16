"""Currency codes: every amount needs one from another table, and they do not change."""

import asyncio
from typing import Protocol

from integration.clock import Clock
from integration.dataverse.row import Row
from integration.errors import Permanent
from integration.transport import CallContext

ENTITY_SET = "transactioncurrencies"
_COLUMN = "isocurrencycode"
_KEPT_SECONDS = 3600.0


class Retrieve(Protocol):
    """`DataverseClient.retrieve`."""

    async def __call__(self, entity_set: str, row_id: str, *, select: tuple[str, ...], context: CallContext) -> Row: ...


class CurrencyCodes:
    """ISO 4217 codes by the id of the currency's row, each read once an hour, however many calls ask for it."""

    def __init__(self, retrieve: Retrieve, clock: Clock) -> None:
        self._retrieve = retrieve
        self._clock = clock
        self._kept: dict[str, tuple[str, float]] = {}
        self._reading: dict[str, asyncio.Lock] = {}

    async def code_of(self, currency_id: str, context: CallContext) -> str:
        """The code; raises what reading raises, and `Permanent` (currency-without-code) if the row has none."""
        if code := self._known(currency_id):
            return code
        async with self._reading.setdefault(currency_id, asyncio.Lock()):
            if code := self._known(currency_id):  # by the call that was waited for
                return code
            row = await self._retrieve(ENTITY_SET, currency_id, select=(_COLUMN,), context=context)
            code = row.values.get(_COLUMN)
            if not isinstance(code, str) or not code:
                raise Permanent(
                    f"the currency {currency_id} has no {_COLUMN}", reason="currency-without-code", service="dataverse"
                )
            self._kept[currency_id] = code, self._clock.monotonic() + _KEPT_SECONDS
            self._reading.pop(currency_id, None)
            return code

    def _known(self, currency_id: str) -> str | None:
        code, until = self._kept.get(currency_id, ("", 0.0))
        return code if self._clock.monotonic() < until else None
