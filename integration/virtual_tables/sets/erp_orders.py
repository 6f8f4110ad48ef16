"""The sales orders of the ERP that are not posted yet: `erporders`. They are shown, not written."""

from integration.virtual_tables.edm import Edm
from integration.virtual_tables.entity_set import Column, EntitySet, Field, ServedBy
from integration.virtual_tables.keys import Number, RowId

_NONE = frozenset({""})
_NO_DATE = frozenset({"0001-01-01"})
_STATUS = "Microsoft.Dynamics.DataEntities.SalesStatus"

entity_set = EntitySet(
    name="erporders",
    key="erporderid",
    title="number",
    label="Sales orders of the ERP",
    columns=(
        Column("number", Edm.STRING, "Number", length=20, required=True),
        Column("reference", Edm.STRING, "Reference of the customer", length=60),
        Column("customernumber", Edm.STRING, "Number of the customer", length=20),
        Column("customername", Edm.STRING, "Customer", length=100),
        Column("customerid", Edm.GUID, "Customer (row of erpcustomers)"),
        Column("orderdate", Edm.DATE_TIME_OFFSET, "Order date", day=True),
        Column("currency", Edm.STRING, "Currency", length=10),
        Column("amount", Edm.DECIMAL, "Amount without tax"),
        Column("status", Edm.STRING, "Status", length=40),
        Column("changedon", Edm.DATE_TIME_OFFSET, "Changed on"),
    ),
    records="order",
    served={
        "rest-erp": ServedBy(
            "orders",
            key=RowId(),
            unique="orderNumber",
            fields={
                "number": Field("orderNumber"),
                "customerid": Field("customerId"),
                "currency": Field("currency"),
                "amount": Field("amount"),
                "status": Field("status"),
            },
            read_only=True,
        ),
        "business-central": ServedBy(
            "salesOrders",
            key=RowId(),
            unique="number",
            fields={
                "number": Field("number"),
                "reference": Field("externalDocumentNumber", nothing=_NONE),
                "customernumber": Field("customerNumber", nothing=_NONE),
                "customername": Field("customerName", nothing=_NONE),
                "customerid": Field("customerId", nothing=frozenset({"00000000-0000-0000-0000-000000000000"})),
                "orderdate": Field("orderDate", nothing=_NO_DATE, is_date=True),
                "currency": Field("currencyCode", nothing=_NONE),
                "amount": Field("totalAmountExcludingTax"),
                "status": Field(
                    "status",
                    words={"Draft": "Draft", "In_x0020_Review": "In review", "In Review": "In review",
                           "Open": "Released"},
                ),
                "changedon": Field("lastModifiedDateTime"),
            },
        ),
        "finance-operations": ServedBy(
            "SalesOrderHeadersV2",
            key=Number("SalesOrderNumber"),
            unique="SalesOrderNumber",
            fields={
                "number": Field("SalesOrderNumber"),
                "reference": Field("CustomersOrderReference", nothing=_NONE),
                "customernumber": Field("OrderingCustomerAccountNumber", nothing=_NONE),
                "currency": Field("CurrencyCode", nothing=_NONE),
                "status": Field(
                    "SalesOrderStatus",
                    words={"None": None, "Backorder": "Open", "Delivered": "Delivered", "Invoiced": "Invoiced",
                           "Canceled": "Canceled"},
                    enum=_STATUS,
                ),
            },
        ),
    },
)  # fmt: skip
