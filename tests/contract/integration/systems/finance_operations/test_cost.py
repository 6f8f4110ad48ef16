"""What a customer and an order cost in calls, as docs/how-to/connect-finance-operations.md says."""

from tests.contract.integration.systems.story import costs
from tests.contract.integration.systems.subjects import FinanceOperations


async def test_the_calls_are_as_many_as_the_page_says(finance_operations: FinanceOperations) -> None:
    assert await costs(finance_operations) == [(2, 2), (4, 5), (2, 3), (2, 2)]
