"""What only Business Central does to a customer: numbers of its own, blocks of its people, codes of its lists."""

import json
from typing import Any

import pytest

from integration.errors import Outage, Permanent, Throttled
from integration.systems import Address
from integration.systems.odata.keys import number_of
from integration.transport import ApiKey
from tests.contract.integration.systems.story import customer_of
from tests.contract.integration.systems.subjects import COMPANY, BusinessCentral


def last(subject: BusinessCentral, number: str) -> dict[str, Any]:
    """The customer with this number as the company has it."""
    body: dict[str, Any] = [it for it in subject.effects() if it["number"] == number][-1]["body"]
    return body


async def test_the_number_is_made_of_the_id(business_central: BusinessCentral, new_id: str) -> None:
    customers, _ = business_central.adapters()
    state = await customers.put_customer(new_id, customer_of(), key=new_id)
    assert state.number == number_of(new_id, "CRM-")
    assert len(state.number) == 20


async def test_an_address_has_the_code_of_its_country(business_central: BusinessCentral, new_id: str) -> None:
    """By name or by code; a country that the company does not have is left out, since the customer has to be saved."""
    customers, _ = business_central.adapters()
    for version, (country, code) in enumerate([("austria", "AT"), ("de", "DE"), ("Atlantis", "")], start=11):
        wanted = customer_of(source_version=version, address=Address(country=country))
        state = await customers.put_customer(new_id, wanted, key=f"{version}")
        assert last(business_central, state.number)["country"] == code


async def test_what_is_not_ours_stays(business_central: BusinessCentral, new_id: str) -> None:
    """What people entered there survives a rename in Dataverse; an e-mail that was removed there goes."""
    customers, _ = business_central.adapters()
    state = await customers.put_customer(new_id, customer_of(), key="a")
    row_id = next(it["id"] for it in business_central.effects() if it["number"] == state.number)
    theirs = {"website": "alpine.example", "creditLimit": 5000.0, "addressLine2": "c/o"}
    business_central.system.control("PATCH", f"customers/{row_id}", json=theirs)
    renamed = customer_of(name="n" * 150, email=None, source_version=11)
    await customers.put_customer(new_id, renamed, key="b")
    row = last(business_central, state.number)
    assert (row["displayName"], row["email"]) == ("n" * 100, "")
    assert {name: row[name] for name in theirs} == theirs


@pytest.mark.parametrize("block", ["Ship", "Invoice"])
async def test_a_block_that_people_have_set_stays(business_central: BusinessCentral, new_id: str, block: str) -> None:
    customers, _ = business_central.adapters()
    state = await customers.put_customer(new_id, customer_of(), key="a")
    row_id = next(it["id"] for it in business_central.effects() if it["number"] == state.number)
    business_central.system.control("PATCH", f"customers/{row_id}", json={"blocked": block})
    await customers.put_customer(new_id, customer_of(name="Another", source_version=11), key="b")
    assert last(business_central, state.number)["blocked"] == block


async def test_a_customer_that_people_have_renumbered_is_found(business_central: BusinessCentral, new_id: str) -> None:
    customers, _ = business_central.adapters()
    state = await customers.put_customer(new_id, customer_of(), key="a")
    row_id = next(it["id"] for it in business_central.effects() if it["number"] == state.number)
    number = f"D{new_id[:8].upper()}"
    business_central.system.control("PATCH", f"customers/{row_id}", json={"number": number})
    again = await customers.put_customer(new_id, customer_of(source_version=11), key="b")
    assert again.number == number
    assert (await customers.get_customer(new_id)).number == number


async def test_a_number_series_without_manual_numbers_says_what_to_do(
    business_central: BusinessCentral, new_id: str
) -> None:
    customers, _ = business_central.adapters()
    business_central.system.control("POST", "setup", json={"manual_numbers": False})
    with pytest.raises(Permanent, match="'Manual Nos\\.'") as raised:
        await customers.put_customer(new_id, customer_of(), key="a")
    assert raised.value.reason == "erp-rejected"


