"""Account: the ERP customer follows it."""

from typing import ClassVar

from integration.errors import Conflict, NotFound, Transient
from integration.events import IntegrationEvent, Lookup
from integration.ledger import RecordMemory, Records
from integration.worker.customers import EFFECT, Customers
from integration.worker.handlers.handler import Handler, Outcome
from integration.worker.mapping import version_of
from integration.worker.work import Work
from integration.worker.write_back import WriteBack

_ROUNDS = 3


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
        account = Lookup(self.table, record_of(work.event))
        if work.event.message == "Assign":
            return Outcome.completed("the ERP knows no owners")
        if work.event.message == "Delete":
            number = self._customers.block(work, account.id, "deleted in Dataverse")
            return Outcome.completed(f"customer {number} blocked" if number else "the ERP has no such customer")
        for _ in range(_ROUNDS):
            try:
                return self._drive(work, account)
            except Conflict:
                continue
            except NotFound as error:
                if error.reason != "dataverse-not-found":
                    raise
                return Outcome.superseded("the row is gone")
        raise Transient("the row changes while it is worked on", reason="row-contended")

    def condemned(self, event: IntegrationEvent, reason: str) -> None:
        self._write_back.mark_failed(event, reason)

    def _drive(self, work: Work, account: Lookup) -> Outcome:
        row = self._customers.read(work, account)
        memory = self._records.recall(account.table, account.id)
        basis = self._customers.basis(account, row)
        if version_of(row) < memory.row_version or memory.bases.get(EFFECT) == basis:
            return nothing_to_do(work.event, version_of(row), memory)
        version = self._customers.put(work, account, row)
        self._records.remember(
            account.table, account.id, bases={EFFECT: basis}, row_version=version, event_id=work.event.event_id
        )
        return Outcome.completed("the ERP customer is as the row")


def record_of(event: IntegrationEvent) -> str:
    """The event's record; these messages always have one."""
    if event.record_id is None:
        raise NotFound(f"{event.message} of {event.table} names no record", reason="record-missing")
    return event.record_id


def nothing_to_do(event: IntegrationEvent, row_version: int, memory: RecordMemory) -> Outcome:
    """Superseded where another event has acted on this state of the row or a newer one; else there was no need."""
    if memory.event_id == event.event_id:
        return Outcome.completed("all was done by an earlier delivery")
    if memory.event_id and memory.row_version >= row_version:
        return Outcome.superseded(f"by event {memory.event_id}, which acted on row version {memory.row_version}")
    return Outcome.completed("nothing to do: no column that matters has changed")
