"""Leads: marketing has each of them as a prospect until it is qualified or deleted."""

from integration.flow import Answer, Columns, Flow, Kit, choice, choices, text, text_result, yes_no
from integration.systems import Message
from integration.systems.rest import Resources


class Lead(Columns):
    """What is read of a lead."""

    name = text("fullname", default="(no name)").also_fired_by("firstname", "lastname")
    company = text("companyname")
    email = text("emailaddress1")
    temperature = choice("leadqualitycode", {1: "hot", 2: "warm", 3: "cold"})
    interests = choices("new_interests", {1: "bikes", 2: "service", 3: "rental"})
    no_mail = yes_no("donotbulkemail")
    state = choice("statecode", {0: "open", 1: "qualified", 2: "disqualified"}, default="open")


class Prospect(Message):
    """What marketing gets."""

    name: str
    company: str | None
    email: str | None
    temperature: str | None
    interests: list[str]
    may_be_mailed: bool
    source_version: int


class Known(Message):
    """What is taken of marketing's answer."""

    number: str


flow = Flow(
    Lead,
    table="lead",
    entity_set="leads",
    results=(text_result("prospectnumber", "Prospect number", max_length=50, holds="the prospect in marketing"),),
)


def prospect(row: Lead) -> Prospect:
    """A lead in the words of marketing."""
    return Prospect(
        name=row.name,
        company=row.company,
        email=row.email,
        temperature=row.temperature,
        interests=list(row.interests),
        may_be_mailed=not row.no_mail,
        source_version=row.version,
    )


@flow.effect(
    "marketing-prospect",
    system="marketing",
    when=lambda row: row.state == "open",
    writes={"prospectnumber": "number"},
    publishes=("number",),
    says=lambda answer: f"prospect {answer['number']}",
    done="marketing has the prospect",
)
async def put(row: Lead, kit: Kit, key: str) -> Answer:
    """An open lead is a prospect."""
    marketing: Resources = kit.system("marketing")
    known = await marketing.put(
        f"prospects/{row.id}", prospect(row), Known, key=f"{key}:{row.version}", context=kit.context, force=kit.forced
    )
    return {"number": known.number}


@put.undo("removed", says=lambda _answer: "removed", done="marketing has removed the prospect")
async def remove(_row: Lead, kit: Kit, key: str) -> Answer:
    """Qualified or disqualified: nobody may write to it any more."""
    return await removed(kit, key)


@flow.deleted("marketing-prospect")
async def deleted(kit: Kit) -> str:
    """As if it were disqualified."""
    await kit.once("marketing-prospect", ("removed",), lambda key: removed(kit, key))
    return "marketing has removed the prospect"


async def removed(kit: Kit, key: str) -> Answer:
    """Remove it; that there is none is what is wanted."""
    marketing: Resources = kit.system("marketing")
    await marketing.delete(f"prospects/{kit.record_id}", key=key, context=kit.context)
    return {}
