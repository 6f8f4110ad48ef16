"""What only Finance & Operations does to a customer: numbers of its own, holds of its people, values of its tables."""

from typing import Any

import pytest

from integration.errors import NotFound, Outage, Permanent, Throttled, Transient
from integration.systems import Address
from integration.systems.odata.keys import number_of
from integration.transport import ApiKey
from tests.contract.integration.systems.finance_operations.infolog import said_by_xpp
from tests.contract.integration.systems.story import customer_of
from tests.contract.integration.systems.subjects import FinanceOperations


def last(subject: FinanceOperations, number: str) -> dict[str, Any]:
    """The customer with this number as the company has it."""
    body: dict[str, Any] = [it for it in subject.effects() if it["number"] == number][-1]["body"]
    return body


async def test_the_account_number_is_made_of_the_id(finance_operations: FinanceOperations, new_id: str) -> None:
    customers, _ = finance_operations.adapters()
    state = await customers.put_customer(new_id, customer_of(), key=new_id)
    assert state.number == number_of(new_id, "CRM-")
    row = last(finance_operations, state.number)
    assert (row["PartyType"], row["OrganizationName"]) == ("Organization", "Alpine Ski House")
    assert (row["CustomerGroupId"], row["SalesCurrencyCode"]) == ("10", "EUR")


async def test_a_person_has_a_first_and_a_last_name(finance_operations: FinanceOperations, new_id: str) -> None:
    customers, _ = finance_operations.adapters()
    state = await customers.put_customer(new_id, customer_of(kind="person", name="Anna Maria Campbell"), key="a")
    row = last(finance_operations, state.number)
    assert (row["PartyType"], row["PersonFirstName"], row["PersonLastName"]) == ("Person", "Anna Maria", "Campbell")
    await customers.put_customer(new_id, customer_of(kind="person", name="Campbell", source_version=11), key="b")
    row = last(finance_operations, state.number)
    assert (row["PersonFirstName"], row["PersonLastName"]) == ("", "Campbell")


async def test_an_address_has_the_code_of_its_country(finance_operations: FinanceOperations, new_id: str) -> None:
    """By name, by either code; a country that is not there is left out, since the customer has to be saved."""
    customers, _ = finance_operations.adapters()
    for version, (country, code) in enumerate([("austria", "AUT"), ("de", "DEU"), ("USA", "USA"), ("Atlantis", "")]):
        wanted = customer_of(source_version=version + 11, address=Address(country=country))
        state = await customers.put_customer(new_id, wanted, key=f"{version}")
        assert last(finance_operations, state.number)["AddressCountryRegionId"] == code


async def test_what_is_not_ours_stays(finance_operations: FinanceOperations, new_id: str) -> None:
    """What people entered there survives a rename in Dataverse; an e-mail that was removed there goes."""
    customers, _ = finance_operations.adapters()
    state = await customers.put_customer(new_id, customer_of(), key="a")
    theirs = {"CreditLimit": 5000.0, "SalesMemo": "calls back", "CustomerGroupId": "20"}
    finance_operations.system.control("PATCH", f"CustomersV3/{state.number}", json=theirs)
    await customers.put_customer(new_id, customer_of(name="Another", email=None, source_version=11), key="b")
    row = last(finance_operations, state.number)
    assert (row["OrganizationName"], row["PrimaryContactEmail"]) == ("Another", "")
    assert {name: row[name] for name in theirs} == theirs


@pytest.mark.parametrize("hold", ["Invoice", "Payment", "Never"])
async def test_a_hold_that_people_have_set_stays(finance_operations: FinanceOperations, new_id: str, hold: str) -> None:
    customers, _ = finance_operations.adapters()
    state = await customers.put_customer(new_id, customer_of(), key="a")
    finance_operations.system.control("PATCH", f"CustomersV3/{state.number}", json={"OnHoldStatus": hold})
    await customers.put_customer(new_id, customer_of(name="Another", source_version=11), key="b")
    assert last(finance_operations, state.number)["OnHoldStatus"] == hold


async def test_a_customer_that_people_have_renumbered_is_found(
    finance_operations: FinanceOperations, new_id: str
) -> None:
    """By the number of its party."""
    customers, _ = finance_operations.adapters()
    state = await customers.put_customer(new_id, customer_of(), key="a")
    number = f"US-{new_id[:8].upper()}"
    finance_operations.system.control("PATCH", f"CustomersV3/{state.number}", json={"CustomerAccount": number})
    again = await customers.put_customer(new_id, customer_of(source_version=11), key="b")
    assert again.number == number
    assert (await customers.get_customer(new_id)).number == number


async def test_the_same_number_in_another_company_is_another_customer(
    finance_operations: FinanceOperations, new_id: str
) -> None:
    """Of two legal entities in one environment, each has its own customers, also beside the user's default company."""
    tokens = finance_operations.tokens()
    for company in ("usmf", "demf"):
        adapter = finance_operations.adapter(tokens, company=company)
        with pytest.raises(NotFound):
            await adapter.get_customer(new_id)
        made = await adapter.put_customer(new_id, customer_of(), key="a")
        assert made.replaced_version is None
        finance_operations.store = type(finance_operations.store)()
    assert len(finance_operations.customers_of(new_id)) == 2


async def test_a_number_sequence_without_manual_numbers_says_what_to_do(
    finance_operations: FinanceOperations, new_id: str
) -> None:
    customers, _ = finance_operations.adapters()
    finance_operations.system.control("POST", "setup", json={"customer_numbers": "automatic"})
    with pytest.raises(Permanent, match="allow manual numbers") as raised:
        await customers.put_customer(new_id, customer_of(), key="a")
    assert raised.value.reason == "erp-rejected"


