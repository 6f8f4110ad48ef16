"""The main job over real HTTP and AMQP: what comes in, what is done about it, what is written back."""

import uuid

import pytest

from sandbox.client import Client, eventually
from tests.end_to_end.journeys import Person, charges_for, context_of, effects_of, payload, state_in_erp

ALPINE = "aaa19cdd-88df-e311-b8e5-6c3be5a8b200"
OPERATION = "71eb765f-0f16-e911-a951-000d3a37fb59"
"""The row and the operation of the captured update."""


@pytest.fixture
def person(client: Client) -> Person:
    return Person(client)


def test_a_captured_payload_becomes_an_erp_customer_and_is_written_back(client: Client) -> None:
    """The body that a real environment sent for a renamed account goes the whole way.

    As an operation of its own, because other tests send the same body and may have done so before.
    """
    client.dataverse.create("account", {"name": "Alpine Ski House ASDF"}, row_id=ALPINE, silent=True)
    body = payload("webhook_async_update_account_2019")
    answer = client.app.post_webhook(body.replace(OPERATION.encode(), str(uuid.uuid4()).encode()))
    assert answer.status_code == 202
    event_id = answer.json()["eventId"]
    assert answer.headers["Location"] == f"{client.app.url}/api/events/{event_id}/outcome"
    status = client.app.wait_for(event_id)
    row = client.dataverse.retrieve("account", ALPINE)
    assert status["table"] == "account"
    assert status["recordId"] == ALPINE
    assert status["correlationId"] == "d0103cd1-eb73-4c21-9841-217637786b1c"
    assert status["state"] == "completed"
    assert effects_of(client, ALPINE) == ["customer-created"]
    assert row["new_erpnumber"].startswith("C-")
    assert row["new_syncstatus"] == 1
    line = eventually(lambda: client.archive.line_of(event_id), within=20, what="the line in the archive")
    assert line["data"]["state"] == status["state"]


def test_a_changed_row_makes_exactly_one_erp_call_and_no_loop(client: Client, person: Person) -> None:
    """One user's change, one PUT; the write-back raises no event that is worked on again."""
    account = person.account()
    assert effects_of(client, account) == ["customer-created"]
    before = client.dataverse.last_event()
    event_id = person.update("account", account, {"name": "Renamed"})
    assert client.app.wait_for(event_id)["state"] == "completed"
    client.dataverse.quiet()
    assert effects_of(client, account) == ["customer-created", "customer-updated"]
    caused = [event for event in client.dataverse.events(after=before) if event["id"] == account]
    assert len(caused) == 1


def test_a_write_of_ours_is_answered_and_not_queued(client: Client) -> None:
    """What carries our tag and changes result columns alone is 202 own-write: the loop ends at the intake."""
    context = context_of("webhook_async_update_account_2019", OperationId=str(uuid.uuid4()))
    context["SharedVariables"] = [{"key": "tag", "value": "dataverse-integration"}]
    context["InputParameters"][0]["value"]["Attributes"] = [{"key": "new_erpnumber", "value": "C-1"}]
    answer = client.app.post_webhook(context)
    assert (answer.status_code, answer.json()["status"]) == (202, "own-write")
    assert client.app.operation(answer.json()["eventId"]) is None


def test_an_opportunity_is_scored_when_created_and_when_its_amount_changes(client: Client, person: Person) -> None:
    """One charge per decision; score, decision and time are in the row."""
    opportunity, event_id = person.opportunity(person.account(), 12_500)
    assert client.app.wait_for(event_id)["state"] == "completed"
    row = client.dataverse.retrieve("opportunity", opportunity)
    assert (row["new_creditdecision"], row["new_syncstatus"]) == (1, 1)
    assert row["new_creditscore"] == charges_for(client, opportunity)[0]["score"]
    person.update("opportunity", opportunity, {"estimatedvalue": 300_000})
    assert client.dataverse.retrieve("opportunity", opportunity)["new_creditdecision"] == 2
    person.update("opportunity", opportunity, {"name": "Only the name"})
    assert len(charges_for(client, opportunity)) == 2
    assert [charge["currency"] for charge in charges_for(client, opportunity)] == ["EUR", "EUR"]


