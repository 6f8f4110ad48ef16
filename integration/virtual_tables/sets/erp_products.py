"""What the ERP sells: `erpproducts`. Products are shown, not written."""

from integration.virtual_tables.edm import Edm
from integration.virtual_tables.entity_set import Column, EntitySet, Field, ServedBy
from integration.virtual_tables.keys import Number, RowId

_NONE = frozenset({""})

entity_set = EntitySet(
    name="erpproducts",
    key="erpproductid",
    title="name",
    label="Products of the ERP",
    columns=(
        Column("number", Edm.STRING, "Number", length=20, required=True),
        Column("name", Edm.STRING, "Name", length=100),
        Column("unit", Edm.STRING, "Unit", length=10),
        Column("price", Edm.DECIMAL, "Price"),
        Column("cost", Edm.DECIMAL, "Cost"),
        Column("inventory", Edm.DECIMAL, "In stock"),
        Column("blocked", Edm.BOOLEAN, "Blocked"),
        Column("changedon", Edm.DATE_TIME_OFFSET, "Changed on"),
    ),
    freshness=60.0,
    served={
        "business-central": ServedBy(
            "items",
            key=RowId(),
            unique="number",
            fields={
                "number": Field("number"),
                "name": Field("displayName", nothing=_NONE),
                "unit": Field("baseUnitOfMeasureCode", nothing=_NONE),
                "price": Field("unitPrice"),
                "cost": Field("unitCost"),
                "inventory": Field("inventory"),
                "blocked": Field("blocked"),
                "changedon": Field("lastModifiedDateTime"),
            },
        ),
        "finance-operations": ServedBy(
            "ReleasedProductsV2",
            key=Number("ItemNumber"),
            unique="ItemNumber",
            fields={
                "number": Field("ItemNumber"),
                "name": Field("SearchName", nothing=_NONE),
                "unit": Field("SalesUnitSymbol", nothing=_NONE),
                "price": Field("SalesPrice"),
            },
        ),
    },
)
