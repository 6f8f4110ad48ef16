"""Cases (incident): the ticketing system gets each over a queue, and follows it until it is resolved."""

from examples.case_to_ticketing.ticketing import Ticket, TicketQueue
from integration.flow import Answer, Columns, Flow, Kit, choice, expanded, lookup, moment, text


class Contact(Columns):
    """What is read of the contact that a case is about."""

    email = text("emailaddress1")


class Case(Columns):
    """What is read of a case."""

    title = text("title", default="(no title)")
    priority = choice("prioritycode", {1: "high", 2: "normal", 3: "low"})
    customer = lookup("customerid", to=("account", "contact"))
    contact = expanded("primarycontactid", Contact)
    answer_by = moment("responseby")
    state = choice("statecode", {0: "open", 1: "resolved", 2: "cancelled"}, default="open")


flow = Flow(Case, table="incident", entity_set="incidents", also_fired_by=("primarycontactid",), pre_image=("title",))


def ticket(row: Case) -> Ticket:
    """A case in the words of the ticketing system."""
    return Ticket(
        id=row.id,
        title=row.title,
        priority=row.priority,
        customer_id=row.customer.id if row.customer else None,
        contact_email=row.contact.email if row.contact else None,
        answer_by=row.answer_by,
        status=row.state,
        source_version=row.version,
    )


@flow.effect("ticket", system="ticketing", says=lambda answer: str(answer["status"]), done="the ticket is queued")
async def send(row: Case, kit: Kit, key: str) -> Answer:
    """Every state of a case is queued once, in order."""
    tickets: TicketQueue = kit.system("ticketing")
    await tickets.send(ticket(row), key=key)
    return {"status": row.state, "sourceVersion": row.version}


@flow.deleted("ticket")
async def withdraw(kit: Kit) -> str:
    """The ticket is withdrawn; its title is that of the pre image."""
    tickets: TicketQueue = kit.system("ticketing")
    title = kit.event.pre_image.get("title")
    withdrawn = Ticket(
        id=kit.record_id,
        title=title if isinstance(title, str) else "(no title)",
        priority=None,
        customer_id=None,
        contact_email=None,
        answer_by=None,
        status="withdrawn",
        source_version=kit.answer("ticket").get("sourceVersion", 0) + 1,
    )

    async def do(key: str) -> Answer:
        await tickets.send(withdrawn, key=key)
        return {"status": "withdrawn", "sourceVersion": withdrawn.source_version}

    await kit.once("ticket", ("withdrawn",), do)
    return "the ticket is withdrawn"
