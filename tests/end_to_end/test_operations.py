"""What the support desk does to events, records and systems, in the whole running app."""

import dataclasses
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from azure.servicebus import ServiceBusClient, ServiceBusMessage

from integration.events import to_envelope
from sandbox.client import Client, eventually
from sandbox.running.endpoints import Endpoints
from sandbox.running.sandbox import Sandbox
from tests.builders import event
from tests.end_to_end.journeys import Person, charges_for, effects_of

A_MINUTE = 75.0
"""Seconds within which the timer of every minute has run."""


@pytest.fixture
def person(client: Client) -> Person:
    return Person(client)


@pytest.fixture
def currency(client: Client) -> str:
    """A currency without a code, which dead-letters an opportunity until somebody gives it one."""
    columns = {"currencyname": f"Odd {uuid.uuid4().hex[:8]}", "currencysymbol": "?", "exchangerate": 1}
    return client.dataverse.create("transactioncurrency", columns)


@pytest.fixture
def _resumed(client: Client) -> Iterator[None]:
    """Whatever comes of the test, nothing stays paused."""
    yield
    client.app.act("systems/erp/resume")
    client.app.act("tables/contact/resume")


def in_the_dead_letter_queue(client: Client, event_id: str) -> bool:
    return any(letter.message_id.startswith(event_id) for letter in client.broker.dead_letters())


def test_a_dead_letter_is_mended_sent_again_and_leaves_the_queue(client: Client, person: Person, currency: str) -> None:
    """One charge in the end; the original is resolved by the retry, and its message removed within a minute."""
    opportunity, original = person.opportunity(person.account(), 100, currency=currency)
    status = client.app.wait_for(original)
    assert (status["state"], status["reason"]) == ("dead-lettered", "currency-without-code")
    assert original in [it["eventId"] for it in client.app.problems(reason="currency-without-code")]
    eventually(lambda: in_the_dead_letter_queue(client, original), within=20, what="the dead letter")
    refused = client.app.act(f"{original}/edit", values={"estimatedvalue": {"money": "90"}})
    assert (refused.status_code, "Put the row right in Dataverse" in refused.json()["detail"]) == (409, True)

    client.dataverse.update("transactioncurrency", currency, {"isocurrencycode": "CHF"})
    answer = client.app.act(f"{original}/retry", request="once")
    assert answer.status_code == 202, answer.text
    again = answer.json()["eventId"]
    assert client.app.act(f"{original}/retry", request="once").json()["eventId"] == again
    assert client.app.wait_for(again)["state"] == "completed"
    resolved = client.app.wait_for(original, {"resolved"})
    assert (resolved["resolvedBy"], resolved["replayedBy"]) == (again, again)
    assert len(charges_for(client, opportunity)) == 1
    assert original not in [it["eventId"] for it in client.app.problems()]
    eventually(lambda: not in_the_dead_letter_queue(client, original), within=A_MINUTE, what="its removal")


def test_a_discard_is_taken_back(client: Client, person: Person, currency: str) -> None:
    """While it is discarded the event is no problem of anybody's, and cannot be sent again."""
    _, event_id = person.opportunity(person.account(), 100, currency=currency)
    assert client.app.act(f"{event_id}/discard").status_code == 200
    assert client.app.wait_for(event_id)["state"] == "discarded"
    assert event_id not in [it["eventId"] for it in client.app.problems()]
    refused = client.app.act(f"{event_id}/retry")
    assert (refused.status_code, "restore it first" in refused.json()["detail"]) == (409, True)

    assert client.app.act(f"{event_id}/restore").status_code == 200
    assert client.app.wait_for(event_id)["reason"] == "currency-without-code"
    assert event_id in [it["eventId"] for it in client.app.problems()]


def test_resync_brings_a_record_to_the_erp_again(client: Client, person: Person) -> None:
    """Although the app remembers that it has been there."""
    account = person.account()
    before = len([it for it in client.erp.received() if account in it["path"] and it["method"] == "PUT"])
    answer = client.app.act("resync", table="account", recordIds=[account])
    assert answer.json()["left"] == [], answer.text
    (status,) = eventually(
        lambda: client.app.operations(answer.json()["correlationId"]), within=20, what="the event of the resync"
    )
    assert client.app.wait_for(status["eventId"])["state"] == "completed"
    after = len([it for it in client.erp.received() if account in it["path"] and it["method"] == "PUT"])
    assert after == before + 1


