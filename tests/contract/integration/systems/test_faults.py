"""Whatever goes wrong between a system and us, what was asked for is there once in the end."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from decimal import Decimal

import pytest

from integration.errors import IntegrationError, Outage
from tests.contract.integration.systems.story import (
    Boundaries,
    Call,
    Story,
    customer_of,
    held_back,
    killed,
    killed_after,
    order_for,
    until_done,
)
from tests.contract.integration.systems.subjects import IMPATIENT, PATIENT, BusinessCentral, Subject


async def request_lost(_: Boundaries, call: Call) -> object:
    """The call never arrives, and nobody says so."""
    raise Outage("no answer", reason="erp-timeout", service="erp")


async def answer_lost(_: Boundaries, call: Call) -> object:
    """What was asked for is done, and the answer is lost."""
    await call()
    raise Outage("no answer", reason="erp-timeout", service="erp")


async def answered_late(boundaries: Boundaries, call: Call) -> object:
    """The caller gives up while the system is still at work: what was asked for is done a moment later."""

    async def later() -> object:
        await asyncio.sleep(0.005)
        try:
            return await call()
        except IntegrationError as refused:
            return refused

    boundaries.late.append(asyncio.create_task(later()))
    raise Outage("no answer", reason="erp-timeout", service="erp")


TROUBLES = [killed, killed_after, request_lost, answer_lost, answered_late]


async def boundaries_of(subject: Subject) -> int:
    """How many boundaries a story crosses when nothing goes wrong."""
    quiet = Boundaries(0, killed)
    await Story().play(subject, lambda: subject.adapters(quiet.around, quiet.around_store))
    return quiet.count


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda it: it.__name__)
async def test_trouble_at_any_boundary_doubles_nothing(
    subject: Subject, trouble: Callable[..., Awaitable[object]]
) -> None:
    """At each call to the system or to the app's own store, one after the other: 0 double customers and orders."""
    count = await boundaries_of(subject)
    assert count >= len(Story().steps)
    for at in range(1, count + 1):
        story, boundaries = Story(), Boundaries(at, trouble)
        await story.play(subject, lambda it=boundaries: subject.adapters(it.around, it.around_store))  # type: ignore[misc]
        await asyncio.gather(*boundaries.late)
        await story.check(subject)


@pytest.mark.parametrize("seed", range(3))
async def test_trouble_upon_trouble_doubles_nothing(subject: Subject, seed: int) -> None:
    """A fifth of all calls goes wrong, each in a way of its own; the seed repeats which."""
    chance = random.Random(seed)  # noqa: S311 -- which calls fail needs no cryptography

    async def any_trouble(boundaries: Boundaries, call: Call) -> object:
        return await chance.choice(TROUBLES)(boundaries, call)

    for _ in range(15):
        story, boundaries = Story(), Boundaries(lambda _: chance.random() < 0.2, any_trouble)
        await story.play(subject, lambda it=boundaries: subject.adapters(it.around, it.around_store))  # type: ignore[misc]
        await asyncio.gather(*boundaries.late)
        _, orders = subject.adapters()
        last = order_for(story.customer_id, amount=Decimal(99), source_version=22)
        await orders.put_order(story.order_id, last, key=f"o2:{story.order_id}")
        await story.check(subject)


@pytest.mark.parametrize(
    "fault",
    [
        {"drop": True},
        {"drop": True, "after": True},
        {"status": 500},
        {"status": 500, "after": True},
        {"status": 503},
        {"status": 504, "after": True},
        {"status": 503, "headers": {"Retry-After": "1"}},
        {"status": 429},
        {"status": 408, "after": True},
        {"status": 502, "gateway": True},
        {"status": 404, "gateway": True},
        {"status": 401},
        {"delay_ms": 450, "after": True},
        {"delay_ms": 450},
    ],
    ids=str,
)
async def test_trouble_on_the_wire_doubles_nothing(subject: Subject, fault: dict[str, object]) -> None:
    """The stand-in itself fails twice, before or after its work, or answers after the caller has given up."""
    for method in subject.methods:
        story = Story()
        await subject.set_limits(IMPATIENT if fault.get("delay_ms") else PATIENT)
        subject.system.fault(f"{method} {subject.path}", times=2, **fault)
        await story.play(subject, subject.adapters)
        await asyncio.sleep(0.5 if fault.get("delay_ms") else 0)
        subject.system.control("DELETE", "faults")
        await subject.set_limits(PATIENT)
        await story.check(subject)


async def test_two_that_do_the_same_at_once_make_one_customer(subject: Subject, new_id: str) -> None:
    """As when the order's event needs a customer while the customer's own event is worked on."""
    steps = [
        until_done(
            subject, subject.adapters, lambda customers, _: customers.put_customer(new_id, customer_of(), key=new_id)
        )
        for _ in range(4)
    ]
    await asyncio.gather(*steps)
    assert len(subject.customers_of(new_id)) == 1


async def test_two_that_do_the_same_at_once_make_one_order(subject: Subject) -> None:
    """As when an invocation that has lost its session thaws while another one works: 20 times, four at once."""
    customers, orders = subject.adapters()
    for _ in range(20):
        story = Story()
        await customers.put_customer(story.customer_id, customer_of(), key="c" + story.order_id)
        order = order_for(story.customer_id)
        steps = [
            until_done(
                subject,
                subject.adapters,
                lambda _, orders, order=order, order_id=story.order_id: orders.put_order(order_id, order, key=order_id),  # type: ignore[misc]
            )
            for _ in range(4)
        ]
        await asyncio.gather(*steps)
        await orders.put_order(story.order_id, order, key=story.order_id)
        assert len(subject.orders_of(story.order_id)) == 1


async def test_a_request_that_arrives_when_all_is_over_leaves_nothing_that_counts(
    business_central: BusinessCentral,
) -> None:
    """A worker that was frozen sends its requests after another one has made the order.

    The draft that this makes has no line, so nobody can release it, and the next look removes it.
    """
    story = Story()
    customers, orders = business_central.adapters()
    await customers.put_customer(story.customer_id, customer_of(), key="c")
    held = await held_back(business_central, story)
    await orders.put_order(story.order_id, order_for(story.customer_id), key="o")
    assert len(business_central.orders_of(story.order_id)) == 1
    for call in held:
        await call()
    late = business_central.orders_of(story.order_id)
    assert len(late) > 1
    changed = order_for(story.customer_id, source_version=21, title="Two chair lifts and a gondola")
    state = await orders.put_order(story.order_id, changed, key="o2")
    assert business_central.orders_of(story.order_id) == [state.number]
