"""Customers, under a number that is ours, so that a second one of the same account cannot exist; or matched ones."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from integration.errors import Permanent
from integration.systems.messages import NO_KEYS, Customer, CustomerKeys, CustomerMatch, CustomerState, MatchKey
from integration.systems.odata.calls import Creation, Row, differing
from integration.systems.odata.keys import number_of
from integration.systems.odata.matching import NUMBER, Matching
from integration.systems.odata.refusals import not_there
from integration.systems.references import Entry, References
from integration.systems.safety import Safety
from integration.transport import NO_CONTEXT, CallContext


@dataclass(frozen=True, slots=True)
class Names:
    """How a system names what every customer has.

    `number` is the field of its number, `identity` a field of the system's own that stays when people give the customer
    another number. `block` is the field that blocks a customer, with the values `free` and `blocked`; its other values
    are people's, and stay. `tax_number` is the field of the tax number, `currency` that of the currency.
    """

    number: str
    identity: str
    block: str
    free: str
    blocked: str
    tax_number: str
    currency: str


_BLOCKED = "blocked"
"""What a reference has as content of a matched customer that the app has blocked."""


class NumberedCustomers(ABC):
    """`CustomerSystem` for a system in which a client may set the number of a customer.

    A customer that was there before Dataverse knew it is matched and not created. Of such a one, only what has a value
    in Dataverse is written: what people have entered there stays where Dataverse has nothing, and so do its currency
    and a block that the app has not set.
    """

    safety: ClassVar[Mapping[str, Safety]] = {
        "put_customer": Safety.CLIENT_SET_ID,
        "block_customer": Safety.STATE,
    }
    names: ClassVar[Names]
    taken: ClassVar[type[Permanent]]
    """The refusal of a creation after which the customer may be there all the same."""

    def __init__(self, service: str, references: References, prefix: str, match_by: Sequence[MatchKey]) -> None:
        names = self.names
        self._service = service
        self._references = references
        self._prefix = prefix
        self._matching = Matching(
            service,
            references,
            self._all_by,
            fields={NUMBER: names.number, "accountNumber": names.number, "taxNumber": names.tax_number},
            identity=names.identity,
            prefix=prefix,
            match_by=match_by,
        )

    async def number_of(self, customer_id: str) -> str:
        """The number of the customer of an account or contact, be it there or not."""
        return self._number(await self._references.entry("customer", customer_id), customer_id)

    async def put_customer(
        self,
        customer_id: str,
        customer: Customer,
        *,
        key: str,  # noqa: ARG002 -- the system honours none
        known_by: CustomerKeys = NO_KEYS,
        context: CallContext = NO_CONTEXT,
        force: bool = False,
    ) -> CustomerState:
        """As the port has it."""
        entry = await self._references.entry("customer", customer_id)
        entry.refuse_older(customer.source_version, force=force)
        wanted = await self._fields(customer, context)
        number = self._number(entry, customer_id)
        found = await self._find(entry, number, context)
        if found is None and not entry.value.id:
            found = await self._matched(customer_id, known_by, number, entry, context, force=force)
        names = self.names
        new = {names.number: number, names.block: names.free} | self._only_new(customer) | wanted
        row = found or await self._made(new, entry, context)
        if found is None:
            await self._matching.own_new(row, customer_id)
        replaced = None if found is None else entry.value.version or customer.source_version
        row = await self._bring(row, self._ours(wanted, entry) | self._block(row, customer.status, entry), context)
        await self._remember(entry, row, customer.source_version, blocked=customer.status == "blocked")
        return self._state(customer_id, row, entry, replaced)

    async def match_customer(
        self, customer_id: str, known_by: CustomerKeys, *, context: CallContext = NO_CONTEXT
    ) -> CustomerMatch:
        """As the port has it."""
        entry = await self._references.entry("customer", customer_id)
        number = self._number(entry, customer_id)
        row = await self._find(entry, number, context)
        if row is not None or entry.value.id:
            return CustomerMatch(outcome="linked", numbers=(number,), own_number=number)
        return (await self._matching.look(customer_id, known_by, number, context)).match

    async def get_customer(self, customer_id: str, *, context: CallContext = NO_CONTEXT) -> CustomerState:
        """As the port has it."""
        entry, row = await self._existing(customer_id, context)
        return self._state(customer_id, row, entry, None)

    async def block_customer(
        self,
        customer_id: str,
        *,
        reason: str,  # noqa: ARG002 -- a customer has no field for it
        source_version: int,
        key: str,  # noqa: ARG002 -- as above
        context: CallContext = NO_CONTEXT,
    ) -> CustomerState:
        """As the port has it."""
        entry, row = await self._existing(customer_id, context)
        entry.refuse_older(source_version)
        row = await self._bring(row, {self.names.block: self.names.blocked}, context)
        await self._remember(entry, row, source_version, blocked=True)
        return self._state(customer_id, row, entry, None)

    @abstractmethod
    async def _fields(self, customer: Customer, context: CallContext) -> dict[str, Any]:
        """The fields that the app owns: what was set, and an empty text for what the customer does not have."""

    @abstractmethod
    def _only_new(self, customer: Customer) -> dict[str, Any]:
        """What only a new customer gets, and people may change."""

    async def _by(self, field: str, value: str, context: CallContext) -> Row | None:
        """The customer whose number or identity is `value`."""
        rows = await self._all_by(field, value, context)
        return rows[0] if rows else None

    @abstractmethod
    async def _all_by(self, field: str, value: str, context: CallContext) -> list[Row]:
        """The customers of which a field is `value`."""

    @abstractmethod
    async def _create(self, values: Row, context: CallContext) -> Creation:
        """Ask for a new customer."""

    @abstractmethod
    async def _update(self, row: Row, changes: Row, context: CallContext) -> Row:
        """Change a customer under its ETag; the customer as it then is."""

    async def _existing(self, customer_id: str, context: CallContext) -> tuple[Entry, Row]:
        entry = await self._references.entry("customer", customer_id)
        number = self._number(entry, customer_id)
        row = await self._find(entry, number, context)
        if row is None:
            raise not_there(self._service, f"customer {number}", table="customers", record_id=customer_id)
        return entry, row

    def _number(self, entry: Entry, customer_id: str) -> str:
        """The number that is remembered, or else the one that it gets."""
        return entry.value.number or number_of(customer_id, self._prefix)

    async def _find(self, entry: Entry, number: str, context: CallContext) -> Row | None:
        """By number; by the identity that is remembered where people have given the customer another number."""
        found = await self._by(self.names.number, number, context)
        if found is None and entry.value.id:
            found = await self._by(self.names.identity, entry.value.id, context)
        return found

    async def _matched(
        self,
        customer_id: str,
        known_by: CustomerKeys,
        own_number: str,
        entry: Entry,
        context: CallContext,
        *,
        force: bool,
    ) -> Row | None:
        """The customer that was there before; whose it is, and its number, are written down before it is changed."""
        found = await self._matching.look(customer_id, known_by, own_number, context, force=force)
        if found.match.outcome == "new":
            return None
        if found.row is None:
            raise self._matching.refusal(found.match)
        row, by = found.row, found.match.by or ""
        await self._matching.own(row, customer_id, chosen=by == NUMBER)
        names = self.names
        await entry.save(id=str(row[names.identity]), number=str(row[names.number]), matched=by)
        return row

    async def _made(self, values: Row, entry: Entry, context: CallContext) -> Row:
        created = await self._create(values, context)
        if created.row is not None:
            return created.row
        if isinstance(created.error, self.taken):  # perhaps by an attempt that was at work when it was looked for
            found = await self._find(entry, str(values[self.names.number]), context)
            if found is not None:
                return found
        assert created.error is not None  # noqa: S101 -- without a row there is an error
        raise created.error

    async def _bring(self, row: Row, wanted: Row, context: CallContext) -> Row:
        changes = differing(row, wanted)
        return await self._update(row, changes, context) if changes else row

    async def _remember(self, entry: Entry, row: Row, version: int, *, blocked: bool) -> None:
        names = self.names
        content = _BLOCKED if blocked and entry.value.matched else ""
        await entry.save(id=str(row[names.identity]), number=str(row[names.number]), version=version, content=content)

    def _ours(self, wanted: dict[str, Any], entry: Entry) -> dict[str, Any]:
        """What is written: everything, or of a customer that was there before only what has a value."""
        if not entry.value.matched:
            return wanted
        return {name: value for name, value in wanted.items() if value and name != self.names.currency}

    def _block(self, row: Row, status: str, entry: Entry) -> dict[str, Any]:
        """Only two values are ours: if people have blocked some of what a customer may do, an active one stays so.

        A customer that was there before may have been blocked by people, and is set free only where the app has
        blocked it.
        """
        names = self.names
        if status == "blocked":
            return {names.block: names.blocked}
        may_free = not entry.value.matched or entry.value.content == _BLOCKED
        return {names.block: names.free} if may_free and row.get(names.block) == names.blocked else {}

    def _state(self, customer_id: str, row: Row, entry: Entry, replaced: int | None) -> CustomerState:
        return CustomerState(
            id=customer_id,
            number=str(row[self.names.number]),
            status="blocked" if row.get(self.names.block) == self.names.blocked else "active",
            source_version=entry.value.version,
            replaced_version=replaced,
        )
