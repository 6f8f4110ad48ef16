"""Sales orders: reserved as a header that is stopped and has no line, then completed by one change set.

The change set takes the header out of its stop under the ETag that was read while it had no line, and adds the line.
Whatever arrives later with the same ETag, a request whose answer was lost among it, is refused as a whole: so there is
one line, although nothing about a line is unique.
"""

from collections.abc import Mapping
from typing import Any

from integration.clock import Clock
from integration.errors import Permanent, Transient
from integration.systems.finance_operations.customers import Customers
from integration.systems.finance_operations.lookup import REFERENCE, Lookup, Posted, Stage, stage_of
from integration.systems.finance_operations.options import Options
from integration.systems.finance_operations.webservice import KEYS, LINES, ORDERS, Company
from integration.systems.fingerprint import content_of
from integration.systems.messages import Order, OrderState
from integration.systems.odata.calls import Row, differing
from integration.systems.odata.keys import number_of, reference_of
from integration.systems.odata.refusals import conflict, not_there, posted, taken_over
from integration.systems.odata.texts import cut
from integration.systems.odata.unanswered import Unanswered
from integration.systems.references import Entry, References
from integration.systems.safety import Safety
from integration.transport import NO_CONTEXT, CallContext

_NUMBER, _LOT = KEYS[ORDERS], KEYS[LINES]
_STOPPED = "IsSalesProcessingStopped"
_LONGEST_DESCRIPTION = 1000
_NOON = "T12:00:00Z"
"""How Finance & Operations writes a date without a time."""


