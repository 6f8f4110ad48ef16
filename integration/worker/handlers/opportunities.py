"""Opportunity: credit scoring while it is open, an ERP order once it is won."""

from collections.abc import Mapping
from typing import Any, ClassVar

from integration.clock import Clock
from integration.dataverse import Row
from integration.errors import NotFound, Permanent, Stale, Transient
from integration.events import IntegrationEvent
from integration.systems import OrderSystem, Scoring
from integration.worker import mapping
from integration.worker.customers import EFFECT as CUSTOMER
from integration.worker.customers import Customers
from integration.worker.effects import fingerprint
from integration.worker.handler import Handler, Outcome
from integration.worker.handlers.outcomes import nothing_to_do
from integration.worker.mapping import OPEN, WON, Opportunity
from integration.worker.work import Work
from integration.worker.write_back import WriteBack

SCORE, ORDER = "credit-score", "erp-order"
DECISIONS = {"approved": 1, "review": 2, "refused": 3}
SCORED_COLUMNS = frozenset({"estimatedvalue", "customerid", "transactioncurrencyid", "statecode"})
"""What may make a first score due; statecode, as an opportunity that opens again counts again."""
RESULTS = ("erpnumber", "creditscore", "creditdecision", "creditscoredon")
HELD = fingerprint("on-hold")


class OpportunityHandler(Handler):
    """Brings credit score and ERP order to the state of the opportunity.

    Create, Update, SetState, Win, Lose: scored when amount, customer or currency have changed while it is open; when it
    is won, the ERP customer is ensured and the ERP order created or updated. An opportunity with an order that is no
    longer won (reopened, lost), or that is deleted: the order is put on hold, as only people may cancel what a customer
    was promised. Assign: the ERP knows no owners.
    """

    table: ClassVar[str] = "opportunity"
    messages: ClassVar[frozenset[str]] = frozenset(
        {"Create", "Update", "SetState", "SetStateDynamicEntity", "Win", "Lose", "Delete", "Assign"}
    )
    ignored: ClassVar[frozenset[str]] = frozenset({"Assign"})
    answers: ClassVar[dict[str, tuple[str, ...]]] = {
        SCORE: ("scoreId", "decision"), ORDER: ("orderNumber",), CUSTOMER: ("customerNumber",),
    }  # fmt: skip

    def __init__(
        self, *, erp: OrderSystem, credit: Scoring, customers: Customers, write_back: WriteBack, clock: Clock
    ) -> None:
        self._erp = erp
        self._credit = credit
        self._customers = customers
        self._write_back = write_back
        self._clock = clock

    @property
    def columns(self) -> tuple[str, ...]:
        return (*mapping.COLUMNS[self.table], *self._write_back.columns(RESULTS))

    async def present(self, work: Work, row: Row) -> Outcome:
        it = mapping.opportunity(row)
        due = _due(it, work)
        if HELD in due:
            await self._hold(work, it.version, "the opportunity is no longer won", row)
        if SCORE in due:
            await self._score(work, it)
        if ORDER in due:
            await self._order(work, it)
        if work.memory.effects:
            await self._write_back.write(work, self.table, row, _results(work))
        if work.trace.drove:
            return Outcome.completed(" and ".join(_DONE[name] for name in due) or "the result columns are right again")
        return nothing_to_do(work, row)

    async def deleted(self, work: Work) -> Outcome:
        number = work.memory.effect(ORDER).answer.get("orderNumber")
        try:
            known = await self._erp.get_order(work.record_id, context=work.context)
        except NotFound:
            work.expect_unknown("erp", number)
            return Outcome.completed("the ERP has no order of it")
        if known.status == "on-hold":  # it was so, or by an attempt whose answer was lost
            return Outcome.completed(f"order {known.number} is on hold")
        try:
            number = await self._hold(work, known.source_version + 1, "the opportunity was deleted in Dataverse", None)
        except Stale as error:  # it has changed since it was read: read again
            raise Transient(str(error), reason="erp-conflict") from error
        return Outcome.completed(f"order {number} is put on hold")

    async def mark_failed(self, event: IntegrationEvent, reason: str) -> None:
        await self._write_back.mark_failed(event, reason)

    async def _score(self, work: Work, it: Opportunity) -> None:
        customer, amount, currency = mapping.complete(it)

        async def do(key: str) -> Mapping[str, Any]:
            score = await self._credit.score(
                subject_id=customer.id,
                subject_kind="contact" if customer.table == "contact" else "account",
                amount=amount,
                currency=currency,
                reference=work.record_id,
                key=key,
                context=work.context,
            )
            scored_on = self._clock.now().isoformat(timespec="seconds")
            return {
                "scoreId": score.score_id, "score": score.score, "decision": score.decision, "scoredOn": scored_on,
            }  # fmt: skip

        await work.effects.once(
            SCORE, _score_fingerprint(it), do, report=lambda a: f"{a['decision']} ({a['score']})", charged=True
        )

    async def _order(self, work: Work, it: Opportunity) -> None:
        order, customer = mapping.order(it)
        customer_effects = await self._customers.ensure(work, customer)
        before = work.memory.effect(ORDER).answer.get("sourceVersion")

        async def do(key: str) -> Mapping[str, Any]:
            try:
                done = await self._erp.put_order(
                    work.record_id, order, key=f"{key}:{it.version}", context=work.context, force=work.event.forced
                )
            except Permanent:  # the ERP may know less of the customer than is remembered
                customer_effects.forget(CUSTOMER)
                await customer_effects.save()
                raise
            work.compare_versions("erp", remembered=before, replaced=done.replaced_version)
            return {"orderNumber": done.number, "sourceVersion": it.version}

        await work.effects.once(ORDER, _order_fingerprint(it), do, report=lambda a: f"order {a['orderNumber']}")

    async def _hold(self, work: Work, version: int, why: str, row: Row | None) -> str | None:
        """The same effect as ordering, done with something else: what is won again after it is ordered again."""
        confirmed = work.memory.effect(ORDER).answer.get("orderNumber") or self._write_back.value(row, "erpnumber")

        async def do(key: str) -> Mapping[str, Any]:
            try:
                held = await self._erp.hold_order(
                    work.record_id, reason=why, source_version=version, key=f"{key}:{version}", context=work.context
                )
            except NotFound:  # the order was started, and never arrived
                work.expect_unknown("erp", confirmed)
                return {}
            return {"orderNumber": held.number, "sourceVersion": version}

        answer = await work.effects.once(
            ORDER, HELD, do, report=lambda a: f"on hold: {a.get('orderNumber', 'no order')}"
        )
        return answer.get("orderNumber")


