"""The client of any system that keeps the REST contract, against the ERP, which is one."""

import pytest

from integration.errors import NotFound, Outage, Stale
from integration.systems import Customer, Message
from integration.systems.rest import Resources
from integration.transport import ApiKey, Transport
from tests.contract.sandbox.systems.stand_in import StandIn


class Known(Message):
    """What is taken of an answer."""

    customer_number: str
    source_version: int


@pytest.fixture
def resources(transport: Transport, erp_system: StandIn) -> Resources:
    return Resources(transport, "erp", ApiKey("erp-sandbox-key"), f"{erp_system.url}/api")


async def test_a_resource_is_created_then_read(resources: Resources, customer: Customer, new_id: str) -> None:
    created = await resources.put(f"customers/{new_id}", customer, Known, key=new_id)
    assert created.customer_number.startswith("C-")
    assert await resources.get(f"customers/{new_id}", Known) == created


async def test_the_same_key_has_one_effect(resources: Resources, customer: Customer, new_id: str) -> None:
    one = await resources.put(f"customers/{new_id}", customer, Known, key=new_id)
    assert await resources.put(f"customers/{new_id}", customer, Known, key=new_id) == one


async def test_an_older_version_is_stale_unless_forced(resources: Resources, customer: Customer, new_id: str) -> None:
    await resources.put(f"customers/{new_id}", customer, Known, key=f"{new_id}-1")
    older = customer.model_copy(update={"source_version": 9})
    with pytest.raises(Stale):
        await resources.put(f"customers/{new_id}", older, Known, key=f"{new_id}-2")
    forced = await resources.put(f"customers/{new_id}", older, Known, key=f"{new_id}-3", force=True)
    assert forced.source_version == 9


async def test_what_the_system_does_not_have_is_said_by_itself(resources: Resources, new_id: str) -> None:
    with pytest.raises(NotFound) as raised:
        await resources.get(f"customers/{new_id}", Known)
    assert (raised.value.reason, raised.value.record_id) == ("erp-not-found", new_id)


async def test_an_address_that_the_system_does_not_have_is_an_outage(resources: Resources, new_id: str) -> None:
    """It is not an answer of the system itself: a wrong address in the settings must not dead-letter events."""
    with pytest.raises(Outage):
        await resources.get(f"nothing/{new_id}", Known)
