"""Reading a row as handlers want it: the columns that they declare, and the ISO code of its currency."""

from dataclasses import replace

from integration.dataverse import DataverseClient, Row
from integration.errors import NotFound
from integration.transport import CallContext
from integration.worker.mapping import ENTITY_SETS

_CURRENCY = "_transactioncurrencyid_value"


class Rows:
    """Rows of one environment."""

    def __init__(self, dataverse: DataverseClient) -> None:
        self._dataverse = dataverse

    async def read(self, table: str, record_id: str, columns: tuple[str, ...], context: CallContext) -> Row:
        """The row as it is now; raises `NotFound` where it does not exist."""
        row = await self._dataverse.retrieve(
            ENTITY_SETS[table], record_id, select=(*columns, _CURRENCY), context=context
        )
        currency_id = row.values.get(_CURRENCY)
        if not currency_id:
            return row
        try:
            return replace(row, currency=await self._dataverse.currency_code(currency_id, context=context))
        except NotFound:  # deleted between the two reads: an amount without a currency says what is wrong
            return row