@pytest.mark.usefixtures("_resumed")
def test_a_paused_system_gets_nothing_until_it_is_resumed(client: Client) -> None:
    """Its events wait and say who has paused it; they go on by themselves."""
    assert client.app.act("systems/erp/pause", why="maintenance").json()["pausedBy"] == "support"

    def created() -> str:
        row_id = client.dataverse.create("account", {"name": f"Paused {uuid.uuid4().hex[:8]}"})
        return client.dataverse.event_id(row_id)

    # An instance has read the state anew after two seconds at most.
    def held_back() -> str | None:
        event_id = created()
        status = client.app.wait_for(event_id, {"waiting", "completed"})
        return event_id if status["state"] == "waiting" and status["reason"] == "erp-paused" else None

    event_id = eventually(held_back, within=20, what="an event that is held back")
    assert "maintenance" in client.app.wait_for(event_id, {"waiting"})["detail"]
    assert client.app.act("systems/erp/resume").json()["pausedBy"] is None
    assert client.app.wait_for(event_id)["state"] == "completed"


@pytest.mark.usefixtures("_resumed")
def test_a_paused_table_is_held_back_while_others_go_on(client: Client, sandbox: Sandbox) -> None:
    """Its events wait on each instance, also on one that was started since; none is dead-lettered, nothing is sent."""
    assert client.app.act("tables/contact/pause", why="contacts are merged").json()["pausedBy"] == "support"

    def held_back() -> tuple[str, str] | None:
        row_id = client.dataverse.create("contact", {"lastname": f"Paused {uuid.uuid4().hex[:8]}"})
        event_id = client.dataverse.event_id(row_id)
        status = client.app.wait_for(event_id, {"waiting", "completed"})
        return (row_id, event_id) if status["state"] == "waiting" else None

    row_id, event_id = eventually(held_back, within=20, what="an event that is held back")
    sandbox.processes.kill("host-events")
    sandbox.processes.start("host-events")
    Person(client).account()
    waiting = client.app.wait_for(event_id, {"waiting"})
    assert (waiting["reason"], waiting["detail"]) == ("table-paused", "support has paused contact: contacts are merged")
    assert effects_of(client, row_id) == []

    assert client.app.act("tables/contact/resume").json()["pausedBy"] is None
    assert client.app.wait_for(event_id)["state"] == "completed"
    assert effects_of(client, row_id) == ["customer-created"]


def test_a_postponed_event_is_tried_at_its_time_and_not_before(client: Client) -> None:
    """Although the ERP is back long before."""
    client.erp.add_fault("PUT .*", status=503, times=None)
    row_id = client.dataverse.create("account", {"name": "Postponed"})
    event_id = client.dataverse.event_id(row_id)
    client.app.wait_for(event_id, {"waiting"})
    until = datetime.now(UTC) + timedelta(seconds=12)
    answer = client.app.act(f"{event_id}/postpone", until=until.isoformat())
    assert answer.status_code == 200, answer.text

    def held_back() -> bool:
        """Instances know of it within two seconds."""
        history = client.app.wait_for(event_id, {"waiting"})["history"]
        return "postponed" in [it["reason"] for it in history]

    eventually(held_back, within=10, what="an attempt that is held back")
    client.erp.clear_faults()
    done = client.app.wait_for(event_id)
    assert done["state"] == "completed"
    (created,) = (it for it in client.erp.received() if row_id in it["path"] and it["status"] == 201)
    assert datetime.fromisoformat(created["at"]) >= until


def test_many_dead_letters_are_mended_in_one_go_although_the_app_is_killed(
    client: Client, sandbox: Sandbox, person: Person, currency: str
) -> None:
    """A canary first, then the others; a killed host goes on where it was. Each is done once, and charged once."""
    account = person.account()
    sent = [person.opportunity(account, 100 + number, currency=currency) for number in range(6)]
    selection = {"reason": "currency-without-code", "table": "opportunity"}
    kept = {it["eventId"] for it in client.app.problems(**selection)} - {event_id for _, event_id in sent}
    for event_id in kept:
        client.app.act(f"{event_id}/discard")
    client.dataverse.update("transactioncurrency", currency, {"isocurrencycode": "CHF"})

    plan = client.app.act("bulk", action="retry", selection=selection, canary=2, perMinute=120).json()
    assert (plan["state"], plan["total"], plan["seconds"]) == ("planned", 6, 3)
    assert plan["callsAtMost"]["credit"] == 6
    assert client.app.act(f"bulk/{plan['bulkId']}/start").status_code == 200

    def some_are_sent() -> bool:
        return bool(client.app.bulk(plan["bulkId"])["counts"]["pending"] < 6)

    eventually(some_are_sent, within=45, what="the canary")
    sandbox.processes.kill("host-http")
    sandbox.processes.kill("host-events")
    sandbox.processes.start("host-http")
    sandbox.processes.start("host-events")

    def finished() -> dict[str, Any] | None:
        found = client.app.bulk(plan["bulkId"])
        return found if found["state"] == "finished" else None

    bulk = eventually(finished, within=180, what="the end of the bulk operation")
    assert bulk["counts"] == {"pending": 0, "sent": 0, "done": 6, "failed": 0, "skipped": 0, "error": 0}
    for opportunity, original in sent:
        client.app.wait_for(original, {"resolved"})  # the worker may have been killed before it could write that down
        assert len(charges_for(client, opportunity)) == 1
    entries = client.app.audit(bulk_id=plan["bulkId"])
    assert {it["what"] for it in entries} == {"bulk-plan", "bulk-start", "retry", "bulk-finish"}
    assert {it["eventId"] for it in entries if it["what"] == "retry"} == {original for _, original in sent}


