"""Answers that were lost: the outcome is unknown, and the systems must still be brought to the state of the row."""

import pytest

from sandbox.client import Client, eventually
from tests.end_to_end.journeys import Person, charges_for, context_of, effects_of, state_in_erp


@pytest.fixture
def person(client: Client) -> Person:
    return Person(client)


def test_renamed_and_renamed_back_while_the_answer_was_lost_ends_as_the_row(client: Client, person: Person) -> None:
    """The ERP has done something that the app does not know of, so the old name has to be sent again."""
    account, _ = person.create("account", {"name": "X GmbH"})
    client.erp.add_fault(f"PUT /api/customers/{account}", after=True, status=503, times=1)
    event_id = person.change("account", account, {"name": "Y GmbH"})
    eventually(lambda: len(effects_of(client, account)) == 2, within=10, what="the lost effect")
    person.update("account", account, {"name": "X GmbH"})
    client.app.wait_for(event_id)
    assert [it["body"]["name"] for it in client.erp.effects() if it["id"] == account][-1] == "X GmbH"


def test_a_score_whose_answer_was_lost_is_not_charged_again_by_the_next_event(client: Client, person: Person) -> None:
    """Another event that asks the same before the first is tried again gets the same answer."""
    opportunity, _ = person.opportunity(person.account(), 500)
    client.credit.add_fault("POST /api/scores", after=True, status=503, times=1)
    first = person.change("opportunity", opportunity, {"estimatedvalue": 600})
    second = person.change("opportunity", opportunity, {"name": "Only the name"})
    states = {client.app.wait_for(event_id)["state"] for event_id in (first, second)}
    assert states <= {"completed", "superseded"}
    assert len(charges_for(client, opportunity)) == 2
    assert client.dataverse.retrieve("opportunity", opportunity)["new_syncstatus"] == 1


def test_a_delete_of_a_row_that_exists_stops_nothing(client: Client, person: Person) -> None:
    """A late Delete of a row that was restored is judged by the row, as everything is."""
    account = person.account()
    target = {"Id": account, "LogicalName": "account"}
    context = context_of(
        "webhook_async_delete_lead",
        PrimaryEntityName="account",
        PrimaryEntityId=account,
        InputParameters=[{"key": "Target", "value": target}],
    )
    status = client.app.wait_for(client.app.post_webhook(context).json()["eventId"])
    assert status["state"] in {"completed", "superseded"}
    assert state_in_erp(client, account) == "active"


def test_a_restored_row_is_active_again(client: Client, person: Person) -> None:
    """The block, which was set because the row did not exist, does not count as the state of the row."""
    account = person.account(name="Back again")
    person.delete("account", account)
    assert state_in_erp(client, account) == "blocked"
    before = client.dataverse.last_event()
    client.dataverse.create("account", {"name": "Back again"}, row_id=account)
    client.app.wait_for(client.dataverse.event_id(account, after=before))
    assert state_in_erp(client, account) == "active"


def test_an_order_whose_customer_does_not_exist_is_a_dead_letter_not_superseded(client: Client, person: Person) -> None:
    """Somebody has to look: the opportunity is won and nobody gets the order."""
    account = person.account()
    opportunity, _ = person.opportunity(account, 700)
    client.dataverse.delete("account", account)
    event_id = person.win(opportunity)
    status = client.app.wait_for(event_id)
    assert (status["state"], status["reason"]) in {
        ("dead-lettered", "customer-gone"),
        ("dead-lettered", "row-incomplete"),
    }


def test_a_dead_lettered_event_whose_cause_is_mended_leaves_the_row_synced(client: Client, person: Person) -> None:
    """The next event of the record clears what the dead letter has written into the row."""
    strange = client.dataverse.currency("XXX", "No currency")
    opportunity, _ = person.opportunity(person.account(), 100, currency=strange)
    assert client.dataverse.retrieve("opportunity", opportunity)["new_syncstatus"] == 2
    euro = "/transactioncurrencies(c0000000-0000-4000-8000-000000000001)"
    person.update("opportunity", opportunity, {"transactioncurrencyid@odata.bind": euro})
    row = client.dataverse.retrieve("opportunity", opportunity)
    assert (row["new_syncstatus"], row["new_creditdecision"]) == (1, 1)