async def test_a_refusal_has_a_code_and_a_correlation_id_and_no_values(
    business_central: BusinessCentral, new_id: str
) -> None:
    customers, _ = business_central.adapters()
    with pytest.raises(Permanent) as raised:
        await customers.put_customer(new_id, customer_of(currency="XQQ"), key="a")
    assert "Application_DialogException (the currency is unknown there), correlation id" in str(raised.value)
    assert raised.value.reason == "erp-value-unknown"
    assert "XQQ" not in str(raised.value)


async def test_a_pause_that_is_asked_for_is_no_ones_fault(business_central: BusinessCentral, new_id: str) -> None:
    """429 comes without Retry-After."""
    business_central.system.control("POST", "limits", json={"requests": 0})
    try:
        with pytest.raises(Throttled):
            await business_central.adapters()[0].get_customer(new_id)
    finally:
        business_central.system.control("POST", "limits", json={"requests": 1_000_000})


@pytest.mark.parametrize(
    ("company", "reason"), [("00000000-0000-0000-0000-00000000dead", "erp-forbidden"), (COMPANY, "erp-unauthorised")]
)
async def test_wrong_settings_let_events_wait(
    business_central: BusinessCentral, new_id: str, company: str, reason: str
) -> None:
    """No event is to blame for a company that is not there, or for credentials that are refused."""
    tokens = business_central.tokens() if reason == "erp-forbidden" else ApiKey("wrong")
    adapter = business_central.adapter(tokens, company=company)
    with pytest.raises(Outage) as raised:
        await adapter.get_customer(new_id)
    assert raised.value.reason == reason


async def test_a_number_that_was_taken_between_look_and_creation_is_adopted(
    business_central: BusinessCentral, new_id: str
) -> None:
    """An earlier attempt was still at work: its customer is brought to the state, and no second one is made."""
    customers, _ = business_central.adapters()
    state = await customers.put_customer(new_id, customer_of(), key="a")
    nothing = {"status": 200, "headers": {"Content-Type": "application/json"}, "body": '{"value": []}'}
    business_central.system.fault("GET .*customers.*eq", **nothing)
    renamed = customer_of(name="Quicker", source_version=11)
    assert (await customers.put_customer(new_id, renamed, key="b")).number == state.number
    assert last(business_central, state.number)["displayName"] == "Quicker"


async def test_a_name_is_cut_and_an_address_for_mails_never(business_central: BusinessCentral, new_id: str) -> None:
    """Control characters become spaces, as XML has none of them; a cut e-mail address would be somebody else's."""
    customers, _ = business_central.adapters()
    odd = customer_of(name="Alpine\x07Ski " + "n" * 120, phone="030\t1")
    state = await customers.put_customer(new_id, odd, key="a")
    row = last(business_central, state.number)
    assert (row["displayName"], row["phoneNumber"]) == (("Alpine Ski " + "n" * 120)[:100], "030 1")
    with pytest.raises(Permanent) as raised:
        await customers.put_customer(new_id, customer_of(email="e" * 90, source_version=11), key="b")
    assert raised.value.reason == "erp-value-too-long"


@pytest.mark.parametrize(
    ("code", "text", "reason"),
    [
        ("Application_StringExceededLength", "x", "erp-value-too-long"),
        ("Internal_InvalidTableRelation", "x", "erp-value-unknown"),
        ("Application_FieldValidationException", "x", "erp-value-invalid"),
        (
            "Application_DialogException",
            "Posting Date is not within your range of allowed posting dates.",
            "erp-period-closed",
        ),
        ("Application_DialogException", "in another language", "erp-rejected"),
    ],
)
async def test_a_refusal_has_the_reason_that_its_code_or_text_stands_for(
    business_central: BusinessCentral, new_id: str, code: str, text: str, reason: str
) -> None:
    """Whatever the text says, it is a refusal: only the word for people differs."""
    body = json.dumps({"error": {"code": code, "message": text}})
    headers = {"Content-Type": "application/json"}
    business_central.system.fault("POST .*/customers", status=400, headers=headers, body=body)
    customers, _ = business_central.adapters()
    with pytest.raises(Permanent) as raised:
        await customers.put_customer(new_id, customer_of(), key="a")
    assert raised.value.reason == reason