def test_credit_may_refuse(client: Client, person: Person) -> None:
    """A refusal is a result, not a failure."""
    opportunity, event_id = person.opportunity(person.account(), 2_000_000)
    status = client.app.wait_for(event_id)
    assert status["state"] == "completed"
    assert any(step["name"] == "credit-score" and "refused" in step["detail"] for step in status["steps"])
    assert client.dataverse.retrieve("opportunity", opportunity)["new_creditdecision"] == 3
    assert effects_of(client, opportunity) == []


def test_a_won_opportunity_becomes_an_erp_order(client: Client, person: Person) -> None:
    """The customer is there first, the order number comes back; nothing is scored any more."""
    account = person.account()
    opportunity, _ = person.opportunity(account, 9_999.90)
    event_id = person.win(opportunity)
    assert client.app.wait_for(event_id)["state"] == "completed"
    assert effects_of(client, account) == ["customer-created"]
    assert effects_of(client, opportunity) == ["order-created"]
    order = next(effect for effect in client.erp.effects() if effect["id"] == opportunity)
    assert (order["body"]["amount"], order["body"]["currency"]) == ("9999.90", "EUR")
    assert client.dataverse.retrieve("opportunity", opportunity)["new_erpnumber"] == order["number"]
    assert len(charges_for(client, opportunity)) == 1


def test_a_contact_can_be_the_customer(client: Client, person: Person) -> None:
    """The customer may be an account or a contact; the ERP gets a person then."""
    contact, event_id = person.create("contact", {"firstname": "Zoë", "lastname": "Müller"})
    assert client.app.wait_for(event_id)["state"] == "completed"
    opportunity, _ = person.create(
        "opportunity",
        {
            "name": "Cargo bike",
            "estimatedvalue": 4200,
            "customerid_contact@odata.bind": f"/contacts({contact})",
            "transactioncurrencyid@odata.bind": "/transactioncurrencies(c0000000-0000-4000-8000-000000000001)",
        },
    )
    person.win(opportunity)
    (customer,) = (effect for effect in client.erp.effects() if effect["id"] == contact)
    assert (customer["body"]["kind"], customer["body"]["name"]) == ("person", "Zoë Müller")
    assert client.dataverse.retrieve("contact", contact)["new_erpnumber"] == customer["number"]


def test_a_lost_order_is_put_on_hold_and_a_deactivated_account_blocked(client: Client, person: Person) -> None:
    """What was promised is stopped, not cancelled."""
    account = person.account()
    opportunity, _ = person.opportunity(account, 100)
    person.win(opportunity)
    person.update("opportunity", opportunity, {"statecode": 0, "statuscode": 1})
    assert effects_of(client, opportunity) == ["order-created", "order-updated"]
    assert state_in_erp(client, opportunity) == "on-hold"
    person.update("account", account, {"statecode": 1, "statuscode": 2})
    assert state_in_erp(client, account) == "blocked"


def test_a_merge_blocks_the_customer_of_the_merged_account(client: Client, person: Person) -> None:
    """The intake makes an event of each row; the order of an opportunity that moves goes to the master's customer."""
    master, subordinate = person.account(), person.account()
    opportunity, _ = person.opportunity(subordinate, 100)
    person.win(opportunity)
    status = client.app.wait_for(person.merge("account", master, subordinate))
    assert (status["message"], status["state"]) == ("Merge", "completed")
    assert effects_of(client, master) == ["customer-created"]
    eventually(lambda: effects_of(client, subordinate)[1:], within=20, what="the block")
    blocked = next(it for it in reversed(client.erp.effects()) if it["id"] == subordinate)
    assert (blocked["body"]["status"], blocked["body"]["reason"]) == ("blocked", f"merged into account {master}")
    order = eventually(
        lambda: next(
            (it for it in client.erp.effects() if it["id"] == opportunity and it["kind"] == "order-updated"), None
        ),
        within=20,
        what="the change of the order",
    )
    assert order is not None
    assert order["body"]["customerId"] == master


