"""ERP customers: kept up to date by their own events, ensured when an order needs one."""

from collections.abc import Mapping
from typing import Any

from integration.dataverse import Row
from integration.errors import Conflict, NotFound, Permanent, Stale, Transient
from integration.events import Lookup
from integration.systems import CustomerSystem
from integration.worker import mapping
from integration.worker.ahead import ahead
from integration.worker.effects import Effects, fingerprint
from integration.worker.reading import Rows
from integration.worker.work import Work
from integration.worker.write_back import WriteBack

EFFECT, BLOCK = "erp-customer", "erp-customer-block"
RESULTS = ("erpnumber",)


class Customers:
    """Brings ERP customers to the state of their account or contact."""

    def __init__(self, rows: Rows, erp: CustomerSystem, write_back: WriteBack) -> None:
        self._rows = rows
        self._erp = erp
        self._write_back = write_back

    def columns(self, table: str) -> tuple[str, ...]:
        """What is read of an account or contact."""
        return (*mapping.COLUMNS[table], *self._write_back.columns(RESULTS))

    def is_done(self, effects: Effects, customer: Lookup, row: Row) -> bool:
        """Whether the ERP customer is known to have the state of the row."""
        return effects.is_done(EFFECT, _fingerprint(customer, row))

    async def bring(self, work: Work, effects: Effects, customer: Lookup, row: Row) -> None:
        """Create or update the ERP customer unless it has this state, and write its number back.

        Raises `Stale` where the ERP already has a newer state than this row.
        """
        wanted = mapping.customer(customer.table, row)
        before = effects.memory.effect(EFFECT).answer.get("sourceVersion")

        async def do(key: str) -> Mapping[str, Any]:
            state = await self._erp.put_customer(
                customer.id,
                wanted,
                key=f"{key}:{wanted.source_version}",
                context=work.context,
                force=work.event.forced,
            )
            work.compare_versions("erp", remembered=before, replaced=state.replaced_version)
            return {"customerNumber": state.number, "sourceVersion": wanted.source_version}

        answer = await effects.once(
            EFFECT, _fingerprint(customer, row), do, report=lambda it: f"customer {it['customerNumber']}"
        )
        await self._write_back.write(work, customer.table, row, {"erpnumber": answer["customerNumber"]})

    async def ensure(self, work: Work, customer: Lookup) -> Effects:
        """Make sure that the ERP has this customer as it is now; nothing is sent where it is known to have it.

        Raises `Permanent` (customer-gone) where the row does not exist, and `Conflict` where it has changed meanwhile.
        """
        row = await self._read(work, customer)
        effects = await work.effects_of(customer.table, customer.id)
        if self.is_done(effects, customer, row):
            return effects
        try:
            await self.bring(work, effects, customer, row)
        except Stale as error:  # its own events are worked on beside this one, and have brought a newer state
            if failure := ahead(error, row, await self._read(work, customer)):
                raise failure from error
            raise Conflict("the customer changes while it is worked on", service="dataverse") from error
        await effects.save()
        return effects

    async def _read(self, work: Work, customer: Lookup) -> Row:
        try:
            return await self._rows.read(customer.table, customer.id, self.columns(customer.table), work.context)
        except NotFound as error:
            raise Permanent(
                f"the customer ({customer.table} {customer.id}) does not exist in Dataverse", reason="customer-gone"
            ) from error

    async def block(self, work: Work, customer: Lookup, reason: str) -> str | None:
        """Block the ERP customer of a row that was deleted; its number, or None where the ERP has none."""
        try:
            known = await self._erp.get_customer(customer.id, context=work.context)
        except NotFound:
            work.expect_unknown("erp", work.memory.effect(EFFECT).answer.get("customerNumber"))
            return None
        work.effects.forget(EFFECT)
        if known.status == "blocked":  # it was so, or by an attempt whose answer was lost
            return known.number
        version = known.source_version + 1

        async def do(key: str) -> Mapping[str, Any]:
            try:
                done = await self._erp.block_customer(
                    customer.id, reason=reason, source_version=version, key=f"{key}:{version}", context=work.context
                )
            except Stale as error:  # it has changed since it was read: read again
                raise Transient(str(error), reason="erp-conflict") from error
            return {"customerNumber": done.number}

        answer = await work.effects.once(BLOCK, fingerprint(customer.id, "blocked", version), do)
        return str(answer["customerNumber"])


def _fingerprint(customer: Lookup, row: Row) -> str:
    """Which ERP customer it is and what it is made of; the row's version alone is no change."""
    made_of = mapping.customer(customer.table, row).model_dump(mode="json", exclude={"source_version"})
    return fingerprint(customer.id, made_of)
