"""What a check gets to work with: the row as it will be, the other systems, and answers that are charged once."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any, TypeVar

from integration.clock import Clock, iso
from integration.dataverse import DataverseClient, Row
from integration.errors import NotFound, Outage
from integration.events import Choice, Choices, IntegrationEvent, Lookup, Money
from integration.flow import Answer, Columns, Flow
from integration.flow.columns import selected
from integration.flow.handler import Tools, reads_of
from integration.ledger import Ledger
from integration.transport import CallContext
from integration.worker.effects import Effects, Trace, fingerprint
from integration.worker.reading import CURRENCY

R = TypeVar("R", bound=Columns)


class Asked:
    """One question. `event` is what Dataverse has sent: the message, its parameters, and the values that are new."""

    def __init__(
        self, event: IntegrationEvent, context: CallContext, *, tools: Tools, ledger: Ledger, clock: Clock
    ) -> None:
        self.event = event
        self.context = context
        self._tools = tools
        self._ledger = ledger
        self._clock = clock

    @property
    def now(self) -> datetime:
        """The current time."""
        return self._clock.now()

    def system(self, name: str) -> Any:
        """The client of a system; raises `Outage` where no setting names it."""
        if name not in self._tools.systems:
            raise Outage(f"no setting names the system {name}", reason="system-not-configured", service=name)
        return self._tools.systems[name]

    async def row(self, flow: Flow[R]) -> R:
        """The row as it will be once it is saved: what Dataverse holds now, with what the message brings over it.

        Dataverse shows a transaction's changes to nobody else before it is committed, so both are needed. For a row
        that is being created, there is only the message.
        """
        found = await self._held(flow)
        values, lookups = dict(found.values), dict(found.lookups)
        for name, value in self.event.values.items():
            _put(values, lookups, name, value)
        changed = replace(found, values=MappingProxyType(values), lookups=MappingProxyType(lookups))
        changed = await self._with_currency(changed, flow)
        return flow.columns(await self._with_related(changed, flow), prefix=self._tools.write_back.prefix)

    async def once(self, effect: str, done_with: tuple[Any, ...], do: Callable[[str], Awaitable[Answer]]) -> Answer:
        """An answer that is charged, asked for once for each `done_with`, however often the question comes.

        It is kept with the record in the ledger. `do` gets the Idempotency-Key, which is the same for every attempt.
        For a row that has no id yet nothing is kept: there, the key alone keeps a repeated question from being charged.
        """
        record_id = self.event.record_id
        if record_id is None:
            return await do(f"{effect}:{self.event.event_id}:{fingerprint(*done_with)}")
        record = await self._ledger.record(f"{self.event.table}:{record_id}", guest=True)
        effects = Effects(self.event, record, self._clock, Trace())
        return await effects.once(effect, fingerprint(*done_with), do, charged=True)

    async def _held(self, flow: Flow[Any]) -> Row:
        record_id = self.event.record_id
        if record_id is not None:
            try:
                return await self._tools.rows.read(reads_of(flow, self._tools.write_back), record_id, self.context)
            except NotFound:  # it is being created
                pass
        return Row(flow.entity_set, record_id or "")

    async def _with_currency(self, row: Row, flow: Flow[Any]) -> Row:
        currency = row.values.get(CURRENCY)
        if not flow.with_currency or not currency or "transactioncurrencyid" not in self.event.values:
            return row
        return replace(row, currency=await self._dataverse.currency_code(currency, context=self.context))

    async def _with_related(self, row: Row, flow: Flow[Any]) -> Row:
        """Rows behind a lookup that the message changes, which are others than Dataverse has expanded."""
        values = dict(row.values)
        for column in flow.columns.declared.values():
            lookup = column.name.partition("_")[0]
            if column.kind != "expanded" or column.related is None or lookup not in self.event.values:
                continue
            values[column.name] = await self._related(row.lookups.get(lookup), column.name, column.related)
        return replace(row, values=MappingProxyType(values))

    async def _related(
        self, target: Lookup | None, navigation: str, columns: type[Columns]
    ) -> Mapping[str, Any] | None:
        flow = self._tools.flows.get(target.table) if target is not None else None
        if target is None or flow is None or not navigation.endswith(target.table):
            return None
        found = await self._dataverse.retrieve(
            flow.entity_set, target.id, select=selected(columns), context=self.context
        )
        return found.values

    @property
    def _dataverse(self) -> DataverseClient:
        return self._tools.dataverse


def _put(values: dict[str, Any], lookups: dict[str, Lookup], name: str, value: Any) -> None:
    """A value of the message in the form that the Web API gives a row."""
    key = f"_{name}_value"
    if isinstance(value, Lookup):
        values[key], lookups[name] = value.id, value
    elif value is None and name in lookups:
        del lookups[name]
        values[key] = None
    else:
        values[name] = _plain(value)


def _plain(value: Any) -> Any:
    match value:
        case Money(amount):
            return amount
        case Choice(number):
            return number
        case Choices(numbers):
            return ",".join(map(str, numbers))
        case datetime():
            return iso(value)
        case Decimal() | int() | str() | None:
            return value
        case _:
            return None
