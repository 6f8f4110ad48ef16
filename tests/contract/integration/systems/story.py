"""One customer and one order, as the worker drives them: every step is repeated until it is answered."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from uuid import uuid4

from integration.errors import Transient
from integration.protection import SharedState
from integration.systems import Address, Customer, CustomerSystem, Order, OrderSystem
from integration.transport import Sender
from tests.contract.integration.systems.subjects import Subject

_TRIES = 40


def customer_of(**changes: object) -> Customer:
    values: dict[str, object] = {
        "name": "Alpine Ski House",
        "kind": "organisation",
        "email": "office@alpineskihouse.example",
        "currency": "EUR",
        "address": Address(line1="Hauptplatz 1", city="Graz", country="Austria"),
        "status": "active",
        "source_version": 10,
    }
    return Customer.model_validate(values | changes)


def order_for(customer_id: str, **changes: object) -> Order:
    values: dict[str, object] = {
        "customer_id": customer_id,
        "title": "Two chair lifts",
        "amount": Decimal("48000.50"),
        "currency": "EUR",
        "closed_on": date(2026, 11, 20),
        "status": "confirmed",
        "source_version": 20,
    }
    return Order.model_validate(values | changes)


class KilledError(BaseException):
    """The process that made the call is dead: nothing after it is done."""


Call = Callable[[], Awaitable[object]]
Step = Callable[[CustomerSystem, OrderSystem], Awaitable[object]]
Adapters = Callable[[], tuple[CustomerSystem, OrderSystem]]


@dataclass
class Story:
    """A customer is made, an order is made, put on hold, and ordered again for another amount."""

    customer_id: str = field(default_factory=lambda: str(uuid4()))
    order_id: str = field(default_factory=lambda: str(uuid4()))

    @property
    def steps(self) -> list[Step]:
        """Each as often as it takes, with the same key."""
        first = order_for(self.customer_id)
        last = order_for(self.customer_id, amount=Decimal(99), source_version=22)
        return [
            lambda customers, _: customers.put_customer(self.customer_id, customer_of(), key=f"c:{self.customer_id}"),
            lambda _, orders: orders.put_order(self.order_id, first, key=f"o1:{self.order_id}"),
            lambda _, orders: orders.hold_order(
                self.order_id, reason="reopened", source_version=21, key=f"h:{self.order_id}"
            ),
            lambda _, orders: orders.put_order(self.order_id, last, key=f"o2:{self.order_id}"),
        ]

    async def play(self, subject: Subject, adapters: Adapters) -> None:
        """All steps; a process that is killed is followed by another one, which begins the step again."""
        for step in self.steps:
            await until_done(subject, adapters, step)

    async def check(self, subject: Subject) -> None:
        """One customer, one order, and both as they were left."""
        customers, orders = subject.adapters()
        assert len(subject.customers_of(self.customer_id)) == 1
        assert len(subject.orders_of(self.order_id)) == 1
        assert (await customers.get_customer(self.customer_id)).status == "active"
        order = await orders.get_order(self.order_id)
        assert (order.status, order.source_version) == ("confirmed", 22)


async def until_done(subject: Subject, adapters: Adapters, step: Step) -> object:
    """Repeat `step` as the worker does: later where the system says so, in another process where this one died."""
    customers, orders = adapters()
    for _ in range(_TRIES):
        try:
            return await step(customers, orders)
        except Transient as error:
            subject.clock.move(max(error.retry_after or 0.0, 1.0))
        except KilledError:
            customers, orders = adapters()
    raise AssertionError("the step never ended")


Trouble = Callable[["Boundaries", Call], Awaitable[object]]


async def killed(_: "Boundaries", call: Call) -> object:
    """The process dies before it makes the call."""
    raise KilledError


async def killed_after(_: "Boundaries", call: Call) -> object:
    """The process dies before it hears of the answer."""
    await call()
    raise KilledError


class Boundaries:
    """Counts the calls over the boundaries of the process, and makes trouble at one of them, or where `at` says so.

    Calls of the adapter to its system and to its store are counted alike.
    """

    def __init__(self, at: int | Callable[[int], bool], trouble: Trouble) -> None:
        self.count = 0
        self.late: list[asyncio.Task[object]] = []
        self._is_at = at if callable(at) else lambda count: count == at
        self._trouble = trouble

    async def cross(self, call: Call) -> object:
        self.count += 1
        return await (self._trouble(self, call) if self._is_at(self.count) else call())

    def around(self, sender: Sender) -> Sender:
        return _Counted(self, sender)

    def around_store(self, store: SharedState) -> SharedState:
        return _CountedStore(self, store)


class Counting:
    """Counts the calls to the system and to the app's own store apart."""

    def __init__(self) -> None:
        self.calls, self.stored = Boundaries(0, killed), Boundaries(0, killed)

    def around(self, sender: Sender) -> Sender:
        return self.calls.around(sender)

    def around_store(self, store: SharedState) -> SharedState:
        return self.stored.around_store(store)

    def taken(self) -> tuple[int, int]:
        """How many there were since this was last asked."""
        counts = self.calls.count, self.stored.count
        self.calls.count = self.stored.count = 0
        return counts


async def costs(subject: Subject) -> list[tuple[int, int]]:
    """The calls to the system and to the store: a customer, an order, a change of it, its hold."""
    counting, story, counts = Counting(), Story(), []
    customers, orders = subject.adapters(counting.around, counting.around_store)
    await customers.put_customer(str(uuid4()), customer_of(), key="countries are read once an hour")
    counting.taken()
    await customers.put_customer(story.customer_id, customer_of(), key="a")
    counts.append(counting.taken())
    await orders.put_order(story.order_id, order_for(story.customer_id), key="b")
    counts.append(counting.taken())
    changed = order_for(story.customer_id, title="Two chair lifts and a gondola", source_version=21)
    await orders.put_order(story.order_id, changed, key="c")
    counts.append(counting.taken())
    await orders.hold_order(story.order_id, reason="reopened", source_version=22, key="d")
    counts.append(counting.taken())
    return counts


async def held_back(subject: Subject, story: Story) -> list[Call]:
    """Processes that are frozen before each of the calls that an order takes: those calls, none of which was made."""
    held: list[Call] = []

    async def hold_back(_: Boundaries, call: Call) -> object:
        held.append(call)
        raise KilledError

    for at in range(1, 60):
        boundaries = Boundaries(at, hold_back)
        _, orders = subject.adapters(boundaries.around)
        try:
            await orders.put_order(story.order_id, order_for(story.customer_id), key="o")
        except KilledError:
            subject.clock.move(601)
        except Transient as error:
            subject.clock.move(error.retry_after or 1.0)
        else:
            break
    return held


class _Counted:
    def __init__(self, boundaries: Boundaries, sender: Sender) -> None:
        self._boundaries, self._sender = boundaries, sender

    async def send(self, request, *, authorizer, context):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202 -- a Sender
        return await self._boundaries.cross(lambda: self._sender.send(request, authorizer=authorizer, context=context))


class _CountedStore:
    def __init__(self, boundaries: Boundaries, store: SharedState) -> None:
        self._boundaries, self._store = boundaries, store

    async def read(self, key):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202 -- a SharedState
        return await self._boundaries.cross(lambda: self._store.read(key))

    async def write(self, key, value, etag):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202 -- a SharedState
        return await self._boundaries.cross(lambda: self._store.write(key, value, etag))
