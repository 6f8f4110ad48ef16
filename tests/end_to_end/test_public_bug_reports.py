"""What people who do this job have reported as broken elsewhere, and must not be broken here."""

import json
import time
import uuid
from typing import Any

import pytest
from azure.servicebus import ServiceBusClient, ServiceBusMessage, ServiceBusSubQueue

from sandbox.client import Client, eventually
from tests.end_to_end.journeys import Person, context_of, effects_of, state_in_erp

GATEWAY: list[dict[str, Any]] = [
    {"status": 302},
    {"status": 404},
    {"status": 405},
    {"status": 501},
    {"status": 200},
    {"status": 403},
]


@pytest.fixture
def person(client: Client) -> Person:
    return Person(client)


def dead_letter_of(client: Client, event_id: str) -> bool:
    """Whether the event's message has arrived in the dead-letter queue."""
    return any(it.message_id.startswith(event_id) for it in client.broker.dead_letters())


def send_back(client: Client, event_id: str, *, new_message_id: bool) -> None:
    """Send the dead letter to the queue again and complete it, as Service Bus Explorer and the portal do."""
    eventually(lambda: dead_letter_of(client, event_id), within=20, what="the dead letter")
    with (
        ServiceBusClient.from_connection_string(client.broker.connection_string) as broker,
        broker.get_queue_receiver("work", sub_queue=ServiceBusSubQueue.DEAD_LETTER) as receiver,
        broker.get_queue_sender("work") as sender,
    ):
        message = _received(receiver, event_id)
        sender.send_messages(
            ServiceBusMessage(
                b"".join(message.body),
                session_id=message.session_id,
                message_id=str(uuid.uuid4()) if new_message_id else str(message.message_id),
            )
        )
        receiver.complete_message(message)


def _received(receiver: Any, event_id: str) -> Any:
    """The dead letter of the event; those of others are given back once it is there, or they would come again first."""
    others = []
    try:
        while messages := receiver.receive_messages(max_message_count=1, max_wait_time=5):
            (message,) = messages
            if str(message.message_id).startswith(event_id):
                return message
            others.append(message)
    finally:
        for message in others:
            receiver.abandon_message(message)
    raise AssertionError(f"the dead letter of {event_id} was not received")


@pytest.mark.parametrize("fault", GATEWAY, ids=lambda it: str(it["status"]))
@pytest.mark.parametrize("system", ["erp", "dataverse"])
def test_a_gateways_page_is_an_outage_whatever_its_status(
    client: Client, person: Person, system: str, fault: dict[str, Any]
) -> None:
    """During a slot swap or a maintenance window nothing is given up: the event waits, then gets through."""
    stand_in = client.erp if system == "erp" else client.dataverse
    stand_in.add_fault("PUT .*" if system == "erp" else "GET .*accounts\\(.*", times=1, gateway=True, **fault)
    before = client.dataverse.last_event()
    account = client.dataverse.create("account", {"name": "Behind a gateway"})
    status = client.app.wait_for(client.dataverse.event_id(account, after=before))
    assert status["state"] == "completed"
    assert status["history"][0]["attempt"] == 1
    assert effects_of(client, account) == ["customer-created"]


def test_a_gateways_not_found_is_not_the_erps_word_when_a_row_is_deleted(client: Client, person: Person) -> None:
    """The customer of a deleted account is blocked once the ERP itself answers."""
    account = person.account()
    opportunity, _ = person.opportunity(account, 100)
    person.win(opportunity)
    client.erp.add_fault("GET /api/.*", status=404, times=2, gateway=True)
    event_id = person.delete("opportunity", opportunity)
    assert client.app.wait_for(event_id)["state"] == "completed"
    assert state_in_erp(client, opportunity) == "on-hold"
    person.delete("account", account)
    assert state_in_erp(client, account) == "blocked"


def test_a_change_posted_before_its_commit_is_waited_for(client: Client, person: Person) -> None:
    """A synchronous step posts inside the transaction: the row still has the old value, and shows the new one later."""
    account = person.account(name="Before")
    context = context_of(
        "webhook_async_update_account_2019",
        PrimaryEntityId=account,
        OperationId=str(uuid.uuid4()),
        RequestId=str(uuid.uuid4()),
        IsInTransaction=True,
        Mode=0,
        Stage=40,
        SharedVariables=[],
        ParentContext=None,
        PreEntityImages=[],
        PostEntityImages=[],
        InputParameters=[
            {
                "key": "Target",
                "value": {
                    "__type": "Entity:http://schemas.microsoft.com/xrm/2011/Contracts",
                    "Attributes": [{"key": "name", "value": "After"}, {"key": "accountid", "value": account}],
                    "Id": account,
                    "LogicalName": "account",
                },
            }
        ],
    )
    answer = client.app.post_webhook(json.dumps(context).encode())
    assert answer.status_code == 202, answer.text
    time.sleep(1)  # the transaction goes on
    client.dataverse.update("account", account, {"name": "After"}, silent=True)
    assert client.app.wait_for(answer.json()["eventId"])["state"] == "completed"
    assert [it["body"]["name"] for it in client.erp.effects() if it["id"] == account] == ["Before", "After"]


@pytest.mark.parametrize("new_message_id", [True, False], ids=["new MessageId", "same MessageId"])
def test_a_dead_letter_sent_back_by_hand_is_worked_on_again(
    client: Client, person: Person, new_message_id: bool
) -> None:
    """Service Bus Explorer knows nothing of this app; what it sends back is done, not bounced."""
    strange = client.dataverse.currency("XXX", "No currency")
    opportunity, event_id = person.opportunity(person.account(), 700, currency=strange)
    assert client.app.wait_for(event_id)["state"] == "dead-lettered"
    eventually(lambda: dead_letter_of(client, event_id), within=20, what="the dead letter")
    euro = "/transactioncurrencies(c0000000-0000-4000-8000-000000000001)"
    client.dataverse.update("opportunity", opportunity, {"transactioncurrencyid@odata.bind": euro}, silent=True)
    client.broker.advance_clock(31)  # past duplicate detection
    send_back(client, event_id, new_message_id=new_message_id)
    assert client.app.wait_for(event_id, {"completed"})["reason"] is None
    assert client.dataverse.retrieve("opportunity", opportunity)["new_syncstatus"] == 1


def test_a_dead_lettered_delete_can_still_be_done(client: Client, person: Person) -> None:
    """There is no row left to touch: the message sent back is the only way, and it works."""
    account = person.account()
    client.erp.add_fault("PATCH .*", status=422, times=1)
    before = client.dataverse.last_event()
    client.dataverse.delete("account", account)
    event_id = client.dataverse.event_id(account, after=before)
    assert client.app.wait_for(event_id)["state"] == "dead-lettered"
    client.broker.advance_clock(31)
    send_back(client, event_id, new_message_id=False)
    client.app.wait_for(event_id, {"completed"})
    assert state_in_erp(client, account) == "blocked"


def test_a_contact_is_followed_as_a_customer_and_blocked_when_it_is_deleted(client: Client, person: Person) -> None:
    contact, _ = person.create("contact", {"firstname": "Ada", "lastname": "Fischer"})
    person.update("contact", contact, {"emailaddress1": "ada@example.com"})
    person.delete("contact", contact)
    assert effects_of(client, contact) == ["customer-created", "customer-updated", "customer-updated"]
    assert state_in_erp(client, contact) == "blocked"
