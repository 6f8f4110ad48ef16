"""Customers, under a number that is ours: a second one of the same account cannot exist."""

from collections.abc import Mapping
from typing import Any, ClassVar

from integration.clock import Clock
from integration.errors import NotFound
from integration.systems.business_central.countries import Countries
from integration.systems.business_central.errors import AlreadyExists
from integration.systems.business_central.keys import customer_number
from integration.systems.business_central.options import Options
from integration.systems.business_central.webservice import Company, Row, differing
from integration.systems.messages import Customer, CustomerState
from integration.systems.references import Entry, References
from integration.systems.safety import Safety
from integration.transport import NO_CONTEXT, CallContext

_KIND = "customers"
_FREE, _BLOCKED = "_x0020_", "All"
"""Values of `blocked`; the first is how OData names a blank. `Ship` and `Invoice` are people's, and stay."""
_LONGEST_NAME = 100


class Customers:
    """`CustomerSystem` over the customers of one company.

    The number has to be free to set: "Manual Nos." of the number series of customers is on.
    """

    safety: ClassVar[Mapping[str, Safety]] = {
        "put_customer": Safety.CLIENT_SET_ID,
        "block_customer": Safety.STATE,
    }

    def __init__(self, company: Company, references: References, options: Options, clock: Clock) -> None:
        self._company = company
        self._references = references
        self._options = options
        self._countries = Countries(company, clock)

    async def number_of(self, customer_id: str) -> str:
        """The number of the customer of an account or contact, be it there or not."""
        entry = await self._references.entry("customer", customer_id)
        return self._number(entry, customer_id)

    async def put_customer(
        self,
        customer_id: str,
        customer: Customer,
        *,
        key: str,  # noqa: ARG002 -- Business Central honours none
        context: CallContext = NO_CONTEXT,
        force: bool = False,
    ) -> CustomerState:
        entry = await self._references.entry("customer", customer_id)
        entry.refuse_older(customer.source_version, force=force)
        wanted = await self._fields(customer, context)
        number = self._number(entry, customer_id)
        found = await self._find(entry, number, context)
        row = found or await self._create({"number": number, "blocked": _FREE} | wanted, entry, context)
        replaced = None if found is None else entry.value.version or customer.source_version
        row = await self._bring(row, wanted | _blocked(row, customer.status), context)
        await entry.save(id=row["id"], number=row["number"], version=customer.source_version)
        return _state(customer_id, row, entry, replaced)

    async def get_customer(self, customer_id: str, *, context: CallContext = NO_CONTEXT) -> CustomerState:
        entry, row = await self._existing(customer_id, context)
        return _state(customer_id, row, entry, None)

    async def block_customer(
        self,
        customer_id: str,
        *,
        reason: str,  # noqa: ARG002 -- a customer has no field for it
        source_version: int,
        key: str,  # noqa: ARG002 -- as above
        context: CallContext = NO_CONTEXT,
    ) -> CustomerState:
        entry, row = await self._existing(customer_id, context)
        entry.refuse_older(source_version)
        row = await self._bring(row, {"blocked": _BLOCKED}, context)
        await entry.save(id=row["id"], number=row["number"], version=source_version)
        return _state(customer_id, row, entry, None)

    async def _existing(self, customer_id: str, context: CallContext) -> tuple[Entry, Row]:
        entry = await self._references.entry("customer", customer_id)
        number = self._number(entry, customer_id)
        row = await self._find(entry, number, context)
        if row is None:
            service = self._company.service
            raise NotFound(
                f"{service} has no customer {number}",
                reason=f"{service}-not-found",
                service=service,
                table=_KIND,
                record_id=customer_id,
            )
        return entry, row

    def _number(self, entry: Entry, customer_id: str) -> str:
        """The number that is remembered, or else the one that it gets."""
        return entry.value.number or customer_number(customer_id, self._options.number_prefix)

    async def _find(self, entry: Entry, number: str, context: CallContext) -> Row | None:
        """By number; by the id that is remembered where people have given the customer another number."""
        rows = await self._company.find(_KIND, "number", number, context=context)
        if rows:
            return rows[0]
        if not entry.value.id:
            return None
        try:
            return await self._company.get(_KIND, entry.value.id, context=context)
        except NotFound:
            return None

    async def _create(self, values: Row, entry: Entry, context: CallContext) -> Row:
        created = await self._company.create(_KIND, values, context=context)
        if created.row is not None:
            return created.row
        if isinstance(created.error, AlreadyExists):  # by an attempt that was still at work when it was looked for
            found = await self._find(entry, str(values["number"]), context)
            if found is not None:
                return found
        assert created.error is not None  # noqa: S101 -- without a row there is an error
        raise created.error

    async def _bring(self, row: Row, wanted: Row, context: CallContext) -> Row:
        changes = differing(row, wanted)
        return await self._company.update(_KIND, row, changes, context=context) if changes else row

    async def _fields(self, customer: Customer, context: CallContext) -> dict[str, Any]:
        """The fields that the app owns: what was set, and an empty text for what the customer does not have."""
        given = customer.model_fields_set
        fields: dict[str, Any] = {
            "displayName": customer.name[:_LONGEST_NAME],
            "type": "Person" if customer.kind == "person" else "Company",
        }
        for name, theirs in (("email", "email"), ("phone", "phoneNumber"), ("tax_number", "taxRegistrationNumber")):
            if name in given:
                fields[theirs] = getattr(customer, name) or ""
        if "currency" in given:
            local = customer.currency == self._options.local_currency
            fields["currencyCode"] = "" if local else customer.currency or ""
        address = customer.address
        if address is not None:
            for name, theirs in _ADDRESS.items():
                if name in address.model_fields_set:
                    fields[theirs] = getattr(address, name) or ""
            if "postal_code" in address.model_fields_set:
                fields["postalCode"] = (address.postal_code or "").strip().upper()  # a code field
            if "country" in address.model_fields_set:
                fields["country"] = await self._countries.code_of(address.country or "", context)
        return fields


_ADDRESS = {"line1": "addressLine1", "line2": "addressLine2", "city": "city", "region": "state"}


def _blocked(row: Row, status: str) -> dict[str, Any]:
    """Only `All` and blank are ours: if people have blocked shipping or invoicing, an active customer stays so."""
    if status == "blocked":
        return {"blocked": _BLOCKED}
    return {"blocked": _FREE} if row.get("blocked") == _BLOCKED else {}


def _state(customer_id: str, row: Row, entry: Entry, replaced: int | None) -> CustomerState:
    return CustomerState(
        id=customer_id,
        number=str(row["number"]),
        status="blocked" if row.get("blocked") == _BLOCKED else "active",
        source_version=entry.value.version,
        replaced_version=replaced,
    )
