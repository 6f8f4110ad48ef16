"""A flow whose events carry more than a message of the queue holds; the app of `run.py chaos large-events` has it."""

from integration.flow import Answer, Call, CustomApi, EventFlow, Kit
from integration.systems import Message
from integration.systems.rest import Resources


class Counted(Message):
    """What the loyalty programme gets."""

    note: str


class Booked(Message):
    """Nothing of its answer is needed."""


flow = EventFlow(CustomApi("new_LargePurchase", parameters={"Number": "text", "Note": "text"}), key="Number")


@flow.effect("loyalty-points", system="loyalty", done="the loyalty programme has counted the purchase")
async def count(call: Call, kit: Kit, key: str) -> Answer:
    """The purchase under its number, with all of its note."""
    loyalty: Resources = kit.system("loyalty")
    await loyalty.put(
        f"purchases/{call.key}", Counted(note=call.parameters["Note"]), Booked, key=key, context=kit.context
    )
    return {}
