"""The customers of one legal entity."""

from typing import Any

from integration.clock import Clock
from integration.errors import Permanent
from integration.systems.finance_operations.options import Options
from integration.systems.finance_operations.webservice import CUSTOMERS, Company
from integration.systems.messages import Address, Customer
from integration.systems.odata.calls import Creation, Row
from integration.systems.odata.countries import Countries, Named
from integration.systems.odata.customers import Names, NumberedCustomers
from integration.systems.odata.texts import cut, whole
from integration.systems.references import References
from integration.transport import CallContext

_NAME, _PERSON_NAME = 100, 25
_LENGTHS = {"email": 255, "phone": 255, "tax_number": 20}


class Customers(NumberedCustomers):
    """`CustomerSystem` over the entity CustomersV3.

    Its number sequence has to allow manual numbers: the entity asks for a number in any case. A customer whose account
    number people change is found by the number of its party. Of the values of OnHoldStatus, `No` and `All` are ours.

    A refused creation is looked for: a row can be saved although an exception is answered
    (github.com/microsoft/Dynamics-AX-Integration, issue 87).
    """

    names = Names(
        number="CustomerAccount",
        identity="PartyNumber",
        block="OnHoldStatus",
        free="No",
        blocked="All",
        tax_number="TaxExemptNumber",
        currency="SalesCurrencyCode",
    )
    taken = Permanent

    def __init__(self, company: Company, references: References, options: Options, clock: Clock) -> None:
        super().__init__(company.service, references, options.number_prefix, options.match_by)
        self._company = company
        self._options = options
        self._countries = Countries(self._named_countries, clock)

    async def _all_by(self, field: str, value: str, context: CallContext) -> list[Row]:
        return await self._company.find(CUSTOMERS, {field: value}, context)

    async def _create(self, values: Row, context: CallContext) -> Creation:
        return await self._company.create(CUSTOMERS, values, context)

    async def _update(self, row: Row, changes: Row, context: CallContext) -> Row:
        await self._company.update(CUSTOMERS, row, changes, context)
        return {**row, **changes}

    def _only_new(self, customer: Customer) -> dict[str, Any]:
        return {
            "PartyType": "Person" if customer.kind == "person" else "Organization",
            "CustomerGroupId": self._options.customer_group,
            "SalesCurrencyCode": self._options.local_currency,
        }

    async def _fields(self, customer: Customer, context: CallContext) -> dict[str, Any]:
        given = customer.model_fields_set
        fields: dict[str, Any] = _name(customer)
        for name, theirs in _CONTACT.items():
            if name in given:
                fields[theirs] = whole(
                    getattr(customer, name), _LENGTHS[name], field=theirs, service=self._company.service
                )
        if customer.currency:
            fields["SalesCurrencyCode"] = customer.currency
        if customer.address is not None:
            fields |= await self._address(customer.address, context)
        return fields

    async def _address(self, address: Address, context: CallContext) -> dict[str, Any]:
        given = address.model_fields_set
        fields: dict[str, Any] = {}
        if given & {"line1", "line2"}:
            lines = [cut(line, 120) for line in (address.line1, address.line2)]
            fields["AddressStreet"] = ", ".join(filter(None, lines))
        for name, (theirs, length) in _ADDRESS.items():
            if name in given:
                fields[theirs] = cut(getattr(address, name), length)
        if "country" in given:
            fields["AddressCountryRegionId"] = await self._countries.code_of(address.country or "", context)
        return fields

    async def _named_countries(self, context: CallContext) -> Named:
        """By the codes of ISO 3166 with two letters, and by the names in all languages that are entered there."""
        codes = await self._company.shared("AddressCountryRegions", context)
        names = await self._company.shared("AddressCountryRegionTranslations", context)
        named = [(str(row.get("ISOcode") or ""), str(row["CountryRegion"])) for row in codes]
        for row in names:
            named += [(str(row.get(name) or ""), str(row["CountryRegionId"])) for name in ("ShortName", "LongName")]
        return [(name, code) for name, code in named if name]


_CONTACT = {"email": "PrimaryContactEmail", "phone": "PrimaryContactPhone", "tax_number": "TaxExemptNumber"}
_ADDRESS = {"city": ("AddressCity", 60), "region": ("AddressState", 10), "postal_code": ("AddressZipCode", 10)}


def _name(customer: Customer) -> dict[str, Any]:
    """A person has a first and a last name, an organisation has one name."""
    if customer.kind == "organisation":
        return {"OrganizationName": cut(customer.name, _NAME)}
    first, _, last = cut(customer.name, _NAME).rpartition(" ")
    return {"PersonFirstName": cut(first, _PERSON_NAME), "PersonLastName": cut(last, _PERSON_NAME)}
