"""Customers that the ERP had before Dataverse knew them are found and taken, never made twice; with every adapter."""

from uuid import uuid4

import pytest

from integration.errors import Permanent
from integration.systems import CustomerKeys
from integration.systems.odata.keys import number_of
from tests.contract.integration.systems.story import Boundaries, KilledError, customer_of, killed
from tests.contract.integration.systems.subjects import Rest, Subject

BLOCKED = {"rest": "blocked", "business-central": "All", "finance-operations": "All"}


@pytest.fixture
def tax_number() -> str:
    """One that no other test uses."""
    return f"DE{uuid4().int % 10**9:09d}"


@pytest.fixture
def subject(subject: Subject) -> Subject:
    """With both keys switched on."""
    subject.match_by = ("accountNumber", "taxNumber")
    return subject


def created(subject: Subject) -> int:
    return sum(it["kind"] == "customer-created" for it in subject.effects())


async def test_a_customer_with_the_same_tax_number_is_taken(subject: Subject, new_id: str, tax_number: str) -> None:
    """As people write it: with spaces there, or in Dataverse."""
    number = subject.enter("Alpine Ski Hut", tax_number=tax_number)
    before = created(subject)
    customers, _ = subject.adapters()
    spaced = CustomerKeys(tax_number=f"{tax_number[:2]} {tax_number[2:5]} {tax_number[5:]}")
    match = await customers.match_customer(new_id, spaced)
    assert (match.outcome, match.by, match.numbers) == ("matched", "taxNumber", (number,))
    state = await customers.put_customer(new_id, customer_of(), known_by=spaced, key="a" + new_id)
    assert (state.number, created(subject)) == (number, before)
    assert subject.customer(number)["name"] == "Alpine Ski House"
    assert (await customers.match_customer(new_id, spaced)).outcome == "linked"
    assert (await customers.get_customer(new_id)).number == number


async def test_a_customer_is_taken_by_the_number_that_people_keep_in_dataverse(subject: Subject, new_id: str) -> None:
    number = subject.enter("Alpine Ski Hut")
    customers, _ = subject.adapters()
    state = await customers.put_customer(
        new_id, customer_of(), known_by=CustomerKeys(account_number=number), key="a" + new_id
    )
    assert state.number == number


async def test_the_number_that_stands_in_the_row_counts_before_every_key(
    subject: Subject, new_id: str, tax_number: str
) -> None:
    """That is how people choose, and how numbers that were imported are a mapping."""
    number = subject.enter("Alpine Ski Hut")
    subject.enter("Another one", tax_number=tax_number)
    keys = CustomerKeys(customer_number=number, tax_number=tax_number)
    customers, _ = subject.adapters()
    assert (await customers.match_customer(new_id, keys)).by == "customerNumber"
    assert (await customers.put_customer(new_id, customer_of(), known_by=keys, key="a" + new_id)).number == number


async def test_a_number_that_is_not_there_is_not_taken_for_a_new_customer(subject: Subject, new_id: str) -> None:
    keys, before = CustomerKeys(customer_number="NOT-THERE"), created(subject)
    customers, _ = subject.adapters()
    assert (await customers.match_customer(new_id, keys)).outcome == "number-unknown"
    with pytest.raises(Permanent) as raised:
        await customers.put_customer(new_id, customer_of(), known_by=keys, key="a" + new_id)
    assert (raised.value.reason, created(subject)) == ("erp-number-unknown", before)


async def test_two_customers_with_the_same_tax_number_are_for_people_to_choose_from(
    subject: Subject, new_id: str, tax_number: str
) -> None:
    numbers = tuple(sorted(subject.enter(name, tax_number=tax_number) for name in ("One", "Two")))
    keys, before = CustomerKeys(tax_number=tax_number), created(subject)
    customers, _ = subject.adapters()
    match = await customers.match_customer(new_id, keys)
    assert (match.outcome, match.numbers) == ("ambiguous", numbers)
    with pytest.raises(Permanent) as raised:
        await customers.put_customer(new_id, customer_of(), known_by=keys, key="a" + new_id)
    assert (raised.value.reason, created(subject)) == ("erp-match-ambiguous", before)

    chosen = keys.model_copy(update={"customer_number": numbers[1]})
    state = await customers.put_customer(new_id, customer_of(), known_by=chosen, key="b" + new_id)
    assert (state.number, created(subject)) == (numbers[1], before)