class Orders:
    """`OrderSystem` over the sales orders of one legal entity.

    What people have confirmed, delivered, cancelled or invoiced is theirs: a change of it is refused, and a person has
    to decide.
    """

    def __init__(
        self, company: Company, customers: Customers, references: References, options: Options, clock: Clock
    ) -> None:
        self._company = company
        self._customers = customers
        self._references = references
        self._options = options
        self._clock = clock
        self._lookup = Lookup(company)
        self._unanswered = Unanswered(company.service, options.unknown_seconds, clock)
        self._numbers = options.order_numbers == "manual"
        put = Safety.CLIENT_SET_ID if self._numbers else Safety.RESERVED
        self.safety: Mapping[str, Safety] = {"put_order": put, "hold_order": Safety.STATE}

    async def put_order(
        self,
        order_id: str,
        order: Order,
        *,
        key: str,  # noqa: ARG002 -- Finance & Operations honours none
        context: CallContext = NO_CONTEXT,
        force: bool = False,
    ) -> OrderState:
        """As the port has it; besides, `<service>-order-confirmed`, `-order-posted` and `-taken-over`."""
        entry = await self._references.entry("order", order_id)
        entry.refuse_older(order.source_version, force=force)
        content = content_of(order)
        found = await self._find(order_id, entry, context)
        replaced = None if found is None else entry.value.version or order.source_version
        stage = _stage(found)
        if stage is not Stage.OPEN:
            if entry.value.content not in {"", content}:
                raise self._theirs(_number(found), stage, "has changed since")
            await entry.save(number=_number(found), version=order.source_version, content=content, started="")
            return _state(order_id, _number(found), entry, stage.value, replaced)
        header = await self._header(order_id, order)
        if isinstance(found, Mapping):
            row: Row = found
        else:
            row = await self._reserve(order_id, order, header, entry, context)
        lot = await self._bring(row, header, order, entry, context, reserved=found is None)
        await entry.save(id=lot, version=order.source_version, content=content, started="")
        return _state(order_id, _number(row), entry, order.status, replaced)

    async def get_order(self, order_id: str, *, context: CallContext = NO_CONTEXT) -> OrderState:
        """As the port has it."""
        entry, found = await self._existing(order_id, context)
        return _state(order_id, _number(found), entry, _status(found), None)

    async def hold_order(
        self,
        order_id: str,
        *,
        reason: str,  # noqa: ARG002 -- a header has no field for it
        source_version: int,
        key: str,  # noqa: ARG002 -- as above
        context: CallContext = NO_CONTEXT,
    ) -> OrderState:
        """Stop its processing; besides, `<service>-order-confirmed` and `-order-posted`."""
        entry, found = await self._existing(order_id, context)
        entry.refuse_older(source_version)
        stage = _stage(found)
        if isinstance(found, Posted) or stage is not Stage.OPEN:
            raise self._theirs(_number(found), stage, "should be put on hold")
        if found[_STOPPED] == "Yes":  # but a change set whose answer was lost may still take it out of that
            self._unanswered.wait(entry)
        if changes := differing(found, {_STOPPED: "Yes"}):
            await self._company.update(ORDERS, found, changes, context)
        content = "on-hold" if found[LINES] else ""
        await entry.save(number=_number(found), version=source_version, content=content, started="")
        return _state(order_id, _number(found), entry, "on-hold", None)

    async def _find(self, order_id: str, entry: Entry, context: CallContext) -> "Row | Posted | None":
        number = entry.value.number or self._own_number(order_id)
        return await self._lookup.find(reference_of(order_id), number, context)

    async def _existing(self, order_id: str, context: CallContext) -> tuple[Entry, "Row | Posted"]:
        """The order; `OutcomeUnknown` where one may still come into being, `NotFound` where there is none."""
        entry = await self._references.entry("order", order_id)
        found = await self._find(order_id, entry, context)
        if found is not None:
            return entry, found
        self._unanswered.wait(entry)
        what = f"order with the customer reference {reference_of(order_id)}"
        raise not_there(self._company.service, what, table=ORDERS, record_id=order_id)

    async def _reserve(self, order_id: str, order: Order, header: Row, entry: Entry, context: CallContext) -> Row:
        """A stopped header without lines.

        That it is about to be asked for is written down first, so that neither a lost answer nor a process that ends
        here is taken for an order that was never asked for. With a number of ours there is nothing to wait for: a
        second one is refused. What is refused is looked for all the same, as a row can be saved although an exception
        is answered.
        """
        if not self._numbers:
            self._unanswered.wait(entry)
        await entry.save(id="", number="", content="", started=self._unanswered.now())
        number = {_NUMBER: self._own_number(order_id)} if self._numbers else {}
        day = order.closed_on or self._clock.now().date()
        new = {**header, **number, _STOPPED: "Yes", "RequestedShippingDate": f"{day.isoformat()}{_NOON}"}
        created = await self._company.create(ORDERS, new, context)
        if created.row is not None:
            return {**created.row, LINES: []}
        assert created.error is not None  # noqa: S101 -- without a row there is an error
        found = None
        if created.unknown or isinstance(created.error, Permanent):
            found = await self._lookup.find(reference_of(order_id), self._own_number(order_id), context)
        if isinstance(found, Mapping):
            return found
        if created.unknown and not self._numbers:
            raise self._unanswered.error() from created.error
        await entry.save(started="")
        raise created.error

    def _own_number(self, order_id: str) -> str:
        """The number that the app gives an order; empty where the number sequence does."""
        return number_of(order_id, self._options.number_prefix) if self._numbers else ""

    async def _header(self, order_id: str, order: Order) -> dict[str, Any]:
        customer = await self._customers.number_of(order.customer_id)
        header: dict[str, Any] = {
            REFERENCE: reference_of(order_id),
            "OrderingCustomerAccountNumber": customer,
            "InvoiceCustomerAccountNumber": customer,
            "CurrencyCode": order.currency,
        }
        if order.closed_on is not None:
            header["RequestedShippingDate"] = f"{order.closed_on.isoformat()}{_NOON}"
        return header

    async def _bring(
        self, row: Row, header: Row, order: Order, entry: Entry, context: CallContext, *, reserved: bool
    ) -> str:
        """Header and line, in one change set; the lot of the line, which stays the same for its life.

        `reserved`: nobody but this call knows of the header yet.
        """
        stopped = "No" if order.status == "confirmed" else "Yes"
        changes = differing(row, {**header, _STOPPED: stopped})
        wanted = {
            "LineDescription": cut(order.title, _LONGEST_DESCRIPTION),
            "OrderedSalesQuantity": 1,
            "SalesPrice": order.amount,
        }
        if not row[LINES] and not entry.value.id:
            if row[_STOPPED] != "Yes":  # without a change, its ETag would protect nothing
                await self._company.update(ORDERS, row, {_STOPPED: "Yes"}, context)
                raise self._conflict(row)
            if stopped == "Yes":  # without a line it is on hold by itself
                if not reserved:
                    self._unanswered.wait(entry)
                await entry.save(number=_number(row))
                return ""
            await entry.save(number=_number(row), started=self._unanswered.now())
            new = {_NUMBER: _number(row), "ItemNumber": self._options.item_number, **wanted, **self._from()}
            completed = [self._company.change(ORDERS, row, changes), self._company.addition(LINES, new)]
            _, line = await self._company.together(row, completed, context)
            return str(line.get(_LOT, ""))
        line = self._our_line(row, entry)
        lets_go = changes.get(_STOPPED) == "No"
        await entry.save(number=_number(row), started=self._unanswered.now() if lets_go else "")
        both = [self._company.change(ORDERS, row, changes)] if changes else []
        if line_changes := differing(line, wanted):
            both.append(self._company.change(LINES, line, line_changes))
        if both:
            await self._company.together(row, both, context)
        return str(line[_LOT])

    def _from(self) -> dict[str, Any]:
        """Where the item is shipped from."""
        fields = {"ShippingSiteId": self._options.site, "ShippingWarehouseId": self._options.warehouse}
        return {name: value for name, value in fields.items() if value}

    def _our_line(self, row: Row, entry: Entry) -> Row:
        """The line of the lot that is remembered; where none is, the only one, if it sells what ours would."""
        lines: list[Row] = list(row[LINES])
        if entry.value.id:
            ours = [line for line in lines if line[_LOT] == entry.value.id]
        else:
            ours = [line for line in lines if len(lines) == 1 and line["ItemNumber"] == self._options.item_number]
        if ours:
            return ours[0]
        raise taken_over(self._company.service, _number(row))

    def _conflict(self, row: Row) -> Transient:
        service = self._company.service
        said = f"people have taken order {_number(row)} out of its stop in {service} before it was complete: read again"
        return conflict(service, said)

    def _theirs(self, number: str, stage: Stage, why: str) -> Permanent:
        service = self._company.service
        if stage is Stage.POSTED:
            return posted(service, number, why)
        return Permanent(
            f"people have confirmed, delivered or cancelled order {number} in {service}, and it {why}: they have to "
            "change it there",
            reason=f"{service}-order-confirmed",
            service=service,
        )


def _stage(found: "Row | Posted | None") -> Stage:
    if found is None:
        return Stage.OPEN
    return Stage.POSTED if isinstance(found, Posted) else stage_of(found)


def _number(found: "Row | Posted | None") -> str:
    if isinstance(found, Posted):
        return found.number
    return "" if found is None else str(found[_NUMBER])


def _status(found: "Row | Posted") -> str:
    stage = _stage(found)
    if isinstance(found, Posted) or stage is not Stage.OPEN:
        return stage.value
    return "on-hold" if found[_STOPPED] == "Yes" or not found[LINES] else "confirmed"


def _state(order_id: str, number: str, entry: Entry, status: str, replaced: int | None) -> OrderState:
    return OrderState(
        id=order_id, number=number, status=status, source_version=entry.value.version, replaced_version=replaced
    )
