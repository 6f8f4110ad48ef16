"""Customers in the ERP: whether they are on hold there, and what they owe, stands in their account or contact."""

from integration.flow import InboundFlow, Kit, Reading, amount_result, choice_result
from integration.systems import ErpRecords

flow = InboundFlow(
    "erp",
    "customer",
    events=("customer-changed", "customer-created"),
    tables={"account": "accounts", "contact": "contacts"},
    key="erpnumber",
    results=(
        choice_result(
            "erpcredit", "ERP credit", {1: "free", 2: "on-hold"}, holds="whether the ERP takes orders of the customer"
        ),
        amount_result("erpbalance", "ERP balance", holds="what is open, in the customer's currency in the ERP"),
    ),
    record_in=("CustomerAccount", "AccountNum"),
)


@flow.reading
async def customer(kit: Kit) -> Reading:
    """How the customer stands."""
    erp: ErpRecords = kit.system("erp")
    report = await erp.customer_report(kit.record_id, context=kit.context)
    return Reading(report.number, {"erpcredit": "on-hold" if report.on_hold else "free", "erpbalance": report.balance})
