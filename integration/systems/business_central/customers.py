"""The customers of one company."""

from typing import Any

from integration.clock import Clock
from integration.errors import NotFound
from integration.systems.business_central.errors import AlreadyExists
from integration.systems.business_central.options import Options
from integration.systems.business_central.webservice import Company
from integration.systems.messages import Customer
from integration.systems.odata.calls import Creation, Row
from integration.systems.odata.countries import Countries, Named
from integration.systems.odata.customers import Names, NumberedCustomers
from integration.systems.odata.texts import cut, whole
from integration.systems.references import References
from integration.transport import CallContext

_KIND = "customers"
_LONGEST_NAME = 100
_LENGTHS = {"email": 80, "phone": 30, "tax_number": 20}
_ADDRESS_LENGTHS = {"line1": 100, "line2": 50, "city": 30, "region": 30}
_POSTAL_CODE = 20
"""Lengths of the fields of table 18 (Customer) of the base application."""


class Customers(NumberedCustomers):
    """`CustomerSystem` over the customers of one company.

    The number has to be free to set: "Manual Nos." of the number series of customers is on. `_x0020_` is how OData
    names a blank; the blocks `Ship` and `Invoice` are people's.
    """

    names = Names(
        number="number",
        identity="id",
        block="blocked",
        free="_x0020_",
        blocked="All",
        tax_number="taxRegistrationNumber",
        currency="currencyCode",
    )
    taken = AlreadyExists

    def __init__(self, company: Company, references: References, options: Options, clock: Clock) -> None:
        super().__init__(company.service, references, options.number_prefix, options.match_by)
        self._company = company
        self._options = options
        self._countries = Countries(self._named_countries, clock)

    async def _by(self, field: str, value: str, context: CallContext) -> Row | None:
        if field == self.names.identity:
            try:
                return await self._company.get(_KIND, value, context=context)
            except NotFound:
                return None
        return await super()._by(field, value, context)

    async def _all_by(self, field: str, value: str, context: CallContext) -> list[Row]:
        return await self._company.find(_KIND, field, value, context=context)

    async def _create(self, values: Row, context: CallContext) -> Creation:
        return await self._company.create(_KIND, values, context=context)

    async def _update(self, row: Row, changes: Row, context: CallContext) -> Row:
        return await self._company.update(_KIND, row, changes, context=context)

    def _only_new(self, customer: Customer) -> dict[str, Any]:  # noqa: ARG002 -- nothing is people's alone
        return {}

    async def _fields(self, customer: Customer, context: CallContext) -> dict[str, Any]:
        given = customer.model_fields_set
        fields: dict[str, Any] = {
            "displayName": cut(customer.name, _LONGEST_NAME),
            "type": "Person" if customer.kind == "person" else "Company",
        }
        for name, theirs in (("email", "email"), ("phone", "phoneNumber"), ("tax_number", "taxRegistrationNumber")):
            if name in given:
                fields[theirs] = whole(
                    getattr(customer, name), _LENGTHS[name], field=theirs, service=self._company.service
                )
        if "currency" in given:
            local = customer.currency == self._options.local_currency
            fields["currencyCode"] = "" if local else customer.currency or ""
        address = customer.address
        if address is not None:
            for name, theirs in _ADDRESS.items():
                if name in address.model_fields_set:
                    fields[theirs] = cut(getattr(address, name), _ADDRESS_LENGTHS[name])
            if "postal_code" in address.model_fields_set:
                fields["postalCode"] = cut(address.postal_code, _POSTAL_CODE).upper()  # a code field
            if "country" in address.model_fields_set:
                fields["country"] = await self._countries.code_of(address.country or "", context)
        return fields

    async def _named_countries(self, context: CallContext) -> Named:
        rows = await self._company.all("countriesRegions", context=context)
        return [(str(row.get("displayName", "")), str(row["code"])) for row in rows]


_ADDRESS = {"line1": "addressLine1", "line2": "addressLine2", "city": "city", "region": "state"}
