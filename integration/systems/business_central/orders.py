"""Sales orders: reserved as a draft that nobody can release, then given the one line that makes them an order.

A draft without a line that has a quantity cannot be released ("There is nothing to release", codeunit 414 of the base
application), so neither shipped nor invoiced. That makes an order reservable, and is how one is put on hold.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from integration.clock import Clock
from integration.errors import NotFound, Permanent
from integration.systems.business_central.customers import Customers
from integration.systems.business_central.lookup import LINES, ORDERS, Lookup, Posted
from integration.systems.business_central.options import Options
from integration.systems.business_central.webservice import Company
from integration.systems.fingerprint import content_of
from integration.systems.messages import Order, OrderState
from integration.systems.odata.calls import Row, differing
from integration.systems.odata.keys import reference_of
from integration.systems.odata.refusals import conflict, not_there, posted, taken_over
from integration.systems.odata.texts import cut
from integration.systems.odata.unanswered import Unanswered
from integration.systems.references import Entry, References
from integration.systems.safety import Safety
from integration.transport import NO_CONTEXT, CallContext

_SEQUENCE = 10_000
"""The number of our line, unique within its order: a second one is refused."""
_LONGEST_TITLE, _LONGEST_REMARK = 100, 50


class Orders:
    """`OrderSystem` over the sales orders of one company.

    An order stays a draft until a person (or a workflow there) releases it, as API v2.0 cannot. What is released or
    posted is theirs: a change of it is refused, and a person has to decide.
    """

    safety: ClassVar[Mapping[str, Safety]] = {"put_order": Safety.RESERVED, "hold_order": Safety.STATE}

    def __init__(
        self, company: Company, customers: Customers, references: References, options: Options, clock: Clock
    ) -> None:
        self._company = company
        self._customers = customers
        self._references = references
        self._options = options
        self._unanswered = Unanswered(company.service, options.unknown_seconds, clock)
        self._lookup = Lookup(company)

    async def put_order(
        self,
        order_id: str,
        order: Order,
        *,
        key: str,  # noqa: ARG002 -- Business Central honours none
        context: CallContext = NO_CONTEXT,
        force: bool = False,
    ) -> OrderState:
        entry = await self._references.entry("order", order_id)
        entry.refuse_older(order.source_version, force=force)
        content = content_of(order)
        found = await self._lookup.find(reference_of(order_id), entry.value.id, context)
        replaced = None if found is None else entry.value.version or order.source_version
        if isinstance(found, Posted):
            if entry.value.content not in {"", content}:
                raise posted(self._company.service, found.number, "has changed since")
            await entry.save(number=found.number, version=order.source_version, content=content, started="")
            return _posted_state(order_id, found, entry, replaced)
        header = await self._header(order_id, order)
        row = found or await self._reserve(order_id, header, entry, context)
        lets_go = order.status == "confirmed" and _is_held(row)
        await entry.save(id=row["id"], number=row["number"], started=self._unanswered.now() if lets_go else "")
        if changes := differing(row, header):
            row = {**row, **await self._company.update(ORDERS, row, changes, context=context)}
        await self._bring_line(row, _line(order), entry, context)
        await entry.save(version=order.source_version, content=content, started="")
        return _state(order_id, row, entry, order.status, replaced)

    async def get_order(self, order_id: str, *, context: CallContext = NO_CONTEXT) -> OrderState:
        entry, found = await self._existing(order_id, context)
        if isinstance(found, Posted):
            return _posted_state(order_id, found, entry, None)
        return _state(order_id, found, entry, "on-hold" if _is_held(found) else "confirmed", None)

    async def hold_order(
        self,
        order_id: str,
        *,
        reason: str,
        source_version: int,
        key: str,  # noqa: ARG002 -- as above
        context: CallContext = NO_CONTEXT,
    ) -> OrderState:
        """Without a quantity, it cannot be released until it is ordered again; the reason stands beside it."""
        entry, found = await self._existing(order_id, context)
        entry.refuse_older(source_version)
        if isinstance(found, Posted):
            raise posted(self._company.service, found.number, "should be put on hold")
        if _is_held(found):  # but a request whose answer was lost may still give it a quantity
            self._unanswered.wait(entry)
        content = ""
        if found[LINES]:  # a draft without any is on hold by itself
            held = {"quantity": 0, "description2": cut(f"On hold: {reason}", _LONGEST_REMARK)}
            await self._bring_line(found, held, entry, context)
            content = "on-hold"
        await entry.save(id=found["id"], number=found["number"], version=source_version, content=content, started="")
        return _state(order_id, found, entry, "on-hold", None)

    async def _existing(self, order_id: str, context: CallContext) -> tuple[Entry, "Row | Posted"]:
        """The order; `OutcomeUnknown` where one may still come into being, `NotFound` where there is none."""
        entry = await self._references.entry("order", order_id)
        found = await self._lookup.find(reference_of(order_id), entry.value.id, context)
        if found is not None:
            return entry, found
        self._unanswered.wait(entry)
        what = f"order with the external document number {reference_of(order_id)}"
        raise not_there(self._company.service, what, table=ORDERS, record_id=order_id)

    async def _reserve(self, order_id: str, header: Row, entry: Entry, context: CallContext) -> Row:
        """A draft without lines.

        That it is about to be asked for is written down first, so that neither a lost answer nor a process that ends
        here is taken for an order that was never asked for.
        """
        self._unanswered.wait(entry)
        await entry.save(id="", number="", content="", started=self._unanswered.now())
        created = await self._company.create(ORDERS, header, context=context)
        if created.row is not None:
            return {**created.row, LINES: []}
        assert created.error is not None  # noqa: S101 -- without a row there is an error
        if not created.unknown:
            await entry.save(started="")
            raise created.error
        found = await self._lookup.find(reference_of(order_id), "", context)
        if found is None or isinstance(found, Posted):
            raise self._unanswered.error() from created.error
        return found

    async def _header(self, order_id: str, order: Order) -> dict[str, Any]:
        header: dict[str, Any] = {
            "externalDocumentNumber": reference_of(order_id),
            "customerNumber": await self._customers.number_of(order.customer_id),
            "currencyCode": "" if order.currency == self._options.local_currency else order.currency,
        }
        if order.closed_on is not None:
            header["orderDate"] = order.closed_on.isoformat()
        return header

    async def _bring_line(self, row: Row, wanted: Row, entry: Entry, context: CallContext) -> None:
        line = _our_line(row)
        if line is not None:
            if changes := differing(line, wanted):
                await self._company.update(LINES, line, changes, context=context)
            return
        if entry.value.content or row[LINES]:
            raise taken_over(self._company.service, row["number"])
        new = {
            "documentId": row["id"],
            "sequence": _SEQUENCE,
            "lineType": self._options.line_type,
            "lineObjectNumber": self._options.line_number,
        }
        created = await self._company.create(LINES, new | dict(wanted), context=context)
        if isinstance(created.error, Permanent) and await self._has_changed(row, context):
            raise conflict(self._company.service, str(created.error)) from created.error
        if created.error is not None:
            raise created.error

    async def _has_changed(self, row: Row, context: CallContext) -> bool:
        """Whether somebody was quicker: the line is there by now, or the draft was removed as one too many."""
        try:
            return _our_line(await self._company.get(ORDERS, row["id"], expand=LINES, context=context)) is not None
        except NotFound:
            return True


def _line(order: Order) -> dict[str, Any]:
    return {
        "description": cut(order.title, _LONGEST_TITLE),
        "description2": "",
        "quantity": 1 if order.status == "confirmed" else 0,
        "unitPrice": order.amount,
    }


def _our_line(row: Row) -> Row | None:
    return next((line for line in row[LINES] if line.get("sequence") == _SEQUENCE), None)


def _is_held(row: Row) -> bool:
    """Whether nobody can release it, as our line has no quantity or is not there."""
    line = _our_line(row)
    return line is None or not line.get("quantity")


def _state(order_id: str, row: Row, entry: Entry, status: str, replaced: int | None) -> OrderState:
    return OrderState(
        id=order_id,
        number=str(row["number"]),
        status=status,
        source_version=entry.value.version,
        replaced_version=replaced,
    )


def _posted_state(order_id: str, found: Posted, entry: Entry, replaced: int | None) -> OrderState:
    return OrderState(
        id=order_id,
        number=found.number,
        status="posted",
        source_version=entry.value.version,
        replaced_version=replaced,
    )
