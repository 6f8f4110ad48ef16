"""What every order system keeps to."""

from decimal import Decimal
from uuid import uuid4

import pytest

from integration.errors import NotFound, Permanent, Stale
from tests.contract.integration.systems.story import customer_of, order_for
from tests.contract.integration.systems.subjects import Subject


@pytest.fixture
async def customer_id(subject: Subject, new_id: str) -> str:
    """A customer that the system has."""
    customers, _ = subject.adapters()
    await customers.put_customer(new_id, customer_of(), key="customer" + new_id)
    return new_id


@pytest.fixture
def order_id() -> str:
    return str(uuid4())


async def test_an_order_is_created_then_changed_under_one_number(
    subject: Subject, customer_id: str, order_id: str
) -> None:
    _, orders = subject.adapters()
    created = await orders.put_order(order_id, order_for(customer_id), key="a" + order_id)
    changed = order_for(customer_id, amount=Decimal("320000.00"), source_version=21)
    updated = await orders.put_order(order_id, changed, key="b" + order_id)
    assert created.number == updated.number
    assert (created.status, created.source_version, created.replaced_version) == ("confirmed", 20, None)
    assert (updated.source_version, updated.replaced_version) == (21, 20)
    assert subject.orders_of(order_id) == [created.number]
    assert await orders.get_order(order_id) == updated.model_copy(update={"replaced_version": None})


async def test_putting_the_same_state_again_changes_nothing(subject: Subject, customer_id: str, order_id: str) -> None:
    _, orders = subject.adapters()
    await orders.put_order(order_id, order_for(customer_id), key=order_id)
    before = len(subject.effects())
    await orders.put_order(order_id, order_for(customer_id), key=order_id)
    assert len(subject.effects()) == before


async def test_an_order_is_held_and_ordered_again(subject: Subject, customer_id: str, order_id: str) -> None:
    _, orders = subject.adapters()
    await orders.put_order(order_id, order_for(customer_id), key="a" + order_id)
    held = await orders.hold_order(order_id, reason="no longer won", source_version=21, key="b" + order_id)
    assert (held.status, (await orders.get_order(order_id)).status) == ("on-hold", "on-hold")
    await orders.put_order(order_id, order_for(customer_id, source_version=22), key="c" + order_id)
    assert (await orders.get_order(order_id)).status == "confirmed"


async def test_an_older_version_is_stale_and_changes_nothing(subject: Subject, customer_id: str, order_id: str) -> None:
    _, orders = subject.adapters()
    await orders.put_order(order_id, order_for(customer_id), key="a" + order_id)
    before = len(subject.effects())
    with pytest.raises(Stale):
        await orders.put_order(order_id, order_for(customer_id, source_version=19), key="b" + order_id)
    with pytest.raises(Stale):
        await orders.hold_order(order_id, reason="earlier", source_version=19, key="c" + order_id)
    assert len(subject.effects()) == before


async def test_an_order_of_an_unknown_customer_is_refused(subject: Subject, order_id: str) -> None:
    """And nothing of it stays, so that it can be ordered once the customer is there."""
    customers, orders = subject.adapters()
    unknown = str(uuid4())
    with pytest.raises(Permanent, match=r"(?i)customer") as raised:
        await orders.put_order(order_id, order_for(unknown), key="a" + order_id)
    assert raised.value.reason == subject.unknown_value
    assert subject.orders_of(order_id) == []
    await customers.put_customer(unknown, customer_of(), key="b" + order_id)
    await orders.put_order(order_id, order_for(unknown), key="c" + order_id)
    assert len(subject.orders_of(order_id)) == 1


async def test_an_order_of_a_blocked_customer_is_refused_until_people_unblock_it(
    subject: Subject, customer_id: str, order_id: str
) -> None:
    """And nothing of it stays."""
    customers, orders = subject.adapters()
    await customers.put_customer(customer_id, customer_of(status="blocked", source_version=11), key="a" + order_id)
    with pytest.raises(Permanent) as raised:
        await orders.put_order(order_id, order_for(customer_id), key="b" + order_id)
    assert raised.value.reason == "erp-customer-blocked"
    assert subject.orders_of(order_id) == []
    await customers.put_customer(customer_id, customer_of(source_version=12), key="c" + order_id)
    assert (await orders.put_order(order_id, order_for(customer_id), key="d" + order_id)).status == "confirmed"


async def test_an_order_in_a_closed_period_is_refused_until_people_open_it(
    subject: Subject, customer_id: str, order_id: str
) -> None:
    """Where an order meets the period: in Business Central, only what people post there does."""
    _, orders = subject.adapters()
    if subject.name == "business-central":
        assert (await orders.put_order(order_id, order_for(customer_id), key=order_id)).status == "confirmed"
        return
    subject.system.control("POST", "setup", json={"closed_until": "2026-11-30"})
    try:
        with pytest.raises(Permanent) as raised:
            await orders.put_order(order_id, order_for(customer_id), key="a" + order_id)
    finally:
        subject.system.control("POST", "setup", json={"closed_until": ""})
    assert raised.value.reason == "erp-period-closed"
    assert subject.orders_of(order_id) == []
    assert (await orders.put_order(order_id, order_for(customer_id), key="b" + order_id)).status == "confirmed"


async def test_an_unknown_currency_is_refused_in_the_systems_words(
    subject: Subject, customer_id: str, order_id: str
) -> None:
    _, orders = subject.adapters()
    with pytest.raises(Permanent, match=r"(?i)currency") as raised:
        await orders.put_order(order_id, order_for(customer_id, currency="XXX"), key=order_id)
    assert raised.value.reason == subject.unknown_value


async def test_what_is_not_there_is_not_found(subject: Subject, order_id: str) -> None:
    _, orders = subject.adapters()
    with pytest.raises(NotFound) as raised:
        await orders.get_order(order_id)
    assert (raised.value.reason, raised.value.record_id) == ("erp-not-found", order_id)
    with pytest.raises(NotFound):
        await orders.hold_order(order_id, reason="deleted", source_version=1, key=order_id)


async def test_an_order_of_nothing_is_an_order(subject: Subject, customer_id: str, order_id: str) -> None:
    """A free delivery has to be delivered, too."""
    _, orders = subject.adapters()
    free = order_for(customer_id, amount=Decimal(0))
    assert (await orders.put_order(order_id, free, key=order_id)).status == "confirmed"
    assert len(subject.orders_of(order_id)) == 1
