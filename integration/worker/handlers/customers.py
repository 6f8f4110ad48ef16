"""Accounts and contacts: the ERP customer follows them."""

from typing import ClassVar

from integration.dataverse import Row
from integration.events import IntegrationEvent, Lookup
from integration.worker.customers import EFFECT, Customers
from integration.worker.handler import Handler, Outcome
from integration.worker.handlers.outcomes import nothing_to_do
from integration.worker.work import Work
from integration.worker.write_back import WriteBack


class _CustomerHandler(Handler):
    """Create, Update, SetState: the ERP customer is brought to the state of the row. Deactivated: it is blocked.

    Delete: the ERP customer is blocked as well, since its postings must stay; a row that exists (it was restored) is
    followed as ever. Assign: the ERP knows no owners.
    """

    messages: ClassVar[frozenset[str]] = frozenset(
        {"Create", "Update", "SetState", "SetStateDynamicEntity", "Delete", "Assign"}
    )
    ignored: ClassVar[frozenset[str]] = frozenset({"Assign"})
    answers: ClassVar[dict[str, tuple[str, ...]]] = {
        EFFECT: ("customerNumber",),
        "erp-customer-block": ("customerNumber",),
    }

    def __init__(self, customers: Customers, write_back: WriteBack) -> None:
        self._customers = customers
        self._write_back = write_back

    @property
    def columns(self) -> tuple[str, ...]:
        return self._customers.columns(self.table)

    async def present(self, work: Work, row: Row) -> Outcome:
        customer = Lookup(self.table, work.record_id)
        if self._customers.is_done(work.effects, customer, row):
            await self._customers.bring(work, work.effects, customer, row)  # the row may lack its number
            if not work.trace.drove:
                return nothing_to_do(work, row)
            return Outcome.completed("the row has its ERP number again")
        await self._customers.bring(work, work.effects, customer, row)
        return Outcome.completed("the ERP customer has the state of the row")

    async def deleted(self, work: Work) -> Outcome:
        number = await self._customers.block(work, Lookup(self.table, work.record_id), "deleted in Dataverse")
        return Outcome.completed(f"customer {number} is blocked" if number else "the ERP has no such customer")

    async def mark_failed(self, event: IntegrationEvent, reason: str) -> None:
        await self._write_back.mark_failed(event, reason)


class AccountHandler(_CustomerHandler):
    """Accounts."""

    table: ClassVar[str] = "account"


class ContactHandler(_CustomerHandler):
    """Contacts."""

    table: ClassVar[str] = "contact"
