"""ERP customers: kept up to date by their own events, ensured when an order needs one."""

from collections.abc import Mapping
from typing import Any

from integration.dataverse import DataverseClient, Row
from integration.erp import ErpClient
from integration.errors import NotFound, Permanent, Stale, Transient
from integration.events import Lookup
from integration.ledger import BEGUN, Records
from integration.worker import mapping
from integration.worker.versioned import versioned
from integration.worker.work import Work, digest
from integration.worker.write_back import WriteBack

EFFECT = "erp-customer"


class Customers:
    """Drives ERP customers to the state of their account or contact."""

    def __init__(self, dataverse: DataverseClient, erp: ErpClient, records: Records, write_back: WriteBack) -> None:
        self._dataverse = dataverse
        self._erp = erp
        self._records = records
        self._write_back = write_back

    def read(self, work: Work, customer: Lookup) -> Row:
        """The account's or contact's row as it is now."""
        return self._dataverse.retrieve(
            mapping.ENTITY_SETS[customer.table],
            customer.id,
            select=mapping.COLUMNS[customer.table],
            expand=mapping.CURRENCY,
            context=work.context,
        )

    def basis(self, customer: Lookup, row: Row) -> str:
        """Which ERP customer it is and what it is made of; the row's version alone is no change."""
        made_of = mapping.customer(customer.table, row).model_dump(mode="json", exclude={"source_version"})
        return digest(customer.id, made_of)

    def put(self, work: Work, customer: Lookup, row: Row, *, own: bool = False) -> None:
        """Create or update the ERP customer, write its number back, remember that; `own`: by an event of its row."""
        basis = self.basis(customer, row)
        wanted = mapping.customer(customer.table, row)

        def do(key: str) -> Mapping[str, Any]:
            try:
                number = self._erp.put_customer(
                    customer.id, wanted, key=versioned(key, wanted.source_version), context=work.context
                ).number
            except Stale:  # the ERP has a newer state already: what is left to do is to know its number
                number = self._erp.get_customer(customer.id, context=work.context).number
            return {"customerNumber": number}

        # From here on the ERP may have this state: whoever finds another one has to send that, also the one before.
        begun = self.doubt(customer)
        answer = work.once(EFFECT, basis, do, tell=lambda it: f"customer {it['customerNumber']}")
        version = self._write_back.write(
            work,
            "write-back-customer",
            customer.table,
            row,
            {"erpnumber": answer["customerNumber"]},
            read_again=lambda: self.read(work, customer),
            same=lambda fresh: self.basis(customer, fresh) == basis,
        )
        self._records.remember(
            customer.table,
            customer.id,
            bases={EFFECT: basis},
            row_version=version,
            event_id=work.event.event_id if own else "",
            since=begun,
        )

    def ensure(self, work: Work, customer: Lookup) -> None:
        """Make sure that the ERP has this customer as it is now; nothing is sent where it is known to have it."""
        try:
            row = self.read(work, customer)
        except NotFound as error:
            raise Permanent(
                f"the customer ({customer.table} {customer.id}) does not exist in Dataverse", reason="customer-gone"
            ) from error
        basis = self.basis(customer, row)
        if self._records.recall(customer.table, customer.id).bases.get(EFFECT) == basis:
            return
        self.put(work, customer, row)

    def doubt(self, customer: Lookup) -> str:
        """Whatever is remembered of the ERP customer, it is sent again the next time it is needed; the note's ETag."""
        return self._records.remember(customer.table, customer.id, bases={EFFECT: BEGUN})

    def block(self, work: Work, customer: Lookup, reason: str) -> str | None:
        """Block the ERP customer of a row that is gone; its number, or None where the ERP has none."""
        try:
            known = self._erp.get_customer(customer.id, context=work.context)
        except NotFound:
            return None
        self.doubt(customer)
        if known.status == "blocked":  # as it was, or by an attempt whose answer was lost
            return known.number
        version = known.source_version + 1

        def do(key: str) -> Mapping[str, Any]:
            try:
                done = self._erp.block_customer(
                    customer.id,
                    reason=reason,
                    source_version=version,
                    key=versioned(key, version),
                    context=work.context,
                )
            except Stale as error:  # it has changed since it was read: read again
                raise Transient(str(error), reason="erp-conflict") from error
            return {"customerNumber": done.number}

        answer = work.once("erp-customer-block", digest(customer.id, "blocked"), do)
        return str(answer["customerNumber"])
