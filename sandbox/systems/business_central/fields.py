"""The fields of each kind of row: their defaults, what a client may write, and how long a text may be."""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from sandbox.systems.business_central.errors import BusinessCentralError, bad_request

ZERO_ID = "00000000-0000-0000-0000-000000000000"
BLANK = "_x0020_"
"""A blank option value, as OData names it."""


@dataclass(frozen=True, slots=True)
class Kind:
    """Defaults of all fields; those that are read-only; longest texts; code fields, stored in upper case."""

    defaults: dict[str, Any]
    read_only: frozenset[str]
    longest: dict[str, int]
    codes: frozenset[str]

    @property
    def names(self) -> frozenset[str]:
        """All fields that a filter may name."""
        return frozenset(self.defaults) | {"id", "lastModifiedDateTime"}

    def taken(self, body: dict[str, Any]) -> dict[str, Any]:
        """What of a body is stored: ids are ignored, code fields are trimmed and put in upper case."""
        taken = {}
        for name, value in body.items():
            if name == "id" or name.startswith("@"):
                continue
            if name not in self.defaults:
                raise bad_request(f"The property '{name}' does not exist on this type.")
            if name in self.read_only:
                raise bad_request(f"The property '{name}' is read-only.")
            taken[name] = self._value(name, value)
        return taken

    def _value(self, name: str, value: Any) -> Any:
        default = self.defaults[name]
        if isinstance(default, str):
            if not isinstance(value, str):
                raise bad_request(f"Cannot convert the value of '{name}' to the expected type 'Edm.String'.")
            text = value.strip().upper() if name in self.codes else value
            if len(text) > self.longest.get(name, 100):
                said = f"The length of the string in '{name}' exceeds the maximum length of {self.longest[name]}."
                raise BusinessCentralError(400, "Application_StringExceededLength", said)
            return text
        if isinstance(default, float):
            try:
                return float(Decimal(str(value)))
            except InvalidOperation as wrong:
                raise bad_request(f"Cannot convert the value of '{name}' to 'Edm.Decimal'.") from wrong
        return value


CUSTOMERS = Kind(
    defaults={
        "number": "", "displayName": "", "type": "Company", "addressLine1": "", "addressLine2": "", "city": "",
        "state": "", "country": "", "postalCode": "", "phoneNumber": "", "email": "", "website": "",
        "salespersonCode": "", "balanceDue": 0.0, "creditLimit": 0.0, "taxRegistrationNumber": "",
        "currencyCode": "", "blocked": BLANK,
    },
    read_only=frozenset({"balanceDue", "lastModifiedDateTime"}),
    longest={"number": 20, "displayName": 100, "addressLine1": 100, "addressLine2": 50, "city": 30, "state": 30,
             "country": 10, "postalCode": 20, "phoneNumber": 30, "email": 80, "currencyCode": 10,
             "taxRegistrationNumber": 20},
    codes=frozenset({"number", "country", "postalCode", "currencyCode"}),
)  # fmt: skip
ORDERS = Kind(
    defaults={
        "number": "", "externalDocumentNumber": "", "orderDate": "", "postingDate": "", "customerId": ZERO_ID,
        "customerNumber": "", "customerName": "", "currencyCode": "", "requestedDeliveryDate": "",
        "totalAmountExcludingTax": 0.0, "status": "Draft", "fullyShipped": False,
    },
    read_only=frozenset({"number", "customerName", "totalAmountExcludingTax", "status", "fullyShipped"}),
    longest={"externalDocumentNumber": 35, "currencyCode": 10, "customerNumber": 20},
    codes=frozenset({"externalDocumentNumber", "customerNumber", "currencyCode"}),
)  # fmt: skip
LINES = Kind(
    defaults={
        "documentId": ZERO_ID, "sequence": 0, "lineType": "Item", "lineObjectNumber": "", "description": "",
        "description2": "", "quantity": 0.0, "unitPrice": 0.0, "discountPercent": 0.0, "amountExcludingTax": 0.0,
    },
    read_only=frozenset({"amountExcludingTax"}),
    longest={"description": 100, "description2": 50, "lineObjectNumber": 20},
    codes=frozenset({"lineObjectNumber"}),
)  # fmt: skip
POSTED = Kind(
    defaults={
        "number": "", "externalDocumentNumber": "", "customerNumber": "", "orderId": ZERO_ID, "orderNumber": "",
        "totalAmountExcludingTax": 0.0, "currencyCode": "",
    },
    read_only=frozenset(),
    longest={},
    codes=frozenset(),
)  # fmt: skip
ITEMS = Kind(
    defaults={
        "number": "", "displayName": "", "type": "Inventory", "baseUnitOfMeasureCode": "PCS", "unitPrice": 0.0,
        "unitCost": 0.0, "inventory": 0.0, "blocked": False,
    },
    read_only=frozenset({"inventory"}),
    longest={"number": 20, "displayName": 100, "baseUnitOfMeasureCode": 10},
    codes=frozenset({"number", "baseUnitOfMeasureCode"}),
)  # fmt: skip
COUNTRIES = Kind({"code": "", "displayName": ""}, frozenset(), {}, frozenset())
KINDS = {
    "customers": CUSTOMERS, "items": ITEMS, "salesOrders": ORDERS, "salesOrderLines": LINES, "salesInvoices": POSTED,
    "salesShipments": POSTED, "countriesRegions": COUNTRIES,
}  # fmt: skip
