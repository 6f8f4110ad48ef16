"""The fields of each entity: their defaults, what a client may write, and how long a text may be.

Names as in the metadata of an environment; only those that the app or a test uses are here.
"""

import unicodedata
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from sandbox.systems.finance_operations.errors import FinanceOperationsError, bad_query, refused
from sandbox.systems.odata import Fields

_ENUMS = "Microsoft.Dynamics.DataEntities."


@dataclass(frozen=True, slots=True)
class Enum:
    """An enumeration: its full name and its members."""

    name: str
    members: frozenset[str]


NO_YES = Enum(f"{_ENUMS}NoYes", frozenset({"No", "Yes"}))
ON_HOLD = Enum(f"{_ENUMS}CustVendorBlocked", frozenset({"No", "Invoice", "All", "Payment", "Requisition", "Never"}))
STATUS = Enum(f"{_ENUMS}SalesStatus", frozenset({"None", "Backorder", "Delivered", "Invoiced", "Canceled"}))
PROCESSING = Enum(
    f"{_ENUMS}SalesOrderProcessingStatus",
    frozenset({
        "Active", "Confirmed", "Picked", "PartiallyDelivered", "Delivered", "PartiallyInvoiced", "Invoiced", "Cancelled"
    }),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entity:
    """`key` is the part of the key beside `dataAreaId`; without one, the rows are of no company, and only read."""

    name: str
    key: str
    defaults: dict[str, Any]
    read_only: frozenset[str] = frozenset()
    longest: dict[str, int] = field(default_factory=dict)
    enums: dict[str, Enum] = field(default_factory=dict)

    @property
    def fields(self) -> Fields:
        """What a filter may name."""
        return Fields(
            frozenset(self.defaults) | {"dataAreaId"},
            {name: enum.name for name, enum in self.enums.items()},
            wildcards=True,
        )

    def taken(self, body: dict[str, Any]) -> dict[str, Any]:
        """What of a body is stored; annotations are ignored."""
        taken = {}
        for name, value in body.items():
            if "@" in name or name == "dataAreaId":
                continue
            if name not in self.defaults:
                raise bad_query(f"The property '{name}' does not exist on type '{_ENUMS}{self.name}'.")
            if name in self.read_only:
                raise refused(self.name, f"Error: The field {name} cannot be edited.")
            taken[name] = self._value(name, value)
        return taken

    def _value(self, name: str, value: Any) -> Any:
        default = self.defaults[name]
        enum = self.enums.get(name)
        if enum is not None and value not in enum.members:
            raise bad_query(f"Cannot convert the literal '{value}' to the expected type '{enum.name}'.")
        if isinstance(default, str):
            if not isinstance(value, str):
                raise bad_query(f"Cannot convert the value of '{name}' to the expected type 'Edm.String'.")
            return self._text(name, value)
        try:
            return float(Decimal(str(value)))
        except InvalidOperation as wrong:
            raise bad_query(f"Cannot convert the value of '{name}' to the expected type 'Edm.Decimal'.") from wrong

    def _text(self, name: str, value: str) -> str:
        if any(unicodedata.category(it) == "Cc" for it in value):
            raise self._refused(f"The value of {name} has an invalid character.")
        if len(value) > self.longest.get(name, 255):
            raise self._refused(f"The value of {name} exceeds the maximum length of {self.longest.get(name, 255)}.")
        return value

    def _refused(self, said: str) -> FinanceOperationsError:
        return refused(self.name, f"Warning: {said}")


CUSTOMERS = Entity(
    "CustCustomerV3Entity",
    "CustomerAccount",
    {
        "CustomerAccount": "", "PartyNumber": "", "PartyType": "Organization", "OrganizationName": "",
        "PersonFirstName": "", "PersonLastName": "", "CustomerGroupId": "", "SalesCurrencyCode": "",
        "PrimaryContactEmail": "", "PrimaryContactPhone": "", "TaxExemptNumber": "", "AddressStreet": "",
        "AddressCity": "", "AddressState": "", "AddressZipCode": "", "AddressCountryRegionId": "",
        "OnHoldStatus": "No", "CreditLimit": 0.0, "SalesMemo": "",
    },
    read_only=frozenset({"PartyNumber"}),
    longest={"CustomerAccount": 20, "OrganizationName": 100, "PersonFirstName": 25, "PersonLastName": 25,
             "CustomerGroupId": 10, "SalesCurrencyCode": 3, "TaxExemptNumber": 20, "AddressStreet": 250,
             "AddressCity": 60, "AddressState": 10, "AddressZipCode": 10, "AddressCountryRegionId": 10},
    enums={"OnHoldStatus": ON_HOLD},
)  # fmt: skip
ORDERS = Entity(
    "SalesOrderHeaderV2Entity",
    "SalesOrderNumber",
    {
        "SalesOrderNumber": "", "OrderingCustomerAccountNumber": "", "InvoiceCustomerAccountNumber": "",
        "CurrencyCode": "", "RequestedShippingDate": "", "CustomersOrderReference": "",
        "CustomerRequisitionNumber": "", "SalesOrderOriginCode": "", "IsSalesProcessingStopped": "No",
        "SalesOrderStatus": "Backorder", "SalesOrderProcessingStatus": "Active",
    },
    read_only=frozenset({"SalesOrderStatus", "SalesOrderProcessingStatus"}),
    longest={"SalesOrderNumber": 20, "OrderingCustomerAccountNumber": 20, "InvoiceCustomerAccountNumber": 20,
             "CurrencyCode": 3, "CustomersOrderReference": 60, "CustomerRequisitionNumber": 50},
    enums={"IsSalesProcessingStopped": NO_YES, "SalesOrderStatus": STATUS,
           "SalesOrderProcessingStatus": PROCESSING},
)  # fmt: skip
LINES = Entity(
    "SalesOrderLineV2Entity",
    "InventoryLotId",
    {
        "InventoryLotId": "", "SalesOrderNumber": "", "ItemNumber": "", "LineDescription": "",
        "OrderedSalesQuantity": 1.0, "SalesPrice": 0.0, "LineAmount": 0.0, "ShippingSiteId": "",
        "ShippingWarehouseId": "",
    },
    read_only=frozenset({"LineAmount"}),
    longest={"ItemNumber": 20, "LineDescription": 1000, "ShippingSiteId": 10, "ShippingWarehouseId": 10},
)  # fmt: skip
INVOICES = Entity(
    "SalesInvoiceHeaderV2Entity",
    "InvoiceNumber",
    {"InvoiceNumber": "", "SalesOrderNumber": "", "CustomersOrderReference": "", "TotalInvoiceAmount": 0.0},
)
PRODUCTS = Entity(
    "EcoResReleasedProductV2Entity",
    "ItemNumber",
    {"ItemNumber": "", "ProductNumber": "", "SearchName": "", "SalesUnitSymbol": "ea", "SalesPrice": 0.0},
    longest={"ItemNumber": 20, "SearchName": 20, "SalesUnitSymbol": 10},
)
COUNTRIES = Entity("LogisticsAddressCountryRegionEntity", "", {"CountryRegion": "", "ISOcode": ""})
NAMES = Entity(
    "LogisticsAddressCountryRegionTranslationEntity",
    "",
    {"CountryRegionId": "", "LanguageId": "", "ShortName": "", "LongName": ""},
)
ENTITIES = {
    "CustomersV3": CUSTOMERS, "SalesOrderHeadersV2": ORDERS, "SalesOrderLines": LINES,
    "SalesInvoiceHeadersV2": INVOICES, "ReleasedProductsV2": PRODUCTS,
    "AddressCountryRegions": COUNTRIES, "AddressCountryRegionTranslations": NAMES,
}  # fmt: skip
