"""What goes wrong on the way, and what comes of it."""

import json
import uuid

import pytest

from sandbox.client import Client, eventually
from sandbox.running.sandbox import Sandbox
from tests.end_to_end.journeys import Person, charges_for, context_of, effects_of

PAST_THE_LOCK = 61.0
"""Seconds: the work queue's lock duration, and a little."""


@pytest.fixture
def person(client: Client) -> Person:
    return Person(client)


def test_an_erp_that_is_down_delays_and_loses_nothing(client: Client, person: Person) -> None:
    """The event waits, says so, and is done when the ERP is back; one effect."""
    client.erp.add_fault("PUT .*", status=503, times=None)
    row_id = client.dataverse.create("account", {"name": "While the ERP is down"})
    event_id = client.dataverse.event_id(row_id)
    waiting = client.app.wait_for(event_id, {"waiting"})
    assert waiting["reason"] == "erp-unavailable"
    assert waiting["nextAttempt"]
    client.erp.clear_faults()
    done = client.app.wait_for(event_id)
    assert done["state"] == "completed"
    assert done["attempts"] > 1
    assert effects_of(client, row_id) == ["customer-created"]


def test_retry_after_is_obeyed(client: Client, person: Person) -> None:
    """Nothing is sent to a system within the time that it asked for."""
    client.erp.add_fault("PUT .*", status=429, times=1, headers={"Retry-After": "2"})
    row_id = client.dataverse.create("account", {"name": "Throttled"})
    event_id = client.dataverse.event_id(row_id)
    assert client.app.wait_for(event_id)["state"] == "completed"
    asked = [request["at"] for request in client.erp.received() if row_id in request["path"]]
    assert len(asked) == 2
    assert seconds_between(*asked) >= 1.9


def test_a_refused_event_reaches_the_dead_letter_queue_and_says_why(client: Client, person: Person) -> None:
    """The reason is in the status and in the row; the message is in $DeadLetterQueue; nothing is asked twice."""
    strange = client.dataverse.currency("XXX", "No currency")
    asked_before = _refused(client)
    opportunity, event_id = person.opportunity(person.account(), 100, currency=strange)
    status = client.app.wait_for(event_id)
    assert (status["state"], status["reason"]) == ("dead-lettered", "credit-rejected")
    assert "unknown-currency" in status["detail"]
    letter = eventually(
        lambda: next((it for it in client.broker.dead_letters() if it.message_id.startswith(event_id)), None),
        within=20,
        what="the dead letter",
    )
    assert letter.session_id == f"opportunity:{opportunity}"
    row = client.dataverse.retrieve("opportunity", opportunity)
    assert row["new_syncstatus"] == 2
    assert "credit-rejected" in row["new_syncmessage"]
    assert _refused(client) == asked_before + 1
    (exchange,) = eventually(
        lambda: client.app.listed(f"{event_id}/exchanges")["exchanges"], within=20, what="what was sent and came back"
    )
    assert (exchange["system"], exchange["method"], exchange["status"]) == ("credit", "POST", 422)
    assert json.loads(exchange["sent"]["text"])["currency"] == "XXX"
    assert "unknown-currency" in exchange["received"]["text"]
    assert "api-key" not in json.dumps(exchange).lower()


def test_what_a_system_says_of_a_person_stays_with_it(client: Client, sandbox: Sandbox) -> None:
    """A refusal's type and fields are shown; its free text is in no status, list, row, dead letter, archive or log."""
    secret = f"Fernandez{uuid.uuid4().hex[:8]}"
    problem = {
        "type": "https://erp.example/problems/customer-blocked",
        "title": f"{secret} is blocked",
        "status": 422,
        "detail": f"Mrs {secret} has not paid since March",
        "errors": [{"pointer": "#/name", "detail": f"{secret} is a debtor"}],
    }
    client.erp.add_fault(
        "PUT .*", status=422, body=json.dumps(problem), headers={"Content-Type": "application/problem+json"}
    )
    row_id = client.dataverse.create("account", {"name": "A debtor"})
    event_id = client.dataverse.event_id(row_id)
    status = client.app.wait_for(event_id)
    assert (status["state"], status["reason"]) == ("dead-lettered", "erp-customer-blocked")
    assert status["detail"] == "erp answered 422 to 'put customer': customer-blocked; fields: /name"
    line = eventually(lambda: client.archive.line_of(event_id), within=60, what="its line in the archive")
    letters = client.broker.dead_letters()
    assert any(letter.message_id.startswith(event_id) for letter in letters)
    seen = [status, client.app.problems(), client.dataverse.retrieve("account", row_id), line, letters]
    assert [it for it in seen if secret in repr(it)] == []
    assert [log for log in sandbox.state.logs.iterdir() if secret in log.read_text(errors="replace")] == []


