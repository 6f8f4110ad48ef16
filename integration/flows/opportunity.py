"""Opportunities: scored while they are open; an ERP order once they are won, on hold when that is taken back.

An order is put on hold and never cancelled: only people may cancel what a customer was promised. Whatever the score
says, winning is a person's decision.
"""

from datetime import datetime
from decimal import Decimal

from integration.errors import NotFound, Permanent, Stale, Transient
from integration.events import Lookup
from integration.flow import (
    Answer,
    Columns,
    Flow,
    Kit,
    Money,
    Needs,
    choice,
    choice_result,
    date,
    expanded,
    lookup,
    moment_result,
    money,
    text,
    whole_result,
)
from integration.flows._erp_customers import ERP_NUMBER, older
from integration.systems import Company, Order, OrderSystem, Scoring
from integration.transport import CallContext

SCORE, CHECK, ORDER, ON_HOLD = "credit-score", "credit-check", "erp-order", "on-hold"


class Account(Columns):
    """What is read of the account that it is for: how public registers know the company."""

    registration_number = text("accountnumber")
    country = text("address1_country")


class Opportunity(Columns):
    """What is read of an opportunity."""

    title = text("name", default="(no name)")
    estimated = money("estimatedvalue")
    actual = money("actualvalue")
    closed_on = date("actualclosedate")
    customer = lookup("customerid", to=("account", "contact"))
    account = expanded("customerid_account", Account)
    state = choice("statecode", {0: "open", 1: "won", 2: "lost"}, default="open")

    @property
    def company(self) -> Company | None:
        """The customer as registers know it; None for a person, and where the account says nothing of it."""
        account = self.account
        if account is None or not (account.registration_number or account.country):
            return None
        return Company(registration_number=account.registration_number, country=account.country)

    @property
    def value(self) -> Money | None:
        """What counts: the actual value once it is won, the estimated one before."""
        return self.actual if self.state == "won" and self.actual is not None else self.estimated


flow = Flow(
    Opportunity,
    table="opportunity",
    entity_set="opportunities",
    accepts=("Win", "Lose"),
    results=(
        ERP_NUMBER,
        whole_result("creditscore", "Credit score", minimum=0, maximum=1000, holds="0 to 1000"),
        choice_result(
            "creditdecision",
            "Credit decision",
            {1: "approved", 2: "review", 3: "refused"},
            holds="what the score comes to",
        ),
        moment_result("creditscoredon", "Credit scored on", holds="when the score was given"),
    ),
    also_fired_by=("ownerid", "statuscode"),
    change_tracking=True,
)


def complete(row: Opportunity) -> tuple[Lookup, Decimal, str]:
    """Customer, amount and currency.

    Raises `Permanent`: row-incomplete, which names what is missing, or amount-negative.
    """
    value = row.value
    if row.customer is None or value is None or value.currency is None:
        raise row.incomplete(
            customerid=row.customer, estimatedvalue=value, transactioncurrencyid=value and value.currency
        )
    if value.amount < 0:
        raise Permanent("a negative amount is no order: correct it, then resubmit", reason="amount-negative")
    return row.customer, value.amount, value.currency


def ordered_with(row: Opportunity) -> tuple[str | None, ...]:
    """What an order is made of."""
    customer, amount, currency = complete(row)
    return row.title, str(amount), currency, customer.id, str(row.closed_on)


def scored_with(row: Opportunity) -> tuple[str | None, ...]:
    """What a score depends on: another company behind the same customer is another question."""
    customer, amount, currency = complete(row)
    company = row.company
    known = () if company is None else (company.registration_number, company.country)
    return str(amount), currency, customer.id, *known


def is_scored(row: Opportunity) -> bool:
    """Whether there is anything to ask credit scoring: an open opportunity with a customer and an amount."""
    return row.state == "open" and row.customer is not None and bool(row.value and row.value.amount)


async def scored(row: Opportunity, credit: Scoring, key: str, now: datetime, context: CallContext) -> Answer:
    """What credit scoring answers about the opportunity; raises as `complete` does."""
    customer, amount, currency = complete(row)
    found = await credit.score(
        subject_id=customer.id,
        subject_kind="contact" if customer.table == "contact" else "account",
        amount=amount,
        currency=currency,
        reference=row.id,
        key=key,
        company=row.company,
        context=context,
    )
    return {
        "scoreId": found.score_id,
        "score": found.score,
        "decision": found.decision,
        "scoredOn": now.isoformat(timespec="seconds"),
        "band": found.band,
        "limit": None if found.limit is None else str(found.limit),
        "limitCurrency": found.limit_currency,
    }