def test_a_message_whose_worker_died_without_a_word_is_found(
    client: Client, sandbox: Sandbox, endpoints: Endpoints
) -> None:
    """Nobody has written a reason: the reader of the dead-letter queue does, and support can send it again."""
    account = Person(client).account()
    lost = dataclasses.replace(event(), table="account", record_id=account)
    sandbox.processes.kill("host-events")
    with ServiceBusClient.from_connection_string(endpoints.servicebus) as bus:
        with bus.get_queue_sender("work") as sender:
            sender.send_messages(
                ServiceBusMessage(to_envelope(lost), session_id=lost.session_id, message_id=lost.message_id)
            )
        with bus.get_queue_receiver("work", session_id=lost.session_id) as receiver:
            (message,) = receiver.receive_messages(1, max_wait_time=10)
            receiver.dead_letter_message(message, reason="MaxDeliveryCountExceeded")
    sandbox.processes.start("host-events")

    status = client.app.wait_for(lost.event_id, within=A_MINUTE)
    assert (status["state"], status["reason"]) == ("dead-lettered", "worker-died")
    again = client.app.act(f"{lost.event_id}/retry", force=True).json()["eventId"]
    assert client.app.wait_for(again)["state"] == "completed"
    assert client.app.wait_for(lost.event_id, {"resolved"})["resolvedBy"] == again
    assert effects_of(client, account)[0] == "customer-created"


def test_operations_ask_for_a_key_and_a_reason(client: Client) -> None:
    event_id = event().event_id
    url = f"{client.app.url}/api/operations/{event_id}/retry"
    assert requests.post(url, json={"why": "x"}, timeout=30).status_code == 401
    assert client.app.act(f"{event_id}/retry", why="").status_code == 400
    assert client.app.act(f"{event_id}/retry").status_code == 404


def test_a_customer_that_the_erp_had_before_is_listed_and_then_taken(client: Client, person: Person) -> None:
    """The list changes nothing; where nobody can know which one it is, support writes the number into the row."""
    number = client.erp.enter_customer(name="Alpine Ski Hut")
    account = client.dataverse.create("account", {"name": "Alpine", "accountnumber": number}, silent=True)
    found: dict[str, dict[str, Any]] = {}
    following = ""
    while not found or following:
        page = client.app.listed("matches", table="account", following=following)
        found |= {it["recordId"]: it for it in page["matches"]}
        following = page["following"]
    assert (found[account]["outcome"], found[account]["numbers"]) == ("matched", [number])
    person.update("account", account, {"name": "Alpine Ski House"})
    assert client.dataverse.retrieve("account", account)["new_erpnumber"] == number
    assert effects_of(client, account) == ["customer-updated"]
    assert {it["recordId"] for it in client.app.listed("events", number=number)["events"]} == {account}
    assert client.app.listed("events", number="x' or / ?&#%")["events"] == []

    second, event = person.create("account", {"name": "Branch", "accountnumber": number})
    assert client.app.wait_for(event)["reason"] == "erp-match-taken"
    eventually(lambda: in_the_dead_letter_queue(client, event), within=20, what="the dead letter")
    other = client.erp.enter_customer(name="Branch")
    client.dataverse.update("account", second, {"new_erpnumber": other}, silent=True)
    retried = client.app.act(f"{event}/retry").json()["eventId"]
    status = client.app.wait_for(retried)
    assert (status["state"], status["detail"]) == ("completed", "the ERP customer has the state of the row")
    assert client.dataverse.retrieve("account", second)["new_erpnumber"] == other
    assert effects_of(client, second) == ["customer-updated"]
