"""What the ERP is told and what it answers."""

from datetime import date
from typing import Literal

from pydantic import Field

from integration.transport.rest import Amount, Message


class Address(Message):
    """A postal address; `country` is whatever the CRM holds, the ERP normalises it."""

    line1: str | None = None
    line2: str | None = None
    postal_code: str | None = None
    city: str | None = None
    region: str | None = None
    country: str | None = None


class Customer(Message):
    """The state a customer shall have; `source_version` is the row version (versionnumber) it was taken from.

    What is set is sent, None as null (the customer has none); what is not set stays in the ERP as it is.
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


class Order(Message):
    """The state an order shall have; `customer_id` is the Dataverse id of a customer that the ERP already has.

    What is not set stays in the ERP as it is.
    """

    customer_id: str
    title: str
    amount: Amount
    currency: str
    closed_on: date | None = None
    status: Literal["confirmed", "on-hold"]
    source_version: int


class StatusChange(Message):
    """A new status and why."""

    status: Literal["blocked", "on-hold"]
    reason: str
    source_version: int


class CustomerState(Message):
    """A customer as the ERP has it; `replaced_version` is the version that a PUT has replaced, None for a new one."""

    id: str
    number: str = Field(alias="customerNumber", min_length=1, max_length=50)
    status: str
    source_version: int
    replaced_version: int | None = None


class OrderState(Message):
    """An order as the ERP has it; `replaced_version` as for a customer."""

    id: str
    number: str = Field(alias="orderNumber", min_length=1, max_length=50)
    status: str
    source_version: int
    replaced_version: int | None = None
