"""The customers of the ERP with what they owe: `erpcustomers`."""

from integration.virtual_tables.edm import Edm
from integration.virtual_tables.entity_set import Column, EntitySet, Field, ServedBy
from integration.virtual_tables.keys import Number, RowId

_NONE = frozenset({""})

entity_set = EntitySet(
    name="erpcustomers",
    key="erpcustomerid",
    title="name",
    label="Customers of the ERP with their balances",
    columns=(
        Column("number", Edm.STRING, "Number", length=20, required=True),
        Column("name", Edm.STRING, "Name", length=100, required=True, writable=True, personal=True),
        Column("email", Edm.STRING, "E-mail", length=80, writable=True, personal=True),
        Column("phone", Edm.STRING, "Telephone", length=30, writable=True, personal=True),
        Column("city", Edm.STRING, "City", length=60, writable=True, personal=True),
        Column("currency", Edm.STRING, "Currency", length=10),
        Column("creditlimit", Edm.DECIMAL, "Credit limit", writable=True),
        Column("balance", Edm.DECIMAL, "Balance due"),
        Column("blocked", Edm.STRING, "Blocked", length=20),
        Column("changedon", Edm.DATE_TIME_OFFSET, "Changed on"),
    ),
    records="customer",
    creates=True,
    served={
        "rest-erp": ServedBy(
            "customers",
            key=RowId(),
            unique="customerNumber",
            fields={
                "number": Field("customerNumber"),
                "name": Field("name"),
                "email": Field("email"),
                "phone": Field("phone"),
                "city": Field("city"),
                "currency": Field("currency"),
                "balance": Field("balance"),
                "blocked": Field("onHold", words={"False": None, "True": "All"}),
            },
            read_only=True,
        ),
        "business-central": ServedBy(
            "customers",
            key=RowId(),
            unique="number",
            fields={
                "number": Field("number"),
                "name": Field("displayName"),
                "email": Field("email", nothing=_NONE),
                "phone": Field("phoneNumber", nothing=_NONE),
                "city": Field("city", nothing=_NONE),
                "currency": Field("currencyCode", nothing=_NONE),
                "creditlimit": Field("creditLimit"),
                "balance": Field("balanceDue"),
                "blocked": Field("blocked", words={"_x0020_": None, " ": None, "Ship": "Ship",
                                                   "Invoice": "Invoice", "All": "All"}),
                "changedon": Field("lastModifiedDateTime"),
            },
            defaults={"type": "Company"},
        ),
        "finance-operations": ServedBy(
            "CustomersV3",
            key=Number("CustomerAccount"),
            unique="CustomerAccount",
            fields={
                "number": Field("CustomerAccount"),
                "name": Field("OrganizationName"),
                "email": Field("PrimaryContactEmail", nothing=_NONE),
                "phone": Field("PrimaryContactPhone", nothing=_NONE),
                "city": Field("AddressCity", nothing=_NONE),
                "currency": Field("SalesCurrencyCode", nothing=_NONE),
                "creditlimit": Field("CreditLimit"),
                "blocked": Field(
                    "OnHoldStatus",
                    words={"No": None, "Invoice": "Invoice", "All": "All", "Payment": "Payment",
                           "Requisition": "Requisition", "Never": "Never"},
                    enum="Microsoft.Dynamics.DataEntities.CustVendorBlocked",
                ),
            },
        ),
    },
)  # fmt: skip
"""Finance & Operations has neither balance nor time of change in its customer entity, and creates no customer without
its group, so these are not there, and customers are created in Business Central only.
"""
