"""The plug-in payload's rules."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from integration.errors import Rejected
from integration.events import IntegrationEvent, read_plugin_event
from integration.events.body import parse_body
from tests.unit.integration.events.support import ACCEPTED, ROW

NAMES = {"OpportunityUpdated": ("opportunity", "Update"), "AccountCreated": ("account", "Create")}


def plugin_event(**changed: Any) -> dict[str, Any]:
    return {
        "EventName": "OpportunityUpdated",
        "RecordId": ROW,
        "ChangedFields": ["estimatedvalue"],
        "TriggeredBy": "11111111-1111-4111-8111-111111111111",
        "Timestamp": "2025-01-31T10:15:30Z",
    } | changed


def read(body: dict[str, Any], **headers: str) -> IntegrationEvent:
    return read_plugin_event(
        parse_body(json.dumps(body).encode()),
        headers={name.replace("_", "-"): value for name, value in headers.items()},
        accepted_time=ACCEPTED,
        organisation="contoso",
        event_names=NAMES,
    )


def faults_of(body: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(Rejected) as refused:
        read(body)
    assert refused.value.status == 400
    return {fault.pointer: fault.detail for fault in refused.value.faults}


def test_an_unknown_event_name_is_refused_with_the_known_ones() -> None:
    faults = faults_of(plugin_event(EventName="OpportunityWon"))

    assert faults == {"/EventName": "is not known here; the known names are: AccountCreated, OpportunityUpdated"}


def test_everything_that_is_wrong_with_the_identity_is_reported_at_once() -> None:
    faults = faults_of({"EventName": "", "RecordId": "five", "OperationId": "six", "Timestamp": "today"})

    assert faults.keys() == {"/EventName", "/RecordId", "/OperationId", "/Timestamp"}


@pytest.mark.parametrize(
    ("changed", "unread"),
    [
        ({"ChangedFields": ["estimatedvalue", "a b"]}, "ChangedFields"),
        ({"ChangedFields": ["estimatedvalue", 5]}, "ChangedFields"),
        ({"ChangedFields": "estimatedvalue"}, "ChangedFields"),
        ({"ChangedFields": ["c"] * 2_001}, "ChangedFields"),
        ({"TriggeredBy": 7}, "TriggeredBy"),
    ],
)
def test_what_does_not_identify_the_event_never_refuses_it(changed: dict[str, Any], unread: str) -> None:
    """Columns of which not all can be read are not known: nobody may conclude that nothing else changed."""
    event = read(plugin_event(**changed))

    assert (event.unread, event.trimmed) == ((unread,), True)
    assert event.changed_columns == (None if unread == "ChangedFields" else ("estimatedvalue",))


def test_the_plug_in_may_send_its_tag_and_that_its_transaction_is_open() -> None:
    event = read(plugin_event(Tag="erp", IsInTransaction=True))

    assert (event.tag, event.uncommitted, event.expected) == ("erp", True, {})
    assert (read(plugin_event()).tag, read(plugin_event()).uncommitted) == (None, False)


@pytest.mark.parametrize("missing", ["EventName", "RecordId", "Timestamp"])
def test_what_an_event_needs(missing: str) -> None:
    body = plugin_event()
    del body[missing]

    assert faults_of(body).keys() == {f"/{missing}"}


def test_the_zero_guid_is_no_record() -> None:
    assert faults_of(plugin_event(RecordId="00000000-0000-0000-0000-000000000000")).keys() == {"/RecordId"}


@pytest.mark.parametrize("fields", [None, []])
def test_no_changed_fields_means_that_they_are_not_known(fields: list[str] | None) -> None:
    """A handler that asks what changed must not conclude that nothing did."""
    assert read(plugin_event(ChangedFields=fields)).changed_columns is None


def test_changed_fields_are_logical_names_once_each() -> None:
    """Plug-ins send schema names too."""
    event = read(plugin_event(ChangedFields=["EstimatedValue", "statuscode", "estimatedvalue"]))

    assert event.changed_columns == ("estimatedvalue", "statuscode")


@pytest.mark.parametrize(
    "sent",
    [
        "2025-01-31T10:15:30Z",
        "2025-01-31T11:15:30+01:00",
        "2025-01-31T10:15:30",
        "2025-01-31T10:15:30.0000000Z",
        "/Date(1738318530000)/",
        "/Date(1738318530000+0100)/",
    ],
)
def test_timestamps_are_utc(sent: str) -> None:
    """Every way in which .NET writes one; without an offset it is UTC."""
    assert read(plugin_event(Timestamp=sent)).operation_time == datetime(2025, 1, 31, 10, 15, 30, tzinfo=UTC)


def test_the_plug_in_may_send_a_correlation_id_and_trace_context() -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

    event = read(plugin_event(), x_ms_correlation_request_id="order-7", traceparent=trace, tracestate="rojo=1")

    assert (event.correlation_id, event.traceparent, event.tracestate) == ("order-7", trace, "rojo=1")


def test_unknown_fields_are_ignored() -> None:
    sent = plugin_event(OperationId=ROW)

    assert read(sent | {"Extra": {"deep": []}}) == read(sent)