def _refused(client: Client) -> int:
    """How many requests credit scoring has refused."""
    return sum(request["status"] == 422 for request in client.credit.received())


def test_a_message_that_is_none_of_ours_is_dead_lettered_and_does_not_block(client: Client, sandbox: Sandbox) -> None:
    """Rubbish in the queue goes the same way, and the record behind it is worked on."""
    from azure.servicebus import ServiceBusClient, ServiceBusMessage  # noqa: PLC0415 -- only here

    message_id = uuid.uuid4().hex
    with (
        ServiceBusClient.from_connection_string(client.broker.connection_string) as bus,
        bus.get_queue_sender("work") as sender,
    ):
        sender.send_messages(
            ServiceBusMessage(b"rubbish " + message_id.encode(), session_id="x", message_id=message_id)
        )
    letter = eventually(
        lambda: next((it for it in client.broker.dead_letters() if it.message_id == message_id), None),
        within=20,
        what="the dead letter",
    )
    assert letter.body.startswith(b"rubbish")


def test_a_duplicate_delivery_has_one_effect(client: Client, person: Person) -> None:
    """The same webhook twice: the same event id, one effect, one charge."""
    opportunity, _ = person.opportunity(person.account(), 700)
    context = context_of(
        "webhook_async_update_account_2019",
        PrimaryEntityName="opportunity",
        PrimaryEntityId=opportunity,
        OperationId=str(uuid.uuid4()),
    )
    context["InputParameters"][0]["value"] |= {
        "Id": opportunity,
        "LogicalName": "opportunity",
        "Attributes": [{"key": "estimatedvalue", "value": {"__type": "Money:http://schemas", "Value": 700}}],
    }
    answers = [client.app.post_webhook(context) for _ in range(5)]
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["eventId"] for answer in answers}) == 1
    client.app.wait_for(answers[0].json()["eventId"])
    assert len(charges_for(client, opportunity)) == 1


@pytest.mark.parametrize("match", ["PUT /api/customers", "POST /api/scores", "PATCH .*opportunities.*tag"])
def test_killed_between_an_effect_and_its_ledger_row_there_is_one_effect(
    client: Client, sandbox: Sandbox, person: Person, match: str
) -> None:
    """Kill -9 after the other side has done it and before we know: the next delivery gets the same answer."""
    account = client.dataverse.create("account", {"name": "Killed", "telephone1": "1"}, row_id=str(uuid.uuid4()))
    client.app.wait_for(client.dataverse.event_id(account))
    opportunity, _ = person.opportunity(account, 800)
    system = client.dataverse if match.startswith("PATCH") else client.credit if "scores" in match else client.erp
    system.add_fault(match, after=True, drop=True, delay_ms=8000, times=1)
    if "customers" in match:
        event_id = person.change("account", account, {"telephone1": "2"})
    else:
        event_id = person.change("opportunity", opportunity, {"estimatedvalue": 300_000})
    path = match.partition(" ")[2].partition(".*")[2] or match.partition(" ")[2]
    eventually(
        lambda: any(it["status"] is None and path.split(".*")[0] in it["path"] for it in system.received()),
        within=10,
        what="the effect",
    )
    sandbox.processes.kill("host-events")
    client.broker.advance_clock(PAST_THE_LOCK)
    sandbox.processes.start("host-events")
    assert client.app.wait_for(event_id, within=30)["state"] == "completed"
    assert effects_of(client, account) == ["customer-created"] + ["customer-updated"] * ("customers" in match)
    assert len(charges_for(client, opportunity)) == (1 if "customers" in match else 2)
    if "customers" not in match:
        assert client.dataverse.retrieve("opportunity", opportunity)["new_syncstatus"] == 1


