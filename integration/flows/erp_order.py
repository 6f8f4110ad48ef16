"""Orders in the ERP: how far each has come stands in its opportunity."""

from integration.flow import InboundFlow, Kit, Reading, choice_result, moment_result
from integration.systems import ErpRecords

flow = InboundFlow(
    "erp",
    "order",
    events=("order-changed", "order-shipped"),
    tables={"opportunity": "opportunities"},
    key="erpnumber",
    results=(
        choice_result(
            "erporderstatus",
            "ERP order status",
            {1: "confirmed", 2: "on-hold", 3: "shipped", 4: "invoiced", 5: "cancelled"},
            holds="how far the order has come in the ERP",
        ),
        moment_result("erpshippedon", "ERP shipped on", holds="when the last of it was shipped"),
    ),
    record_in=("SalesOrderNumber", "SalesId"),
    business_events={"SalesInvoicePostedBusinessEvent": "order-changed"},
)


@flow.reading
async def order(kit: Kit) -> Reading:
    """How far the order has come."""
    erp: ErpRecords = kit.system("erp")
    report = await erp.order_report(kit.record_id, context=kit.context)
    return Reading(report.number, {"erporderstatus": report.status, "erpshippedon": report.shipped_at})