async def test_a_customer_of_another_account_is_not_taken(subject: Subject, new_id: str, tax_number: str) -> None:
    """Branches of one company often have one tax number: the second account waits for people."""
    number, keys = subject.enter("Alpine Ski Hut", tax_number=tax_number), CustomerKeys(tax_number=tax_number)
    customers, _ = subject.adapters()
    await customers.put_customer(str(uuid4()), customer_of(), known_by=keys, key="a" + new_id)
    match = await customers.match_customer(new_id, keys)
    assert (match.outcome, match.numbers) == ("taken", (number,))
    with pytest.raises(Permanent) as raised:
        await customers.put_customer(new_id, customer_of(name="Branch"), known_by=keys, key="b" + new_id)
    assert raised.value.reason == "erp-match-taken"
    assert subject.customer(number)["name"] == "Alpine Ski House"


async def test_a_customer_that_the_app_has_made_for_another_account_is_not_taken(
    subject: Subject, new_id: str, tax_number: str
) -> None:
    keys, customers = CustomerKeys(tax_number=tax_number), subject.adapters()[0]
    await customers.put_customer(str(uuid4()), customer_of(tax_number=tax_number), known_by=keys, key="a" + new_id)
    assert (await customers.match_customer(new_id, keys)).outcome == "taken"


async def test_without_a_match_a_customer_is_new(subject: Subject, new_id: str, tax_number: str) -> None:
    keys = CustomerKeys(account_number="NOT-THERE", tax_number=tax_number)
    customers, _ = subject.adapters()
    assert (await customers.match_customer(new_id, keys)).outcome == "new"
    state = await customers.put_customer(new_id, customer_of(), known_by=keys, key="a" + new_id)
    assert subject.customers_of(new_id) == [state.number]


async def test_what_people_have_entered_stays_where_dataverse_has_nothing(
    subject: Subject, new_id: str, tax_number: str
) -> None:
    """Also later: the row may never get what only the ERP knows."""
    number, keys = (
        subject.enter("Hut", tax_number=tax_number, email="hut@x.example"),
        CustomerKeys(tax_number=tax_number),
    )
    customers, _ = subject.adapters()
    for version in (10, 11):
        empty = customer_of(email=None, tax_number=None, source_version=version)
        await customers.put_customer(new_id, empty, known_by=keys, key=f"{version}{new_id}")
        row = subject.customer(number)
        assert (row["email"], row["tax_number"]) == ("hut@x.example", tax_number)
        if isinstance(subject, Rest):  # the contract says so for the first PUT alone: null empties what is known
            break


async def test_a_customer_that_people_have_blocked_before_stays_so(
    subject: Subject, new_id: str, tax_number: str
) -> None:
    """Until the row is deactivated and active again; for REST, whoever serves the contract decides."""
    if isinstance(subject, Rest):
        return
    blocked = BLOCKED[subject.name]
    number, keys = subject.enter("Hut", tax_number=tax_number, blocked=blocked), CustomerKeys(tax_number=tax_number)
    customers, _ = subject.adapters()
    await customers.put_customer(new_id, customer_of(), known_by=keys, key="a" + new_id)
    assert subject.customer(number)["blocked"] == blocked
    await customers.put_customer(new_id, customer_of(status="blocked", source_version=11), key="b" + new_id)
    await customers.put_customer(new_id, customer_of(source_version=12), key="c" + new_id)
    assert (await customers.get_customer(new_id)).status == "active"


async def test_a_process_that_is_killed_while_it_matches_makes_no_second_customer(
    subject: Subject, tax_number: str
) -> None:
    """At every call over the boundaries of the process, to the system and to the app's own store."""
    for at in range(1, 20):
        customer_id, keys = str(uuid4()), CustomerKeys(tax_number=f"{tax_number}{at}")
        number, before = subject.enter("Hut", tax_number=f"{tax_number}{at}"), created(subject)
        boundaries = Boundaries(at, killed)
        try:
            await subject.adapters(boundaries.around, boundaries.around_store)[0].put_customer(
                customer_id, customer_of(), known_by=keys, key=customer_id
            )
        except KilledError:
            pass
        else:
            break
        state = await subject.adapters()[0].put_customer(customer_id, customer_of(), known_by=keys, key=customer_id)
        assert (state.number, created(subject)) == (number, before)
    assert boundaries.count < at


async def test_the_number_of_its_own_lets_people_choose_a_new_customer(
    subject: Subject, new_id: str, tax_number: str
) -> None:
    """For systems in which the app sets the number; an ERP of the REST contract offers people its own ways."""
    if isinstance(subject, Rest):
        return
    subject.enter("One", tax_number=tax_number)
    own = number_of(new_id, "CRM-")
    keys = CustomerKeys(customer_number=own, tax_number=tax_number)
    customers, _ = subject.adapters()
    assert (await customers.put_customer(new_id, customer_of(), known_by=keys, key="a")).number == own