@flow.effect(
    ORDER,
    system="erp",
    when=lambda row: row.state == "won",
    of=ordered_with,
    needs=Needs(lambda row: complete(row)[0], role="customer", gone="customer-gone"),
    writes={"erpnumber": "orderNumber"},
    publishes=("orderNumber",),
    says=lambda answer: f"order {answer['orderNumber']}",
    done="ordered",
)
async def order(row: Opportunity, kit: Kit, key: str) -> Answer:
    """The order as the opportunity says it."""
    erp: OrderSystem = kit.system("erp")
    customer, amount, currency = complete(row)
    wanted = Order(
        customer_id=customer.id,
        title=row.title,
        amount=amount,
        currency=currency,
        closed_on=row.closed_on,
        status="confirmed",
        source_version=row.version,
    )
    done = await erp.put_order(row.id, wanted, key=f"{key}:{row.version}", context=kit.context, force=kit.forced)
    kit.compare_versions("erp", ORDER, done.replaced_version)
    return {"orderNumber": done.number, "sourceVersion": row.version}


@order.compared
async def compare(row: Opportunity, known: Answer, erp: OrderSystem) -> str:
    """Whether the ERP has it; how far it has come there is for people and processes to say."""
    number = known.get("orderNumber", "none")
    try:
        state = await erp.get_order(row.id)
    except NotFound:
        return f"the ERP does not have order {number}"
    if state.number != number:
        return f"the ERP has order {state.number}, and has confirmed {number}"
    return older(f"order {number}", state.source_version, known)


def held(answer: Answer) -> str:
    """What is said of an order on hold."""
    return f"on hold: {answer.get('orderNumber', 'no order')}"


@order.undo(ON_HOLD, says=held, done="the order is put on hold")
async def hold(row: Opportunity, kit: Kit, key: str) -> Answer:
    """The opportunity was reopened, or lost after all."""
    confirmed = kit.answer(ORDER).get("orderNumber") or row.result("erpnumber")
    return await put_on_hold(kit, key, row.version, "the opportunity is no longer won", confirmed)


@flow.effect(
    SCORE,
    system="credit",
    when=is_scored,
    of=scored_with,
    begins_with=("estimatedvalue", "customerid", "transactioncurrencyid", "statecode"),
    charged=True,
    writes={"creditscore": "score", "creditdecision": "decision", "creditscoredon": "scoredOn"},
    publishes=("scoreId", "decision", "band"),
    says=lambda answer: f"{answer['decision']} ({'no score' if answer['score'] is None else answer['score']})",
    done="scored",
)
async def score(row: Opportunity, kit: Kit, key: str) -> Answer:
    """One answer for each amount, currency and customer; each is charged, and one that a check has got counts."""
    known = kit.known(CHECK, scored_with(row))
    return known or await scored(row, kit.system("credit"), key, kit.now, kit.context)


@flow.deleted(ORDER)
async def deleted(kit: Kit) -> str:
    """The order is put on hold, where the ERP has one."""
    erp: OrderSystem = kit.system("erp")
    confirmed = kit.answer(ORDER).get("orderNumber")
    try:
        known = await erp.get_order(kit.record_id, context=kit.context)
    except NotFound:
        kit.expect_unknown("erp", confirmed)
        return "the ERP has no order of it"
    if known.status == "on-hold":  # it was so, or by an attempt whose answer was lost
        return f"order {known.number} is on hold"

    async def do(key: str) -> Answer:
        return await put_on_hold(
            kit, key, known.source_version + 1, "the opportunity was deleted in Dataverse", confirmed
        )

    try:
        answer = await kit.once(ORDER, (ON_HOLD,), do, says=held)
    except Stale as error:  # it has changed since it was read: read again
        raise Transient(str(error), reason="erp-conflict") from error
    return f"order {answer.get('orderNumber')} is put on hold"


async def put_on_hold(kit: Kit, key: str, version: int, why: str, confirmed: str | None) -> Answer:
    """Stop the order until somebody decides."""
    erp: OrderSystem = kit.system("erp")
    try:
        held = await erp.hold_order(
            kit.record_id, reason=why, source_version=version, key=f"{key}:{version}", context=kit.context
        )
    except NotFound:  # the order was started, and never arrived
        kit.expect_unknown("erp", confirmed)
        return {}
    return {"orderNumber": held.number, "sourceVersion": version}
