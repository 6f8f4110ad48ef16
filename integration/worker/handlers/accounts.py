"""Account: the ERP customer follows it."""

from typing import ClassVar

from integration.events import IntegrationEvent, Lookup
from integration.ledger import Records
from integration.worker.converge import converge, nothing_to_do
from integration.worker.customers import EFFECT, Customers
from integration.worker.handlers.handler import Handler, Outcome
from integration.worker.mapping import version_of
from integration.worker.work import Work
from integration.worker.write_back import WriteBack


class AccountHandler(Handler):
    """Create, Update, SetState: the ERP customer is driven to the row. Deactivated: it is blocked, not removed.

    Delete: the ERP customer is blocked as well, since its postings must stay. Assign: the ERP knows no owners, so there
    is nothing to do; analytics gets the event.
    """

    table: ClassVar[str] = "account"
    messages: ClassVar[frozenset[str]] = frozenset(
        {"Create", "Update", "SetState", "SetStateDynamicEntity", "Delete", "Assign"}
    )

    def __init__(self, customers: Customers, records: Records, write_back: WriteBack) -> None:
        self._customers = customers
        self._records = records
        self._write_back = write_back

    def handle(self, work: Work) -> Outcome:
        account = Lookup(self.table, work.record_id)
        if work.event.message == "Assign":
            return Outcome.completed("the ERP knows no owners")
        if work.event.message == "Delete":
            number = self._customers.block(work, account.id, "deleted in Dataverse")
            return Outcome.completed(f"customer {number} blocked" if number else "the ERP has no such customer")
        return converge(lambda: self._drive(work, account))

    def condemned(self, event: IntegrationEvent, reason: str) -> None:
        self._write_back.mark_failed(event, reason)
        if event.record_id is not None:
            self._records.failed(self.table, event.record_id)

    def _drive(self, work: Work, account: Lookup) -> Outcome:
        memory = self._records.recall(account.table, account.id)  # first: what is read then is as new, or newer
        row = self._customers.read(work, account)
        basis = self._customers.basis(account, row)
        done = memory.bases.get(EFFECT) == basis and not memory.failed
        if version_of(row) < memory.row_version or done:
            return nothing_to_do(work.event, version_of(row), memory)
        version = self._customers.put(work, account, row)
        self._records.remember(
            account.table,
            account.id,
            bases={EFFECT: basis},
            row_version=version,
            event_id=work.event.event_id,
            since=memory,
        )
        return Outcome.completed("the ERP customer is as the row")
