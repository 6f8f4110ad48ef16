"""What holds for every system that honours no key: outcomes that are unknown, and rows that are no longer there."""

import re

import pytest

from integration.errors import IntegrationError, NotFound, Outage, OutcomeUnknown
from tests.contract.integration.systems.ordered import Ordered
from tests.contract.integration.systems.story import customer_of
from tests.contract.integration.systems.subjects import Keyless


@pytest.fixture(params=["business_central", "finance_operations"])
def keyless(request: pytest.FixtureRequest) -> Keyless:
    subject: Keyless = request.getfixturevalue(request.param)
    return subject


@pytest.fixture
async def ordered(keyless: Keyless) -> Ordered[Keyless]:
    return Ordered(keyless)


async def test_an_order_that_is_gone_is_made_anew_and_shows_that_it_was(ordered: Ordered[Keyless]) -> None:
    """The system was restored from an older copy, or people have deleted the order: nothing was replaced."""
    made = await ordered.make()
    ordered.person(ordered.subject.removal, made.number)
    with pytest.raises(NotFound):
        await ordered.orders.get_order(ordered.order_id)
    again = await ordered.put(21)
    assert again.replaced_version is None
    assert again.number != made.number


async def test_while_the_outcome_is_unknown_nothing_is_asked_for_again(ordered: Ordered[Keyless]) -> None:
    """Ten minutes, as Business Central may work for eight; then, where nothing has come, the order is made."""
    await ordered.customers.put_customer(ordered.customer_id, customer_of(), key="c")
    ordered.subject.system.fault(f"POST .*{ordered.subject.new_order}", drop=True)
    for _ in range(3):
        with pytest.raises(OutcomeUnknown) as raised:
            await ordered.put()
        assert raised.value.reason == "erp-outcome-unknown"
        assert raised.value.retry_after is not None
        assert 590 < raised.value.retry_after <= 600
    with pytest.raises(OutcomeUnknown):
        await ordered.orders.get_order(ordered.order_id)
    asked = [it for it in ordered.subject.system.control("GET", "requests").json() if it["method"] == "POST"]
    assert len([it for it in asked if re.search(ordered.subject.new_order, it["path"])]) == 1
    ordered.subject.clock.move(601)
    assert (await ordered.put()).status == "confirmed"
    assert len(ordered.subject.orders_of(ordered.order_id)) == 1


async def test_a_lost_answer_is_looked_for_at_once(ordered: Ordered[Keyless]) -> None:
    await ordered.customers.put_customer(ordered.customer_id, customer_of(), key="c")
    ordered.subject.system.fault(f"POST .*{ordered.subject.new_order}", drop=True, after=True)
    assert (await ordered.put()).status == "confirmed"


@pytest.mark.parametrize(
    "answer",
    [
        '{"error":{"code":"ResourceNotFound"}}',
        '{"error":{"code":"","message":"No HTTP resource was found that matches the request URI."}}',
        '{"error":{"innererror":{"type":"com.other.Problem","message":"m"}}}',
        '{"error":"x"}',
        "<html>",
        "[]",
    ],
)
async def test_what_answers_in_its_place_is_an_outage(keyless: Keyless, new_id: str, answer: str) -> None:
    keyless.system.fault(
        "GET .*",
        status=404,
        headers={"Content-Type": "application/json" if answer[0] != "<" else "text/html"},
        body=answer,
    )
    with pytest.raises(IntegrationError) as raised:
        await keyless.adapters()[0].get_customer(new_id)
    assert (type(raised.value), raised.value.reason) == (Outage, "erp-answer-unreadable")
