"""The rules of rows that flows send."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from integration.errors import Rejected
from integration.events import IntegrationEvent, Lookup, Wants, from_envelope, read_flat_row, to_envelope
from integration.events.body import parse_body
from tests.unit.integration.events.support import ACCEPTED, OTHER_ROW, ROW

TRIGGERED = {
    "@odata.etag": 'W/"5512345"',
    "ItemInternalId": ROW.upper(),
    "SdkMessage": "Update",
    "modifiedon": "2026-11-20T19:05:00Z",
    "name": "Contoso",
    "revenue": 1250000.5,
    "statuscode": 1,
    "_primarycontactid_value": OTHER_ROW,
    "_primarycontactid_type": "contacts_are_no_table!",
    "_parentaccountid_value": OTHER_ROW,
    "_parentaccountid_value@Microsoft.Dynamics.CRM.lookuplogicalname": "account",
}
"""What the trigger of the connector for Dataverse gives, cut down."""
CARRIED = frozenset({"name", "createdon", "parentaccountid", "primarycontactid"})


def row(**changed: Any) -> dict[str, Any]:
    return {"table": "account", "columns": TRIGGERED} | changed


def plain(**changed: Any) -> dict[str, Any]:
    """A row of which the flow says everything itself."""
    return {
        "table": "account",
        "id": ROW,
        "message": "Delete",
        "operationId": "08584293745-run",
        "time": "2026-11-20T19:05:00Z",
    } | changed


def read(body: dict[str, Any], caller: str = "flows") -> IntegrationEvent:
    return read_flat_row(
        parse_body(json.dumps(body).encode()),
        headers={"x-correlation-id": "run-5"},
        caller=caller,
        accepted_time=ACCEPTED,
        organisation="contoso",
        wants_of=lambda _table, _message: Wants(carried=CARRIED),
    )


def faults_of(body: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(Rejected) as refused:
        read(body)
    assert refused.value.status == 400
    return {fault.pointer: fault.detail for fault in refused.value.faults}


def test_the_body_of_the_connector_s_trigger_says_all_but_the_table() -> None:
    event = read(row())

    assert (event.table, event.message, event.record_id) == ("account", "Update", ROW)
    assert (event.operation_time, event.correlation_id) == (datetime(2026, 11, 20, 19, 5, tzinfo=UTC), "run-5")
    assert event.organisation == "contoso"
    assert event.session_id == f"account:{ROW}"


def test_only_values_that_are_wanted_are_carried_and_a_lookup_needs_its_table() -> None:
    event = read(row())

    assert event.values == {
        "name": "Contoso",
        "primarycontactid": OTHER_ROW,
        "parentaccountid": Lookup("account", OTHER_ROW),
    }
    assert from_envelope(to_envelope(event)).values == event.values


def test_what_cannot_be_read_is_named_and_read_again_from_dataverse() -> None:
    event = read(row(columns=TRIGGERED | {"createdon": "2026-13-45T00:00:00Z"}))
    assert (event.unread, event.trimmed) == (("columns.createdon",), True)


def test_what_the_flow_says_itself_comes_before_the_columns() -> None:
    event = read(row(id=OTHER_ROW, message="Create", time="2026-11-21T00:00:00Z", changedColumns=["Name", "name"]))

    assert (event.record_id, event.message, event.changed_columns) == (OTHER_ROW, "Create", ("name",))
    assert event.operation_time == datetime(2026, 11, 21, tzinfo=UTC)


def test_the_same_version_of_a_row_is_the_same_event_however_it_is_sent() -> None:
    """Other columns, another order, a retry of the flow: none of that is another change."""
    said = row(columns={}, id=ROW, message="Update", rowVersion=5512345, time="2026-11-20T19:05:00+00:00")

    assert read(row()).event_id == read(row()).event_id == read(said).event_id
    assert read(row(columns=TRIGGERED | {"name": "Other"})).event_id == read(row()).event_id


def test_each_caller_has_an_event_of_its_own() -> None:
    """It could not follow one that is another caller's."""
    assert read(row(), caller="other").event_id != read(row()).event_id


@pytest.mark.parametrize("changed", [{"rowVersion": "5512346"}, {"message": "Create"}, {"id": OTHER_ROW}])
def test_another_version_message_or_row_is_another_event(changed: dict[str, Any]) -> None:
    assert read(row(**changed)).event_id != read(row()).event_id


def test_a_row_without_a_version_is_known_by_its_operation() -> None:
    assert read(plain()).event_id == read(plain()).event_id
    assert read(plain()).event_id != read(plain(operationId="another run")).event_id
    assert read(plain()).message == "Delete"


def test_everything_that_is_wrong_is_reported_at_once() -> None:
    assert faults_of({"table": "no table", "message": "Win", "id": "five", "time": "today"}).keys() == {
        "/table", "/message", "/id", "/time"
    }  # fmt: skip
    assert faults_of({"table": "account"}).keys() == {"/message", "/id", "/time", "/rowVersion"}
    assert faults_of(row(rowVersion="newest", changedColumns="name")).keys() == {"/rowVersion", "/changedColumns"}


@pytest.mark.parametrize("columns", [None, [], "name", 5])
def test_columns_that_are_no_object_are_refused(columns: Any) -> None:
    assert faults_of(plain(columns=columns)).keys() == {"/columns"}
