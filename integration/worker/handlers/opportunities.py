"""Opportunity: credit scoring while it is open, an ERP order once it is won."""

from collections.abc import Mapping
from typing import Any, ClassVar

from integration.clock import Clock
from integration.credit import CreditClient
from integration.dataverse import DataverseClient, Row
from integration.erp import ErpClient
from integration.errors import NotFound, Permanent, Stale, Transient
from integration.events import IntegrationEvent
from integration.ledger import BEGUN, RecordMemory, Records
from integration.worker import mapping
from integration.worker.converge import converge, nothing_to_do
from integration.worker.customers import Customers
from integration.worker.handler import Handler, Outcome
from integration.worker.mapping import OPEN, WON, Opportunity
from integration.worker.versioned import versioned
from integration.worker.work import Work, digest
from integration.worker.write_back import WriteBack

SCORE, ORDER = "credit-score", "erp-order"
DECISIONS = {"approved": 1, "review": 2, "refused": 3}
SCORED_COLUMNS = frozenset({"estimatedvalue", "customerid", "transactioncurrencyid", "statecode"})
"""What may make a first score due; statecode, as an opportunity that opens again counts again."""
_HELD = "on-hold"


class OpportunityHandler(Handler):
    """Drives credit score and ERP order to the state of the opportunity.

    Create, Update, SetState, Win, Lose: scored when amount, customer or currency have changed while it is open; when it
    is won, the ERP customer is ensured and the ERP order created or updated. An opportunity with an order that is no
    longer won (reopened, lost), or that is deleted: the order is put on hold, as only people may cancel what a customer
    was promised. Assign: the ERP knows no owners, so there is nothing to do.
    """

    table: ClassVar[str] = "opportunity"
    messages: ClassVar[frozenset[str]] = frozenset(
        {"Create", "Update", "SetState", "SetStateDynamicEntity", "Win", "Lose", "Delete", "Assign"}
    )
    decisive: ClassVar[frozenset[str]] = mapping.decisive_columns("opportunity")

    def __init__(
        self,
        *,
        dataverse: DataverseClient,
        erp: ErpClient,
        credit: CreditClient,
        customers: Customers,
        records: Records,
        write_back: WriteBack,
        clock: Clock,
    ) -> None:
        self._dataverse = dataverse
        self._erp = erp
        self._credit = credit
        self._customers = customers
        self._records = records
        self._write_back = write_back
        self._clock = clock

    def handle(self, work: Work) -> Outcome:
        record_id = work.record_id
        if work.event.message == "Assign":
            return Outcome.completed("the ERP knows no owners")
        deleted = work.event.message == "Delete"
        return converge(
            lambda: self._drive(work, record_id), gone=(lambda: self._gone(work, record_id)) if deleted else None
        )

    def condemned(self, event: IntegrationEvent, reason: str) -> None:
        self._write_back.mark_failed(event, reason)
        if event.record_id is not None:
            self._records.failed(self.table, event.record_id)

    def _drive(self, work: Work, record_id: str) -> Outcome:
        row = self._read(work, record_id)
        it = mapping.opportunity(row)
        memory = self._records.recall(self.table, record_id)
        due = _due(it, memory, work.event)
        if not (due or memory.failed):
            return nothing_to_do(work, it.version, memory)
        results: dict[str, Any] = {}
        if SCORE in due:
            results |= self._score(work, record_id, it, memory)
        if due.get(ORDER) == _HELD:
            number = self._hold(work, record_id, it.version, "the opportunity is no longer won")
            results |= {"erpnumber": number} if number else {}
        elif ORDER in due:
            results |= self._order(work, record_id, it)
        version = self._write_back.write(
            work,
            "write-back",
            self.table,
            row,
            results,
            read_again=lambda: self._read(work, record_id),
            same=lambda fresh: _decisive(mapping.opportunity(fresh)) == _decisive(it),
        )
        self._records.remember(self.table, record_id, bases=due, row_version=version, event_id=work.event.event_id)
        return Outcome.completed(", ".join(sorted(due)) or "as it was before it failed")

    def _read(self, work: Work, record_id: str) -> Row:
        return self._dataverse.retrieve(
            mapping.ENTITY_SETS[self.table],
            record_id,
            select=mapping.COLUMNS[self.table],
            expand=mapping.CURRENCY,
            context=work.context,
        )

    def _score(self, work: Work, record_id: str, it: Opportunity, memory: RecordMemory) -> dict[str, Any]:
        """What another event has paid for and could not bring to its end is not paid for again."""
        customer, amount, currency = mapping.complete(it)
        basis = _score_basis(it)

        # The key is made of what was last done with the record, not of the event: if the answer to one event is lost,
        # and another one asks the same before it is tried again, that is charged once.
        key = f"{record_id}:{SCORE}:{basis}:{memory.event_id}"

        def do(_key: str) -> Mapping[str, Any]:
            score = self._credit.score(
                subject_id=customer.id,
                subject_kind="contact" if customer.table == "contact" else "account",
                amount=amount,
                currency=currency,
                reference=record_id,
                key=key,
                context=work.context,
            )
            scored_on = self._clock.now().isoformat(timespec="seconds")
            return {
                "scoreId": score.score_id, "score": score.score, "decision": score.decision, "scoredOn": scored_on,
            }  # fmt: skip

        answer = memory.paid.get(basis)
        if answer is None:
            answer = work.once(SCORE, basis, do, tell=lambda a: f"{a['decision']} ({a['score']})")
            self._records.paid(self.table, record_id, basis, answer)
        return {
            "creditscore": answer["score"],
            "creditdecision": DECISIONS[answer["decision"]],
            "creditscoredon": answer["scoredOn"],
        }

    def _order(self, work: Work, record_id: str, it: Opportunity) -> dict[str, Any]:
        order, customer = mapping.order(it)
        self._customers.ensure(work, customer)
        self._doubt(record_id)

        def do(key: str) -> Mapping[str, Any]:
            try:
                done = self._erp.put_order(record_id, order, key=versioned(key, it.version), context=work.context)
            except Permanent:  # the ERP may know less of the customer than we remember
                self._customers.doubt(customer)
                raise
            return {"orderNumber": done.number}

        answer = work.once(ORDER, _order_basis(it), do, tell=lambda a: f"order {a['orderNumber']}")
        return {"erpnumber": answer["orderNumber"]}

    def _hold(self, work: Work, record_id: str, version: int, why: str) -> str | None:
        """The same effect as ordering, done with something else: what is won again after it is ordered again."""
        self._doubt(record_id)

        def do(key: str) -> Mapping[str, Any]:
            try:
                held = self._erp.hold_order(
                    record_id, reason=why, source_version=version, key=versioned(key, version), context=work.context
                )
            except NotFound:  # begun, and never arrived
                return {}
            return {"orderNumber": held.number}

        answer = work.once(ORDER, digest(_HELD, why), do, tell=lambda a: f"on hold: {a.get('orderNumber', 'no order')}")
        return answer.get("orderNumber")

    def _doubt(self, record_id: str) -> None:
        """From here on nobody may know what the ERP has: who finds the row in any state has to send that."""
        self._records.remember(self.table, record_id, bases={ORDER: BEGUN})

    def _gone(self, work: Work, record_id: str) -> Outcome:
        try:
            known = self._erp.get_order(record_id, context=work.context)
        except NotFound:
            return Outcome.completed("the ERP has no order of it")
        self._doubt(record_id)
        if known.status == _HELD:  # as it was, or by an attempt whose answer was lost
            return Outcome.completed(f"order {known.number} is on hold")
        try:
            number = self._hold(work, record_id, known.source_version + 1, "the opportunity was deleted in Dataverse")
        except Stale as error:  # it has changed since it was read: read again
            raise Transient(str(error), reason="erp-conflict") from error
        return Outcome.completed(f"order {number} put on hold")