def _due(it: Opportunity, work: Work) -> list[str]:
    """The effects that the row's state asks for and that were not done with it yet."""
    due = []
    order = work.memory.effect(ORDER)
    if it.state == WON:
        if not work.effects.is_done(ORDER, _order_fingerprint(it)):
            due.append(ORDER)
    elif order.number and order.done != HELD:
        due.append(HELD)
    if it.state == OPEN and it.amount is not None and it.customer is not None and _score_is_due(it, work):
        due.append(SCORE)
    return due


def _score_is_due(it: Opportunity, work: Work) -> bool:
    if work.memory.effect(SCORE).number == 0:
        return _touches(work.event) or bool(work.memory.dead_letters)
    return not work.effects.is_done(SCORE, _score_fingerprint(it), charged=True)


def _touches(event: IntegrationEvent) -> bool:
    """Whether the event may have changed what a score depends on; payloads that do not tell may have."""
    changed = event.changed_columns
    return event.message == "Create" or event.forced or changed is None or not SCORED_COLUMNS.isdisjoint(changed)


def _results(work: Work) -> dict[str, Any]:
    """The result columns, from what is remembered of the effects."""
    results: dict[str, Any] = {}
    if score := work.memory.effect(SCORE).answer:
        results["creditscore"] = score["score"]
        results["creditdecision"] = DECISIONS[score["decision"]]
        results["creditscoredon"] = score["scoredOn"]
    if number := work.memory.effect(ORDER).answer.get("orderNumber"):
        results["erpnumber"] = number
    return results


def _score_fingerprint(it: Opportunity) -> str:
    return fingerprint(str(it.amount), it.currency, it.customer and it.customer.id)


def _order_fingerprint(it: Opportunity) -> str:
    return fingerprint(it.title, str(it.amount), it.currency, it.customer and it.customer.id, str(it.closed_on))


_DONE = {SCORE: "scored", ORDER: "ordered", HELD: "the order is put on hold"}
