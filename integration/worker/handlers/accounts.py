"""Account: the ERP customer follows it."""

from typing import ClassVar

from integration.events import IntegrationEvent, Lookup
from integration.ledger import Records
from integration.worker.converge import converge, nothing_to_do
from integration.worker.customers import EFFECT, Customers
from integration.worker.handler import Handler, Outcome
from integration.worker.mapping import decisive_columns, version_of
from integration.worker.work import Work
from integration.worker.write_back import WriteBack


class AccountHandler(Handler):
    """Create, Update, SetState: the ERP customer is driven to the row. Deactivated: it is blocked, not removed.

    Delete: the ERP customer is blocked as well, since its postings must stay; a row that exists (it was restored) is
    driven to as ever. Assign: the ERP knows no owners, so there is nothing to do; analytics gets the event.
    """

    table: ClassVar[str] = "account"
    messages: ClassVar[frozenset[str]] = frozenset(
        {"Create", "Update", "SetState", "SetStateDynamicEntity", "Delete", "Assign"}
    )
    decisive: ClassVar[frozenset[str]] = decisive_columns("account")

    def __init__(self, customers: Customers, records: Records, write_back: WriteBack) -> None:
        self._customers = customers
        self._records = records
        self._write_back = write_back

    def handle(self, work: Work) -> Outcome:
        account = Lookup(self.table, work.record_id)
        if work.event.message == "Assign":
            return Outcome.completed("the ERP knows no owners")
        deleted = work.event.message == "Delete"
        return converge(
            lambda: self._drive(work, account), gone=(lambda: self._gone(work, account)) if deleted else None
        )

    def condemned(self, event: IntegrationEvent, reason: str) -> None:
        self._write_back.mark_failed(event, reason)
        if event.record_id is not None:
            self._records.failed(self.table, event.record_id)

    def _drive(self, work: Work, account: Lookup) -> Outcome:
        row = self._customers.read(work, account)
        memory = self._records.recall(account.table, account.id)
        basis = self._customers.basis(account, row)
        if memory.bases.get(EFFECT) == basis and not memory.failed:
            return nothing_to_do(work, version_of(row), memory)
        self._customers.put(work, account, row, own=True)
        return Outcome.completed("the ERP customer is as the row")

    def _gone(self, work: Work, account: Lookup) -> Outcome:
        number = self._customers.block(work, account, "deleted in Dataverse")
        return Outcome.completed(f"customer {number} blocked" if number else "the ERP has no such customer")
