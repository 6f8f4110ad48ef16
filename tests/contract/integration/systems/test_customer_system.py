"""What every customer system keeps to."""

from uuid import uuid4

import pytest

from integration.errors import NotFound, Stale
from integration.systems import Address
from tests.contract.integration.systems.story import customer_of
from tests.contract.integration.systems.subjects import Subject


async def test_a_customer_is_created_then_updated_under_one_number(subject: Subject, new_id: str) -> None:
    customers, _ = subject.adapters()
    created = await customers.put_customer(new_id, customer_of(), key="a" + new_id)
    later = customer_of(name="Alpine Ski House plc", source_version=11)
    updated = await customers.put_customer(new_id, later, key="b" + new_id)
    assert created.number == updated.number
    assert (created.status, created.source_version, created.replaced_version) == ("active", 10, None)
    assert (updated.source_version, updated.replaced_version) == (11, 10)
    assert subject.customers_of(new_id) == [created.number]


async def test_a_customer_is_read_as_it_was_left(subject: Subject, new_id: str) -> None:
    customers, _ = subject.adapters()
    put = await customers.put_customer(new_id, customer_of(), key=new_id)
    assert await customers.get_customer(new_id) == put.model_copy(update={"replaced_version": None})


async def test_putting_the_same_state_again_changes_nothing(subject: Subject, new_id: str) -> None:
    customers, _ = subject.adapters()
    await customers.put_customer(new_id, customer_of(), key=new_id)
    before = len(subject.effects())
    await customers.put_customer(new_id, customer_of(), key=new_id)
    assert len(subject.effects()) == before


async def test_an_older_version_is_stale_and_changes_nothing(subject: Subject, new_id: str) -> None:
    customers, _ = subject.adapters()
    await customers.put_customer(new_id, customer_of(), key="a" + new_id)
    before = len(subject.effects())
    with pytest.raises(Stale):
        await customers.put_customer(new_id, customer_of(name="Earlier", source_version=9), key="b" + new_id)
    with pytest.raises(Stale):
        await customers.block_customer(new_id, reason="earlier", source_version=9, key="c" + new_id)
    assert len(subject.effects()) == before


async def test_a_forced_state_is_taken_though_it_is_older(subject: Subject, new_id: str) -> None:
    customers, _ = subject.adapters()
    await customers.put_customer(new_id, customer_of(), key="a" + new_id)
    forced = await customers.put_customer(new_id, customer_of(source_version=9), key="b" + new_id, force=True)
    assert forced.source_version == 9


async def test_a_blocked_customer_is_active_again_when_its_row_is(subject: Subject, new_id: str) -> None:
    customers, _ = subject.adapters()
    await customers.put_customer(new_id, customer_of(), key="a" + new_id)
    blocked = await customers.block_customer(new_id, reason="deleted", source_version=11, key="b" + new_id)
    assert (blocked.status, (await customers.get_customer(new_id)).status) == ("blocked", "blocked")
    await customers.put_customer(new_id, customer_of(source_version=12), key="c" + new_id)
    assert (await customers.get_customer(new_id)).status == "active"


async def test_a_person_without_an_address_is_a_customer_too(subject: Subject, new_id: str) -> None:
    customers, _ = subject.adapters()
    person = customer_of(kind="person", email=None, currency=None, address=Address(city=None, country=None))
    assert (await customers.put_customer(new_id, person, key=new_id)).status == "active"


async def test_a_customer_that_is_blocked_from_the_start(subject: Subject, new_id: str) -> None:
    customers, _ = subject.adapters()
    assert (await customers.put_customer(new_id, customer_of(status="blocked"), key=new_id)).status == "blocked"


async def test_what_is_not_there_is_not_found(subject: Subject) -> None:
    customers, _ = subject.adapters()
    unknown = str(uuid4())
    with pytest.raises(NotFound) as raised:
        await customers.get_customer(unknown)
    assert (raised.value.reason, raised.value.table, raised.value.record_id) == ("erp-not-found", "customers", unknown)
    with pytest.raises(NotFound):
        await customers.block_customer(unknown, reason="deleted", source_version=1, key=unknown)


async def test_every_write_says_how_it_is_made_safe(subject: Subject) -> None:
    customers, orders = subject.adapters()
    assert {"put_customer", "block_customer"} <= customers.safety.keys()
    assert {"put_order", "hold_order"} <= orders.safety.keys()
