"""What accounts and contacts have in common: the ERP has each as a customer."""

from collections.abc import Callable
from typing import Literal, TypeVar

from integration.errors import NotFound, Stale, Transient
from integration.events import Lookup
from integration.flow import Answer, Columns, Flow, Kit, choice, currency, text, text_result, yes_no
from integration.systems import Address, Customer, CustomerKeys, CustomerMatch, CustomerSystem

EFFECT, BLOCK = "erp-customer", "erp-customer-block"
ERP_NUMBER = text_result(
    "erpnumber", "ERP number", max_length=50, key=True, holds="number of the customer or order in the ERP"
)


class CustomerColumns(Columns):
    """The columns that accounts and contacts share."""

    email = text("emailaddress1")
    phone = text("telephone1")
    street = text("address1_line1")
    postal_code = text("address1_postalcode")
    city = text("address1_city")
    country = text("address1_country")
    state = choice("statecode", {0: "active", 1: "inactive"})
    merged = yes_no("merged")
    currency = currency()

    @property
    def address(self) -> Address:
        """The address as the ERP takes it."""
        return Address(line1=self.street, postal_code=self.postal_code, city=self.city, country=self.country)

    @property
    def known_by(self) -> CustomerKeys:
        """What the ERP may have known the customer by before: a number that stands in the row already, and its keys.

        A flow whose table has a column for it reads `account_number` (the number in the books) or `tax_number`.
        """
        return CustomerKeys(customer_number=self.result(ERP_NUMBER.name), **self._read("account_number", "tax_number"))

    def _read(self, *names: str) -> dict[str, str | None]:
        """The attributes of these names that the flow's table has."""
        return {name: getattr(self, name) for name in names if name in self.declared}

    @property
    def master(self) -> Lookup | None:
        """The row that it was merged into, for a table that reads it."""
        return None

    @property
    def status(self) -> str:
        """A deactivated customer is blocked in the ERP, as its postings must stay."""
        return "active" if self.state == "active" else "blocked"

    def as_customer(self, name: str, kind: Literal["organisation", "person"]) -> Customer:
        """The row as ERP customer."""
        return Customer(
            name=name,
            kind=kind,
            email=self.email,
            phone=self.phone,
            currency=self.currency,
            **self._read("tax_number"),
            address=self.address,
            status=self.status,
            source_version=self.version,
        )


C = TypeVar("C", bound=CustomerColumns)


def _said(answer: Answer) -> str:
    """What is said of a customer after it was put."""
    if answer.get("mergedInto"):
        return f"customer {answer.get('customerNumber', 'none')} is blocked: merged into {answer['mergedInto']}"
    return f"customer {answer['customerNumber']}"


async def block_merged(row: CustomerColumns, kit: Kit, key: str) -> Answer:
    """Block the customer of a row that was merged into another one; where the ERP never had it, nothing follows.

    Its postings stay, and so do the master's: no interface of an ERP here merges two customers, so people do.
    """
    erp: CustomerSystem = kit.system("erp")
    into = f"{row.master.table} {row.master.id}" if row.master else "another row"
    known = kit.answer(EFFECT).get("customerNumber")
    try:
        state = await erp.block_customer(
            row.id,
            reason=f"merged into {into}",
            source_version=row.version,
            key=f"{key}:{row.version}",
            context=kit.context,
        )
    except NotFound:
        kit.expect_unknown("erp", known)
        return {"mergedInto": into}
    return {"customerNumber": state.number, "sourceVersion": row.version, "mergedInto": into}


def older(what: str, version: int, known: Answer) -> str:
    """What is said where the ERP has an older state than the one that it has confirmed."""
    confirmed = int(known.get("sourceVersion") or 0)
    return f"the ERP has {what} as of version {version}, and has confirmed {confirmed}" if version < confirmed else ""


async def compare(row: CustomerColumns, known: Answer, erp: CustomerSystem) -> str:
    """Whether the ERP has the customer; one that people have blocked there stays blocked."""
    number = known.get("customerNumber", "none")
    try:
        state = await erp.get_customer(row.id)
    except NotFound:
        return f"the ERP does not have customer {number}"
    if state.number != number:
        return f"the ERP has customer {state.number}, and has confirmed {number}"
    if row.status == "blocked" and state.status != "blocked":
        return f"customer {number} is not blocked"
    return older(f"customer {number}", state.source_version, known)


def keep_in_erp(flow: Flow[C], customer: Callable[[C], Customer]) -> None:
    """Let the ERP customer follow the row, as `customer` maps it; blocked when the row is deleted."""

    def made_of(row: C) -> tuple[object, ...]:
        """The row's version alone is no change."""
        return row.id, customer(row).model_dump(mode="json", exclude={"source_version"})

    @flow.effect(
        EFFECT,
        system="erp",
        of=made_of,
        writes={"erpnumber": "customerNumber"},
        publishes=("customerNumber",),
        says=_said,
        done="the ERP customer has the state of the row",
    )
    async def put_customer(row: C, kit: Kit, key: str) -> Answer:
        """Create or update the customer. The ERP refuses a state that is older than what it has (`Stale`)."""
        erp: CustomerSystem = kit.system("erp")
        if row.merged and row.status == "blocked":
            return await block_merged(row, kit, key)
        state = await erp.put_customer(
            row.id,
            customer(row),
            key=f"{key}:{row.version}",
            known_by=row.known_by,
            context=kit.context,
            force=kit.forced,
        )
        kit.compare_versions("erp", EFFECT, state.replaced_version)
        return {"customerNumber": state.number, "sourceVersion": row.version}

    put_customer.compared(compare)

    @flow.matched("erp")
    async def match(row: C, erp: CustomerSystem) -> CustomerMatch:
        """Which customer of the ERP it would be."""
        return await erp.match_customer(row.id, row.known_by)

    @flow.deleted(BLOCK, publishes=("customerNumber",))
    async def block(kit: Kit) -> str:
        """Block the customer, since its postings must stay."""
        erp: CustomerSystem = kit.system("erp")
        try:
            known = await erp.get_customer(kit.record_id, context=kit.context)
        except NotFound:
            kit.expect_unknown("erp", kit.answer(EFFECT).get("customerNumber"))
            return "the ERP has no such customer"
        kit.effects.forget(EFFECT)
        if known.status == "blocked":  # it was so, or by an attempt whose answer was lost
            return f"customer {known.number} is blocked"
        version = known.source_version + 1

        async def do(key: str) -> Answer:
            try:
                done = await erp.block_customer(
                    kit.record_id,
                    reason="deleted in Dataverse",
                    source_version=version,
                    key=f"{key}:{version}",
                    context=kit.context,
                )
            except Stale as error:  # it has changed since it was read: read again
                raise Transient(str(error), reason="erp-conflict") from error
            return {"customerNumber": done.number}

        answer = await kit.once(BLOCK, (kit.record_id, "blocked", version), do)
        return f"customer {answer['customerNumber']} is blocked"
