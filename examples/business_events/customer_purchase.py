"""A customer has bought something: the loyalty programme counts it, once for each purchase."""

from examples.business_events._apis import CUSTOMER_PURCHASE
from integration.flow import Answer, Call, EventFlow, Kit
from integration.systems import Amount, Message
from integration.systems.rest import Resources


class Counted(Message):
    """What the loyalty programme gets."""

    customer: str
    total: Amount
    currency: str


class Booked(Message):
    """What is taken of its answer."""

    points: str


flow = EventFlow(CUSTOMER_PURCHASE, key="Number")


@flow.effect(
    "loyalty-points",
    system="loyalty",
    publishes=("points",),
    says=lambda answer: f"{answer['points']} points",
    done="the loyalty programme has counted the purchase",
)
async def count(call: Call, kit: Kit, key: str) -> Answer:
    """The purchase under its number, so that counting it again changes nothing."""
    loyalty: Resources = kit.system("loyalty")
    given = call.parameters
    body = Counted(customer=given["Customer"], total=given["Total"], currency=given["Currency"])
    booked = await loyalty.put(f"purchases/{call.key}", body, Booked, key=key, context=kit.context)
    return {"points": booked.points}
