"""Purchases at a point of sale: each is published in Dataverse as a business event."""

from pydantic import AwareDatetime

from examples.business_events._apis import CUSTOMER_PURCHASE
from integration.flow import InboundFlow, Kit, Reading
from integration.systems import Amount, Message
from integration.systems.rest import Resources


class Purchase(Message):
    """What is taken of a purchase."""

    number: str
    customer: str
    total: Amount
    currency: str
    purchased_on: AwareDatetime


flow = InboundFlow("pos", "purchase", events=("customer-purchase",), custom_api=CUSTOMER_PURCHASE)


@flow.reading
async def purchase(kit: Kit) -> Reading:
    """The purchase as the point of sale has it."""
    pos: Resources = kit.system("pos")
    found = await pos.get(f"purchases/{kit.record_id}", Purchase, context=kit.context)
    return Reading(
        found.number,
        {
            "Number": found.number,
            "Customer": found.customer,
            "Total": found.total,
            "Currency": found.currency,
            "PurchasedOn": found.purchased_on,
        },
    )
