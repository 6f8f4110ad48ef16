"""What a customer and an order cost in calls, as docs/how-to/connect-finance-operations.md says."""

from uuid import uuid4

from tests.contract.integration.systems.story import Counting, Story, customer_of, order_for
from tests.contract.integration.systems.subjects import FinanceOperations


async def test_the_calls_are_as_many_as_the_page_says(finance_operations: FinanceOperations) -> None:
    counting, story = Counting(), Story()
    customers, orders = finance_operations.adapters(counting.around, counting.around_store)
    await customers.put_customer(str(uuid4()), customer_of(), key="countries are read once an hour")
    counting.taken()
    await customers.put_customer(story.customer_id, customer_of(), key="a")
    assert counting.taken() == (2, 2)
    await orders.put_order(story.order_id, order_for(story.customer_id), key="b")
    assert counting.taken() == (4, 5)
    changed = order_for(story.customer_id, title="Two chair lifts and a gondola", source_version=21)
    await orders.put_order(story.order_id, changed, key="c")
    assert counting.taken() == (2, 3)
    await orders.hold_order(story.order_id, reason="reopened", source_version=22, key="d")
    assert counting.taken() == (2, 2)
