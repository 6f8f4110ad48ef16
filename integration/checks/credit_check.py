"""May the opportunity have this amount? Credit scoring is asked before the save goes through.

What it has answered is kept with the opportunity, and its flow uses it once the change is saved: one charge for both.
"""

from integration.errors import Permanent
from integration.flows.opportunity import CHECK, flow, is_scored, scored, scored_with
from integration.synchronous import ALLOWED, Asked, Check, CheckResult, refused

check = Check(
    table=flow.table,
    messages=("Create", "Update"),
    attributes=("estimatedvalue", "customerid", "transactioncurrencyid"),
    unavailable="The credit of this customer cannot be checked at the moment, so the change was not saved. "
    "Please save it again in a few minutes.",
)


@check.answer
async def credit_check(asked: Asked) -> CheckResult:
    """An amount that credit scoring refuses is not saved.

    What somebody has to review is saved, and so is what scoring cannot judge: there, the flow says why.
    """
    try:
        row = await asked.row(flow)
        if not is_scored(row):
            return ALLOWED
        answer = await asked.once(
            CHECK, scored_with(row), lambda key: scored(row, asked.system("credit"), key, asked.now, asked.context)
        )
    except Permanent:
        return ALLOWED
    if answer["decision"] != "refused":
        return ALLOWED
    amount = f"{row.value.amount:,} {row.value.currency}" if row.value else "this amount"
    return refused(
        f"Credit scoring refuses {amount} for this customer, so the change was not saved. "
        "Enter a lower amount, or ask your credit department."
    )
