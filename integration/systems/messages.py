"""The requests to other systems and their answers, in the language of the business."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal, TypeAlias

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, PlainSerializer
from pydantic.alias_generators import to_camel

Amount: TypeAlias = Annotated[Decimal, PlainSerializer(lambda amount: format(amount, "f"), return_type=str)]
"""An amount of money; in JSON a plain decimal string ("1234.50"), never a JSON number."""

Decision = Literal["approved", "review", "refused"]


class Message(BaseModel):
    """A body of a request or answer: camel case in JSON; properties that an answer has beyond it are ignored."""

    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True, frozen=True)


class Address(Message):
    """A postal address; `country` is whatever the CRM holds, the system normalises it."""

    line1: str | None = None
    line2: str | None = None
    postal_code: str | None = None
    city: str | None = None
    region: str | None = None
    country: str | None = None


class Customer(Message):
    """The state a customer shall have; `source_version` is the row version (versionnumber) it was taken from.

    What is set is sent, None as null (the customer has none); what is not set stays in the system as it is.
    """

    name: str
    kind: Literal["organisation", "person"]
    email: str | None = None
    phone: str | None = None
    currency: str | None = None
    tax_number: str | None = None
    address: Address | None = None
    status: Literal["active", "blocked"]
    source_version: int


class CustomerKeys(Message):
    """What a customer is known by outside the system's own ids: it may have been there before Dataverse knew it.

    `customer_number` is the number that stands in Dataverse already, `account_number` what people keep there as its
    number in the books, `tax_number` its VAT or tax registration number.
    """

    customer_number: str | None = None
    account_number: str | None = None
    tax_number: str | None = None


NO_KEYS = CustomerKeys()
MatchKey = Literal["accountNumber", "taxNumber"]
"""What a customer may be matched by, besides the number that stands in Dataverse."""


class CustomerMatch(Message):
    """What becomes of a customer that is put now.

    `outcome`: it is `linked` already; `matched` with the one of `numbers`, by what `by` names; `new`; or nobody here
    can know: several customers have the same key (`ambiguous`), the one that has it belongs to another record
    (`taken`), or the number in Dataverse is not there (`number-unknown`). `own_number` is the number that a customer
    of its own gets.
    """

    outcome: Literal["linked", "matched", "new", "ambiguous", "taken", "number-unknown"]
    by: str | None = None
    numbers: tuple[str, ...] = ()
    own_number: str | None = None


class Order(Message):
    """The state an order shall have; `customer_id` is the Dataverse id of a customer that the system already has.

    What is not set stays in the system as it is.
    """

    customer_id: str
    title: str
    amount: Amount
    currency: str
    closed_on: date | None = None
    status: Literal["confirmed", "on-hold"]
    source_version: int


class CustomerState(Message):
    """A customer as the system has it; `replaced_version` is the version that was replaced, None for a new one."""

    id: str
    number: str = Field(alias="customerNumber", min_length=1, max_length=50)
    status: str
    source_version: int
    replaced_version: int | None = None


class OrderState(Message):
    """An order as the system has it; `replaced_version` as for a customer."""

    id: str
    number: str = Field(alias="orderNumber", min_length=1, max_length=50)
    status: str
    source_version: int
    replaced_version: int | None = None


class OrderReport(Message):
    """How far an order has come in the system: what people and processes there have made of it.

    `shipped_at` is when the last of it was shipped, as far as the system says it.
    """

    number: str = Field(alias="orderNumber", min_length=1, max_length=50)
    status: Literal["confirmed", "on-hold", "shipped", "invoiced", "cancelled"]
    shipped_at: AwareDatetime | None = None


class CustomerReport(Message):
    """How a customer stands in the system: whether it takes orders, and what is open (None: the system does not say).

    The amount is in the customer's currency there.
    """

    number: str = Field(alias="customerNumber", min_length=1, max_length=50)
    on_hold: bool = False
    balance: Amount | None = None


class ListedCustomer(Message):
    """A customer in a list: how people in the system see it. What the system does not say is left out, or null."""

    id: str
    number: str = Field(alias="customerNumber", min_length=1, max_length=50)
    name: str
    email: str | None = None
    phone: str | None = None
    city: str | None = None
    currency: str | None = None
    balance: Amount | None = None
    on_hold: bool = False


class ListedOrder(Message):
    """An order in a list, likewise; `customer_id` is the id of its customer."""

    id: str
    number: str = Field(alias="orderNumber", min_length=1, max_length=50)
    customer_id: str | None = None
    amount: Amount | None = None
    currency: str | None = None
    status: str | None = None


class CustomerList(Message):
    """Customers in the order of their numbers; `count` is how many there are in all."""

    value: list[ListedCustomer]
    count: int


class OrderList(Message):
    """Orders, likewise."""

    value: list[ListedOrder]
    count: int


class Company(Message):
    """How public registers know a company; `country` is whatever the CRM holds, the system normalises it."""

    registration_number: str | None = None
    country: str | None = None


class CreditScore(Message):
    """What credit scoring answers; `score` from 0 to 1000, None where the system decides without one.

    `band` and `limit` (in `limit_currency`) are the system's advice, where it gives one.
    """

    score_id: str = Field(min_length=1)
    score: int | None = Field(ge=0, le=1000)
    decision: Decision
    band: Literal["A", "B", "C", "D", "E"] | None = None
    limit: Amount | None = None
    limit_currency: str | None = None
