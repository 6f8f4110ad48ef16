"""An order in a system that honours no key, and what people do to it there."""

from typing import Generic, TypeVar
from uuid import uuid4

from integration.systems import OrderState
from integration.systems.odata.keys import reference_of
from tests.contract.integration.systems.story import customer_of, order_for
from tests.contract.integration.systems.subjects import Keyless

S = TypeVar("S", bound=Keyless)


class Ordered(Generic[S]):
    """A customer and an opportunity of their own."""

    def __init__(self, subject: S) -> None:
        self.subject = subject
        self.customers, self.orders = subject.adapters()
        self.customer_id, self.order_id = str(uuid4()), str(uuid4())

    @property
    def reference(self) -> str:
        return reference_of(self.order_id)

    async def make(self) -> OrderState:
        await self.customers.put_customer(self.customer_id, customer_of(), key="c")
        return await self.put()

    async def put(self, version: int = 20, **changes: object) -> OrderState:
        order = order_for(self.customer_id, source_version=version, **changes)
        return await self.orders.put_order(self.order_id, order, key=f"o{version}")

    async def hold(self, version: int = 21) -> OrderState:
        return await self.orders.hold_order(self.order_id, reason="reopened", source_version=version, key="h")

    def person(self, act: str, number: str) -> None:
        self.subject.system.control("POST", f"orders/{number}/{act}")
