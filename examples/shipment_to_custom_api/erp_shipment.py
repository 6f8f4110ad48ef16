"""Shipments of the ERP: a custom API of Dataverse is called for each state of one; what it does is its plug-in's."""

from integration.flow import CustomApi, InboundFlow, Kit, Reading
from integration.systems import ErpRecords

flow = InboundFlow(
    "erp",
    "shipment",
    events=("shipment-posted", "shipment-changed"),
    custom_api=CustomApi(
        "new_ReportShipment",
        parameters={"OrderNumber": "text", "Status": "text", "ShippedOn": "moment"},
        repeat_key="RepeatKey",
        has_plug_in=True,
    ),
)


@flow.reading
async def shipment(kit: Kit) -> Reading | None:
    """How far the order of the shipment has come; nothing before it is shipped."""
    erp: ErpRecords = kit.system("erp")
    report = await erp.order_report(kit.record_id, context=kit.context)
    if report.status not in {"shipped", "invoiced"}:
        return None
    return Reading(
        report.number,
        {"OrderNumber": report.number, "Status": report.status, "ShippedOn": report.shipped_at},
    )
