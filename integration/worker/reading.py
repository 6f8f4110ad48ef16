"""Reading a row as handlers want it: what they declare, and the ISO code of its currency."""

from dataclasses import dataclass, replace

from integration.dataverse import DataverseClient, Row
from integration.errors import NotFound
from integration.transport import CallContext

CURRENCY = "_transactioncurrencyid_value"


@dataclass(frozen=True, slots=True)
class Reads:
    """What is read of a table's rows.

    `columns` have the names of the Web API (a lookup is `_parentaccountid_value`), `expand` is an OData `$expand`. With
    `currency`, the ISO code of the row's currency is read too.
    """

    entity_set: str
    columns: tuple[str, ...]
    expand: str | None = None
    currency: bool = False

    @property
    def select(self) -> tuple[str, ...]:
        """The columns of `$select`, each once."""
        return tuple(dict.fromkeys((*self.columns, CURRENCY) if self.currency else self.columns))


class Rows:
    """Rows of one environment."""

    def __init__(self, dataverse: DataverseClient) -> None:
        self._dataverse = dataverse

    async def read(self, reads: Reads, record_id: str, context: CallContext) -> Row:
        """The row as it is now; raises `NotFound` where it does not exist."""
        row = await self._dataverse.retrieve(
            reads.entity_set, record_id, select=reads.select, expand=reads.expand, context=context
        )
        currency_id = row.values.get(CURRENCY)
        if not currency_id:
            return row
        try:
            return replace(row, currency=await self._dataverse.currency_code(currency_id, context=context))
        except NotFound:  # deleted between the two reads: an amount without a currency says what is wrong
            return row