def _due(it: Opportunity, memory: RecordMemory, event: IntegrationEvent) -> dict[str, str]:
    """The effects that the row's state asks for and that were not done with it yet, each with its basis."""
    due = {}
    if it.state == OPEN and it.amount is not None and it.customer is not None:
        basis, last = _score_basis(it), memory.bases.get(SCORE)
        first = last is None and (_touches(event) or memory.failed)
        if first or (last is not None and last != basis):
            due[SCORE] = basis
    last_order = memory.bases.get(ORDER)
    if it.state == WON:
        if last_order != _order_basis(it):
            due[ORDER] = _order_basis(it)
    elif last_order not in {None, _HELD}:
        due[ORDER] = _HELD
    return due


def _touches(event: IntegrationEvent) -> bool:
    """Whether the event may have changed what a score depends on; payloads that do not tell may have."""
    changed = event.changed_columns
    return event.message == "Create" or changed is None or not SCORED_COLUMNS.isdisjoint(changed)


def _score_basis(it: Opportunity) -> str:
    return digest(str(it.amount), it.currency, it.customer and it.customer.id)


def _order_basis(it: Opportunity) -> str:
    return digest(it.title, str(it.amount), it.currency, it.customer and it.customer.id, str(it.closed_on))


def _decisive(it: Opportunity) -> tuple[str, int, str]:
    """What decides: if this is the same after a conflict, results still hold."""
    return _score_basis(it), it.state, _order_basis(it)