def test_a_row_changed_meanwhile_is_read_again_and_not_overwritten_blindly(client: Client, person: Person) -> None:
    """412: a column that does not decide changes nothing; the result is written with the new ETag, no second charge."""
    opportunity, _ = person.opportunity(person.account(), 800)
    client.dataverse.add_fault("PATCH .*opportunities.*tag", delay_ms=1500, times=1)
    event_id = person.change("opportunity", opportunity, {"estimatedvalue": 260_000})
    eventually(lambda: len(charges_for(client, opportunity)) == 2, within=10, what="the score")
    client.dataverse.update("opportunity", opportunity, {"description": "changed meanwhile"})
    assert client.app.wait_for(event_id)["state"] == "completed"
    row = client.dataverse.retrieve("opportunity", opportunity)
    assert (row["new_creditdecision"], row["description"]) == (2, "changed meanwhile")
    assert any(it["status"] == 412 for it in client.dataverse.received() if opportunity in it["path"])
    assert len(charges_for(client, opportunity)) == 2


def test_an_amount_changed_meanwhile_is_scored_again(client: Client, person: Person) -> None:
    """412 on a column that decides: what is written belongs to the row as it is."""
    opportunity, _ = person.opportunity(person.account(), 800)
    client.dataverse.add_fault("PATCH .*opportunities.*tag", delay_ms=1500, times=1)
    event_id = person.change("opportunity", opportunity, {"estimatedvalue": 260_000})
    eventually(lambda: len(charges_for(client, opportunity)) == 2, within=10, what="the score")
    second = person.change("opportunity", opportunity, {"estimatedvalue": 5_000_000})
    assert client.app.wait_for(event_id)["state"] == "completed"
    assert client.app.wait_for(second)["state"] == "superseded"
    assert client.dataverse.retrieve("opportunity", opportunity)["new_creditdecision"] == 3
    assert len(charges_for(client, opportunity)) == 3


def test_a_broker_that_is_down_is_503_and_loses_nothing(client: Client, sandbox: Sandbox, person: Person) -> None:
    """Never a 202 for what is not queued; what was queued before survives the broker's kill -9."""
    client.erp.add_fault("PUT .*", status=503, times=None)
    row_id = client.dataverse.create("account", {"name": "Queued before"})
    event_id = client.dataverse.event_id(row_id)
    client.app.wait_for(event_id, {"waiting"})
    sandbox.processes.kill("broker")
    answer = client.app.post_webhook(context_of("webhook_async_delete_lead", OperationId=str(uuid.uuid4())))
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert client.app.health().status_code == 503
    client.erp.clear_faults()
    sandbox.processes.start("broker")
    assert client.app.wait_for(event_id)["state"] == "completed"
    again = client.app.post_webhook(context_of("webhook_async_delete_lead", OperationId=str(uuid.uuid4())))
    assert again.status_code == 202


def test_a_ledger_that_is_away_does_not_turn_an_accepted_event_into_an_error(
    client: Client, sandbox: Sandbox, person: Person
) -> None:
    """The intake answers 202 as the broker has it; the worker waits for the ledger and then catches up."""
    context = context_of("webhook_async_delete_lead", OperationId=str(uuid.uuid4()))
    sandbox.processes.kill("azurite")
    answer = client.app.post_webhook(context)
    assert answer.status_code == 202
    sandbox.processes.start("azurite")
    status = client.app.wait_for(answer.json()["eventId"])
    assert (status["state"], status["table"]) == ("no-handler", "lead")


def seconds_between(first: str, second: str) -> float:
    from datetime import datetime  # noqa: PLC0415 -- only here

    return (datetime.fromisoformat(second) - datetime.fromisoformat(first)).total_seconds()