async def test_a_name_is_cut_and_loses_its_control_characters(
    finance_operations: FinanceOperations, new_id: str
) -> None:
    """They would be refused there, and a name that is cut is still a name."""
    customers, _ = finance_operations.adapters()
    state = await customers.put_customer(new_id, customer_of(name="Ski\x0bHouse\n" + "n" * 150), key="a")
    assert last(finance_operations, state.number)["OrganizationName"] == "Ski House " + "n" * 90


async def test_what_may_not_be_cut_is_refused_before_it_is_sent(
    finance_operations: FinanceOperations, new_id: str
) -> None:
    """Half an e-mail address is another one. The message names the field and not the value."""
    customers, _ = finance_operations.adapters()
    with pytest.raises(Permanent, match="255 characters as PrimaryContactEmail") as raised:
        await customers.put_customer(new_id, customer_of(email="e" * 256), key="a")
    assert raised.value.reason == "erp-value-too-long"
    assert "eee" not in str(raised.value)
    assert finance_operations.customers_of(new_id) == []


@pytest.mark.parametrize(
    ("changes", "label"), [({"currency": "XXX"}, "Currency"), ({"kind": "organisation", "name": "A"}, "Customer group")]
)
async def test_an_unknown_value_is_refused_with_the_name_of_its_field(
    finance_operations: FinanceOperations, new_id: str, changes: dict[str, object], label: str
) -> None:
    """And without the value."""
    if label == "Customer group":
        finance_operations.system.fault(
            "POST .*CustomersV3",
            status=400,
            headers={"Content-Type": "application/json"},
            body=said_by_xpp(
                "Warning: The value 'Local' in field 'Customer group' is not found in the related table 'Customer "
                "groups'.; Warning: validateField failed on field 'CustCustomerV3Entity.CustomerGroupId'."
            ),
        )
    with pytest.raises(Permanent, match=f"a value is unknown there: {label}, activity id") as raised:
        await finance_operations.adapters()[0].put_customer(new_id, customer_of(**changes), key="a")
    assert raised.value.reason == "erp-value-unknown"
    assert "XXX" not in str(raised.value)
    assert "Local" not in str(raised.value)


async def test_a_customer_that_was_saved_although_an_exception_was_answered_is_found(
    finance_operations: FinanceOperations, new_id: str
) -> None:
    """As github.com/microsoft/Dynamics-AX-Integration, issue 87, has it: one customer, and no dead letter."""
    customers, _ = finance_operations.adapters()
    json_type = {"Content-Type": "application/json"}
    body = said_by_xpp("Error: Update has been canceled.")
    finance_operations.system.fault("POST .*CustomersV3", status=400, after=True, headers=json_type, body=body)
    state = await customers.put_customer(new_id, customer_of(), key="a")
    assert finance_operations.customers_of(new_id) == [state.number]


@pytest.mark.parametrize("status", [400, 500])
async def test_an_update_conflict_is_tried_again(
    finance_operations: FinanceOperations, new_id: str, status: int
) -> None:
    customers, _ = finance_operations.adapters()
    await customers.put_customer(new_id, customer_of(), key="a")
    finance_operations.system.fault(
        "PATCH .*CustomersV3",
        status=status,
        headers={"Content-Type": "application/json"},
        body=said_by_xpp(
            "Error: Cannot edit a record in Customers (CustTable). An update conflict occurred due to another user "
            "process deleting the record or changing one or more fields in the record."
        ),
    )
    with pytest.raises(Transient) as raised:
        await customers.put_customer(new_id, customer_of(name="Another", source_version=11), key="b")
    assert (type(raised.value), raised.value.reason) == (Transient, "erp-conflict")


async def test_a_refusal_in_any_language_is_a_conflict_where_the_row_has_changed(
    finance_operations: FinanceOperations, new_id: str
) -> None:
    """The text is in the language of the app's user; what decides is that the row is no longer as it was read."""
    customers, _ = finance_operations.adapters()
    state = await customers.put_customer(new_id, customer_of(), key="a")
    finance_operations.system.fault(
        "PATCH .*CustomersV3",
        status=400,
        after=True,
        headers={"Content-Type": "application/json"},
        body=said_by_xpp("Fehler: Ein Aktualisierungskonflikt ist aufgetreten."),
    )
    with pytest.raises(Transient) as raised:
        await customers.put_customer(new_id, customer_of(name="Another", source_version=11), key="b")
    assert raised.value.reason == "erp-conflict"
    assert last(finance_operations, state.number)["OrganizationName"] == "Another"


async def test_a_busy_environment_is_left_alone_for_as_long_as_it_asks(
    finance_operations: FinanceOperations, new_id: str
) -> None:
    """Priority-based throttling: 429 with Retry-After."""
    await finance_operations.adapters()[0].put_customer(new_id, customer_of(), key="a")
    finance_operations.system.control("POST", "throttle", json={"requests": 1, "retry_after": 30})
    with pytest.raises(Throttled) as raised:
        await finance_operations.adapters()[0].get_customer(new_id)
    assert (raised.value.reason, raised.value.retry_after) == ("erp-throttled", 30.0)


async def test_a_company_that_is_not_there_lets_events_wait(finance_operations: FinanceOperations, new_id: str) -> None:
    """No event is to blame for the settings."""
    adapter = finance_operations.adapter(finance_operations.tokens(), company="nope")
    with pytest.raises(Outage, match="company in the settings") as raised:
        await adapter.put_customer(new_id, customer_of(), key="a")
    assert raised.value.reason == "erp-forbidden"


async def test_credentials_that_are_refused_let_events_wait(finance_operations: FinanceOperations, new_id: str) -> None:
    with pytest.raises(Outage) as raised:
        await finance_operations.adapter(ApiKey("wrong")).get_customer(new_id)
    assert raised.value.reason == "erp-unauthorised"
