"""From the ERP back into Dataverse: over HTTP, the queue and the worker, and into the row."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from sandbox.client import Client, eventually
from sandbox.running.registration import steps
from sandbox.running.sandbox import Sandbox
from tests.end_to_end.journeys import Person

CONFIRMED, SHIPPED, INVOICED = 1, 3, 4


@pytest.fixture
def person(client: Client) -> Iterator[Person]:
    yield Person(client)
    client.erp.set_events()


@pytest.fixture
def every_column(client: Client) -> Iterator[None]:
    """The step of opportunities is sent for each column, as somebody may have registered it."""
    [step] = [it for it in steps() if (it.table, it.message) == ("opportunity", "Update")]
    path = f"sdkmessageprocessingsteps({step.id})"
    client.dataverse.ask("PATCH", path, json={"filteringattributes": None})
    yield
    client.dataverse.ask("PATCH", path, json={"filteringattributes": ",".join(step.filtering_attributes)})


def won(person: Person) -> str:
    """An opportunity that is won, and whose order the ERP has."""
    opportunity, _ = person.opportunity(person.account(), 1000)
    person.win(opportunity)
    return opportunity


def row_shows(client: Client, table: str, row_id: str, **columns: Any) -> dict[str, Any]:
    """The row, once it shows these columns."""

    def ask() -> dict[str, Any] | None:
        row = client.dataverse.retrieve(table, row_id)
        return row if all(row.get(name) == value for name, value in columns.items()) else None

    return eventually(ask, within=20, what=f"{columns} in {table} {row_id}") or {}


def settled(client: Client, kind: str, record: str, number: int) -> list[dict[str, Any]]:
    """The events of a record of the ERP, once there are so many and all have ended."""

    def ask() -> list[dict[str, Any]] | None:
        found: list[dict[str, Any]] = client.app.listed("events", table=kind, record_id=record)["events"]
        ended = [it for it in found if it["state"] not in {"accepted", "processing", "waiting"}]
        return ended if len(ended) == len(found) == number else None

    return eventually(ask, within=20, what=f"{number} events of {kind} {record}") or []


def writes(client: Client, row_id: str) -> int:
    """How often the app has written the row."""
    received = client.dataverse.received()
    return len([it for it in received if it["method"] == "PATCH" and row_id in it["path"] and "tag=" in it["path"]])


def test_a_customer_on_hold_shows_in_its_account(client: Client, person: Person) -> None:
    account = person.account()
    client.erp.set_customer(account, onHold=True, balance="1200.50")
    assert row_shows(client, "account", account, new_erpcredit=2)["new_erpbalance"] == 1200.5


def test_a_shipped_order_shows_in_its_opportunity_and_does_not_go_to_the_erp_again(
    client: Client, person: Person, every_column: None
) -> None:
    """The ERP says that something has happened; what it was is read there.

    Dataverse reports the write, and the intake knows it for the app's own by its tag and its columns.
    """
    opportunity = won(person)
    effects, before = len(client.erp.effects()), client.dataverse.last_event()
    report = client.erp.ship(opportunity)
    row = row_shows(client, "opportunity", opportunity, new_erporderstatus=SHIPPED)
    assert datetime.fromisoformat(row["new_erpshippedon"]) == datetime.fromisoformat(report["shippedAt"])
    [status] = settled(client, "erp.order", opportunity, 1)
    assert (status["message"], status["state"]) == ("order-shipped", "completed")
    client.dataverse.quiet()
    [event] = [it for it in client.dataverse.events(after=before) if it["id"] == opportunity]
    assert '"own-write"' in event["attempts"][-1]["answer"]
    assert len(client.erp.effects()) == effects


def test_what_it_writes_to_the_erp_does_not_write_to_dataverse_for_ever(client: Client, person: Person) -> None:
    """The ERP reports the app's own writes too: the first time the row gets the state, and then it is right."""
    client.erp.set_events(of_writes=True)
    opportunity = won(person)
    row_shows(client, "opportunity", opportunity, new_erporderstatus=CONFIRMED)
    settled(client, "erp.order", opportunity, 1)
    before = writes(client, opportunity)
    person.update("opportunity", opportunity, {"name": "A better name"})
    second = settled(client, "erp.order", opportunity, 2)
    assert {it["state"] for it in second} <= {"completed", "superseded"}
    assert writes(client, opportunity) == before


def test_repeated_and_reordered_events_end_with_the_state_of_the_erp(client: Client, person: Person) -> None:
    """Three changes, each reported twice, the newest first."""
    opportunity = won(person)
    client.erp.set_events(held=True, copies=2)
    for status in ("on-hold", "shipped", "invoiced"):
        client.erp.set_order(opportunity, status)
    assert client.erp.release_events(newest_first=True) == 3
    found = settled(client, "erp.order", opportunity, 3)
    assert {it["state"] for it in found} <= {"completed", "superseded"}
    row = client.dataverse.retrieve("opportunity", opportunity)
    assert row["new_erporderstatus"] == INVOICED
    assert writes_of_status(client, opportunity) == 1


def writes_of_status(client: Client, opportunity: str) -> int:
    """How many of the record's events have written."""
    found: list[dict[str, Any]] = client.app.listed("events", table="erp.order", record_id=opportunity)["events"]
    return len([it for it in found if any(step["name"] == "dataverse-row" for step in it["steps"])])


def test_a_worker_killed_between_reading_the_erp_and_writing_leaves_nothing_undone(
    client: Client, person: Person, sandbox: Sandbox
) -> None:
    """The message comes back when its lock ends, the record is read again, and the row gets what it says by then."""
    opportunity = won(person)
    client.dataverse.add_fault(f"PATCH .*{opportunity}", delay_ms=20_000, times=1)
    client.erp.ship(opportunity)
    eventually(
        lambda: any("/report" in it["path"] and opportunity in it["path"] for it in client.erp.received()),
        within=20,
        what="the report that the worker reads",
    )
    eventually(lambda: not client.dataverse.faults(), within=20, what="the write that is held up")
    sandbox.processes.kill("host-events")
    client.erp.set_events(held=True)
    client.erp.set_order(opportunity, "invoiced")
    sandbox.processes.start("host-events")
    row_shows(client, "opportunity", opportunity, new_erporderstatus=INVOICED)
    [status] = settled(client, "erp.order", opportunity, 1)
    assert status["state"] == "completed"


def test_a_dead_letter_says_why_and_is_sent_again(client: Client, person: Person) -> None:
    """Search by record, status and retry are those of every event."""
    opportunity = won(person)
    problem = {"type": "https://erp.example/problems/ledger-closed", "title": "The ledger is closed", "status": 422}
    client.erp.add_fault(
        "GET .*/report", status=422, body=json.dumps(problem), headers={"Content-Type": "application/problem+json"}
    )
    client.erp.ship(opportunity)
    [letter] = settled(client, "erp.order", opportunity, 1)
    assert (letter["state"], letter["reason"]) == ("dead-lettered", "erp-rejected")
    assert client.app.act(f"{letter['eventId']}/retry").status_code == 202
    row_shows(client, "opportunity", opportunity, new_erporderstatus=SHIPPED)