def test_deleted_rows_stop_their_customer_and_order(client: Client, person: Person) -> None:
    """There is no row to read any more, but the ERP is still brought to the right state."""
    account = person.account()
    opportunity, _ = person.opportunity(account, 100)
    person.win(opportunity)
    gone = person.delete("opportunity", opportunity)
    assert client.app.wait_for(gone)["state"] == "completed"
    assert state_in_erp(client, opportunity) == "on-hold"
    person.delete("account", account)
    assert state_in_erp(client, account) == "blocked"


def test_the_plug_in_payload_reads_the_row_for_what_it_lacks(client: Client, person: Person) -> None:
    """Five fields are enough: the worker reads the rest from Dataverse."""
    opportunity, _ = person.opportunity(person.account(), 500)
    before = client.dataverse.last_event()
    client.dataverse.update("opportunity", opportunity, {"estimatedvalue": 270_000}, silent=True)
    answer = client.app.post_plugin_event(
        {
            "EventName": "OpportunityUpdated",
            "RecordId": opportunity,
            "ChangedFields": ["estimatedvalue"],
            "TriggeredBy": "11111111-1111-4111-8111-111111111111",
            "Timestamp": "2026-11-20T10:15:30Z",
            "OperationId": str(uuid.uuid4()),
        }
    )
    assert answer.status_code == 202
    assert client.app.wait_for(answer.json()["eventId"])["state"] == "completed"
    assert client.dataverse.retrieve("opportunity", opportunity)["new_creditdecision"] == 2
    published = [event for event in client.dataverse.events(after=before) if event["id"] == opportunity]
    assert published == []  # the change was silent, and the write-back touches no column that a step filters on


def test_events_of_one_cause_are_listed_by_correlation_id(client: Client) -> None:
    """Support asks with the id that Dataverse shows. What the list is made of is written a moment after the events."""
    correlation_id = str(uuid.uuid4())
    sent = [
        client.app.post_webhook(
            context_of("webhook_async_delete_lead", OperationId=str(uuid.uuid4()), CorrelationId=correlation_id)
        ).json()["eventId"]
        for _ in range(3)
    ]
    for event_id in sent:
        assert client.app.wait_for(event_id)["state"] == "no-handler"

    def listed() -> bool:
        return {found["eventId"] for found in client.app.operations(correlation_id)} == set(sent)

    eventually(listed, within=20, what="three events of one cause")


def test_a_win_message_and_its_update_make_one_order(client: Client, person: Person) -> None:
    """An environment that sends Win as well as Update sends two events for one decision; the second does nothing."""
    opportunity, _ = person.opportunity(person.account(), 450)
    person.win(opportunity)
    closing = {
        "Attributes": [{"key": "opportunityid", "value": {"Id": opportunity, "LogicalName": "opportunity"}}],
        "LogicalName": "opportunityclose",
        "Id": "00000000-0000-0000-0000-000000000000",
    }
    context = context_of(
        "webhook_async_delete_lead",
        MessageName="Win",
        PrimaryEntityName="opportunity",
        PrimaryEntityId="00000000-0000-0000-0000-000000000000",
        InputParameters=[{"key": "OpportunityClose", "value": closing}, {"key": "Status", "value": {"Value": 3}}],
        OperationId=str(uuid.uuid4()),
    )
    status = client.app.wait_for(client.app.post_webhook(context).json()["eventId"])
    assert (status["state"], status["recordId"]) == ("superseded", opportunity)
    assert effects_of(client, opportunity) == ["order-created"]
