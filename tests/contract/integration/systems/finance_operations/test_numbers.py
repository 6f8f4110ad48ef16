"""Orders whose number is the app's, and requests that arrive when all is over."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from integration.errors import Permanent, Transient
from integration.systems import Safety
from integration.systems.odata.keys import number_of
from tests.contract.integration.systems.story import Boundaries, Story, customer_of, held_back, order_for
from tests.contract.integration.systems.subjects import FinanceOperations
from tests.contract.integration.systems.test_faults import answer_lost, answered_late, boundaries_of


@pytest.fixture
def manual(finance_operations: FinanceOperations) -> FinanceOperations:
    """The number sequence of orders allows manual numbers."""
    finance_operations.options = replace(finance_operations.options, order_numbers="manual")
    finance_operations.system.control("POST", "setup", json={"order_numbers": "manual"})
    return finance_operations


async def test_an_order_has_a_number_that_is_made_of_its_id(manual: FinanceOperations) -> None:
    """A second one cannot exist, and a lost answer leaves nothing to wait for."""
    story = Story()
    customers, orders = manual.adapters()
    assert orders.safety["put_order"] is Safety.CLIENT_SET_ID
    await customers.put_customer(story.customer_id, customer_of(), key="c")
    manual.system.fault("POST .*SalesOrderHeadersV2", drop=True)
    with pytest.raises(Transient) as raised:
        await orders.put_order(story.order_id, order_for(story.customer_id), key="o")
    assert raised.value.reason == "erp-unreachable"
    made = await orders.put_order(story.order_id, order_for(story.customer_id), key="o")
    assert made.number == number_of(story.order_id, "CRM-")


@pytest.mark.parametrize("trouble", [answer_lost, answered_late], ids=lambda it: it.__name__)
async def test_trouble_at_any_boundary_doubles_nothing(
    manual: FinanceOperations, trouble: Callable[..., Awaitable[object]]
) -> None:
    """At each call, one after the other: 0 double customers, orders and lines."""
    for at in range(1, await boundaries_of(manual) + 1):
        story, boundaries = Story(), Boundaries(at, trouble)
        await story.play(manual, lambda it=boundaries: manual.adapters(it.around, it.around_store))  # type: ignore[misc]
        await asyncio.gather(*boundaries.late)
        await story.check(manual)


async def test_a_number_sequence_that_gives_numbers_itself_says_what_to_do(manual: FinanceOperations) -> None:
    manual.system.control("POST", "setup", json={"order_numbers": "automatic"})
    story = Story()
    customers, orders = manual.adapters()
    await customers.put_customer(story.customer_id, customer_of(), key="c")
    with pytest.raises(Permanent, match="orderNumbers") as raised:
        await orders.put_order(story.order_id, order_for(story.customer_id), key="o")
    assert raised.value.reason == "erp-rejected"


@pytest.mark.parametrize("numbers", ["automatic", "manual"])
async def test_a_request_that_arrives_when_all_is_over_leaves_nothing_that_counts(
    finance_operations: FinanceOperations, numbers: str, request: pytest.FixtureRequest
) -> None:
    """A worker that was frozen sends its requests after another one has made the order.

    A header is refused, or is a stopped one without a line, which the next look deletes. A change set is refused,
    since the ETag that it was made for is no longer current.
    """
    subject = finance_operations if numbers == "automatic" else request.getfixturevalue("manual")
    story = Story()
    customers, orders = subject.adapters()
    await customers.put_customer(story.customer_id, customer_of(), key="c")
    held = await held_back(subject, story)
    state = await orders.put_order(story.order_id, order_for(story.customer_id), key="o")
    assert subject.orders_of(story.order_id) == [state.number]
    for call in held:
        await call()
    assert len(subject.orders_of(story.order_id)) == (2 if numbers == "automatic" else 1)
    changed = order_for(story.customer_id, source_version=21, title="Two chair lifts and a gondola")
    await orders.put_order(story.order_id, changed, key="o2")
    assert subject.orders_of(story.order_id) == [state.number]
