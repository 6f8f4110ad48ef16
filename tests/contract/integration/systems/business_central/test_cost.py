"""What a customer and an order cost in calls, as docs/how-to/connect-business-central.md says."""

from tests.contract.integration.systems.story import costs
from tests.contract.integration.systems.subjects import BusinessCentral


async def test_the_calls_are_as_many_as_the_page_says(business_central: BusinessCentral) -> None:
    assert await costs(business_central) == [(2, 2), (5, 5), (2, 3), (2, 2)]
