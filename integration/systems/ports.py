"""What the business needs of the systems outside, whatever product they are.

Every write carries a state, not a change, and the version of the row that the state was taken from. It may be repeated
with the same `key` until it is answered; an adapter declares in `safety` how each write is made safe. All raise what
the transport raises, and `Permanent` if the system refuses in its own words. If something may have been done that
cannot be seen yet, they raise `OutcomeUnknown`: calling again later finds out.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Literal, Protocol, runtime_checkable

from integration.systems.messages import (
    NO_KEYS,
    Company,
    CreditScore,
    Customer,
    CustomerKeys,
    CustomerMatch,
    CustomerReport,
    CustomerState,
    Order,
    OrderReport,
    OrderState,
)
from integration.systems.safety import Safety
from integration.transport import NO_CONTEXT, CallContext


class CustomerSystem(Protocol):
    """Has customers, under the ids of their accounts and contacts."""

    @property
    def safety(self) -> Mapping[str, Safety]:
        """How each write is made safe, by the name of its method."""
        ...

    async def put_customer(
        self,
        customer_id: str,
        customer: Customer,
        *,
        key: str,
        known_by: CustomerKeys = NO_KEYS,
        context: CallContext = NO_CONTEXT,
        force: bool = False,
    ) -> CustomerState:
        """Create the customer or bring it to this state; one that was there before is taken, by what it is `known_by`.

        Raises `Stale` where the customer was brought to a newer version already, unless forced; `Permanent`
        (`<service>-match-ambiguous`, `-match-taken`, `-number-unknown`) where people have to say which one it is.
        """
        ...

    async def match_customer(
        self, customer_id: str, known_by: CustomerKeys, *, context: CallContext = NO_CONTEXT
    ) -> CustomerMatch:
        """Which customer `put_customer` would take now; changes nothing."""
        ...

    async def get_customer(self, customer_id: str, *, context: CallContext = NO_CONTEXT) -> CustomerState:
        """The customer as the system has it; raises `NotFound`."""
        ...

    async def block_customer(
        self, customer_id: str, *, reason: str, source_version: int, key: str, context: CallContext = NO_CONTEXT
    ) -> CustomerState:
        """Take no further orders for the customer; raises `NotFound` and `Stale`."""
        ...


class OrderSystem(Protocol):
    """Has orders, under the ids of what they were made from."""

    @property
    def safety(self) -> Mapping[str, Safety]:
        """How each write is made safe, by the name of its method."""
        ...

    async def put_order(
        self, order_id: str, order: Order, *, key: str, context: CallContext = NO_CONTEXT, force: bool = False
    ) -> OrderState:
        """Create the order or bring it to this state; `Permanent` when its customer is unknown, `Stale` as above."""
        ...

    async def get_order(self, order_id: str, *, context: CallContext = NO_CONTEXT) -> OrderState:
        """The order as the system has it; raises `NotFound`."""
        ...

    async def hold_order(
        self, order_id: str, *, reason: str, source_version: int, key: str, context: CallContext = NO_CONTEXT
    ) -> OrderState:
        """Stop the order until somebody decides; raises `NotFound` and `Stale`."""
        ...


@runtime_checkable
class Erp(CustomerSystem, OrderSystem, Protocol):
    """Has both."""


class ErpRecords(Protocol):
    """Says how its own records stand, under the ids that its events name them by."""

    async def order_report(self, record: str, *, context: CallContext = NO_CONTEXT) -> OrderReport:
        """How far the order has come; raises `NotFound`."""
        ...

    async def customer_report(self, record: str, *, context: CallContext = NO_CONTEXT) -> CustomerReport:
        """How the customer stands; raises `NotFound`."""
        ...


@runtime_checkable
class Scoring(Protocol):
    """Says how far a customer can be trusted with an amount; every answer may be charged."""

    @property
    def safety(self) -> Mapping[str, Safety]:
        """How each write is made safe, by the name of its method."""
        ...

    async def score(
        self,
        *,
        subject_id: str,
        subject_kind: Literal["account", "contact"],
        amount: Decimal,
        currency: str,
        reference: str,
        key: str,
        company: Company | None = None,
        context: CallContext = NO_CONTEXT,
    ) -> CreditScore:
        """Score the customer for an amount; `reference` is the opportunity's id.

        `company` is how registers know the customer. Some systems cannot do without (`<service>-company-incomplete`).
        """
        ...
