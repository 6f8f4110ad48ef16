"""Payments to vendors that the ERP has posted: each is published in Dataverse as a business event."""

from pydantic import AwareDatetime

from examples.business_events._apis import VENDOR_PAYMENT_POSTED
from integration.flow import InboundFlow, Kit, Reading
from integration.systems import Amount, Message
from integration.systems.rest import Resources


class Payment(Message):
    """What is taken of a payment."""

    number: str
    vendor: str
    amount: Amount
    currency: str
    posted_on: AwareDatetime | None = None


flow = InboundFlow("accounting", "payment", events=("vendor-payment-posted",), custom_api=VENDOR_PAYMENT_POSTED)


@flow.reading
async def payment(kit: Kit) -> Reading | None:
    """The payment as the ERP has it; nothing as long as it is not posted."""
    erp: Resources = kit.system("accounting")
    found = await erp.get(f"payments/{kit.record_id}", Payment, context=kit.context)
    if found.posted_on is None:
        return None
    return Reading(
        found.number,
        {
            "Number": found.number,
            "Vendor": found.vendor,
            "Amount": found.amount,
            "Currency": found.currency,
            "PostedOn": found.posted_on,
        },
    )
