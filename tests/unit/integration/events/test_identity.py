"""The event id is the same for every delivery of one event and differs between two."""

import json
import re
from datetime import datetime
from typing import Any

import pytest

from integration.events import IntegrationEvent, read_plugin_event
from integration.events.body import parse_body
from integration.events.identity import event_id, partition_of
from tests.unit.integration.events.support import ACCEPTED, OTHER_ROW, context, entity, pair, payload, read
from tests.unit.integration.events.test_payloads import EXPECTED


def reordered(node: Any) -> Any:
    """The same document with every object's keys the other way round."""
    if isinstance(node, dict):
        return {key: reordered(node[key]) for key in reversed(node)}
    return [reordered(item) for item in node] if isinstance(node, list) else node


@pytest.mark.parametrize("name", EXPECTED)
def test_an_event_id_is_a_minute_and_a_hash(name: str) -> None:
    event = read(payload(name))

    assert re.fullmatch(r"\d{12}-[0-9a-f]{32}", event.event_id)
    assert event.event_id[:12] == f"{event.operation_time:%Y%m%d%H%M}"


def test_events_of_one_record_share_the_eight_digits_after_the_minute() -> None:
    """The ledger keeps them in one partition, whose name it reads off the id."""
    first, second = read(context()), read(context(OperationId=OTHER_ROW))
    assert first.event_id[13:21] == second.event_id[13:21] == partition_of(first.session_id)
    assert first.event_id[21:] != second.event_id[21:]
    assert read(context(PrimaryEntityId=OTHER_ROW)).event_id[13:21] != first.event_id[13:21]


@pytest.mark.parametrize("name", EXPECTED)
def test_a_retry_has_the_same_id(name: str) -> None:
    """Also when it arrives later, with its keys in another order and other white space."""
    sent = json.loads(payload(name).decode("utf-8-sig"))
    document = json.loads(sent) if isinstance(sent, str) else sent

    assert read(json.dumps(reordered(document), indent=3).encode()).event_id == read(payload(name)).event_id


def test_a_create_and_the_update_nested_in_it_differ() -> None:
    """Captured together: one RequestId, OperationId, CorrelationId and record; the Update is the earlier one."""
    create = json.loads(payload("webhook_sync_create_lead"))
    update = create | {"MessageName": "Update", "Depth": 2, "OperationCreatedOn": "/Date(1525647911952)/"}

    assert read(create).event_id != read(update).event_id


@pytest.mark.parametrize(
    "changed",
    [
        {"OrganizationId": OTHER_ROW},
        {"OwningExtension": {"Id": OTHER_ROW}},
        {"OwningExtension": None},
        {"MessageName": "Create"},
        {"PrimaryEntityName": "contact"},
        {"PrimaryEntityId": OTHER_ROW},
        {"OperationId": OTHER_ROW},
        {"RequestId": OTHER_ROW},
        {"RequestId": None},
        {"OperationCreatedOn": "/Date(1547259090001+0000)/"},
    ],
)
def test_each_part_of_the_identity_counts(changed: dict[str, Any]) -> None:
    assert read(context(**changed)).event_id != read(context()).event_id


@pytest.mark.parametrize(
    "changed",
    [{"Depth": 5}, {"CorrelationId": None}, {"UserId": None}, {"InputParameters": []}, {"SharedVariables": None}],
)
def test_what_may_differ_between_deliveries_does_not_count(changed: dict[str, Any]) -> None:
    """Content may be trimmed on the way; what was sent is known by the ids."""
    assert read(context(entity(), **changed)).event_id == read(context()).event_id


@pytest.mark.parametrize(
    "changed",
    [{"Depth": 2}, {"InputParameters": [pair("Target", entity(name="Second"))]}],
)
def test_synchronous_changes_within_one_request_and_millisecond_differ(changed: dict[str, Any]) -> None:
    """All of one request share its ids: a plug-in may change the same columns of the same row twice."""
    shared = {"OperationId": OTHER_ROW, "RequestId": OTHER_ROW, "Mode": 0, "IsInTransaction": True}
    first = context(entity(name="First"), **shared)

    assert read(first | changed).event_id != read(first).event_id
    assert read(reordered(first)).event_id == read(first).event_id


def test_the_payloads_have_ids_of_their_own() -> None:
    """Except those that are one event in several forms: the contact's Update, the trimmed forms of the account's."""
    ids = {name: read(payload(name)).event_id for name in EXPECTED}
    contact = {ids[name] for name in ids if "contact" in name or "double" in name or "boolean" in name}
    account = {ids[name] for name in ids if "update_account" in name}

    assert len(contact) == len(account) == 1
    assert len(set(ids.values())) == len(ids) - 3 - 2


def plugin_event(organisation: str = "contoso", **changed: Any) -> IntegrationEvent:
    body = {
        "EventName": "Changed",
        "RecordId": OTHER_ROW,
        "ChangedFields": ["name"],
        "TriggeredBy": OTHER_ROW,
        "Timestamp": "2025-01-31T10:15:30Z",
        "OperationId": "22222222-2222-4222-8222-222222222222",
    }
    return read_plugin_event(
        parse_body(json.dumps(body | changed).encode()),
        headers={},
        accepted_time=ACCEPTED,
        organisation=organisation,
        event_names={"Changed": ("account", "Update"), "Renamed": ("account", "Update")},
    )


@pytest.mark.parametrize(
    "changed",
    [
        {"organisation": "fabrikam"},
        {"EventName": "Renamed"},
        {"RecordId": "11111111-1111-4111-8111-111111111111"},
        {"ChangedFields": ["name", "city"]},
        {"TriggeredBy": None},
        {"Timestamp": "2025-01-31T10:15:30.001Z"},
        {"OperationId": "33333333-3333-4333-8333-333333333333"},
    ],
)
def test_each_field_of_a_plug_in_payload_counts(changed: dict[str, Any]) -> None:
    assert plugin_event(**changed).event_id != plugin_event().event_id


def test_a_plug_ins_retry_has_the_same_id() -> None:
    """Also when the sender writes the same moment and ids in another form."""
    again = plugin_event(RecordId="{" + OTHER_ROW.upper() + "}", Timestamp="2025-01-31T11:15:30+01:00")

    assert again.event_id == plugin_event().event_id


@pytest.mark.parametrize("operation", [None, "", "00000000-0000-0000-0000-000000000000"])
def test_without_an_operation_id_every_delivery_is_an_event_of_its_own(operation: object) -> None:
    """Two changes of one column within the clock's resolution look alike: none may be taken for the other."""
    ids = {plugin_event(OperationId=operation).event_id for _ in range(20)}

    assert len(ids) == 20
    assert all(re.fullmatch(r"202501311015-[0-9a-f]{32}", it) for it in ids)


def test_the_minute_always_has_twelve_digits() -> None:
    """A partition key sorts by time only if it does; year 1 is .NET's empty date."""
    assert event_id(datetime(1, 1, 1)).startswith("000101010000-")  # noqa: DTZ001 -- the zone is not its matter


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, "201901120211-018ba22810b1ec929e015e0bbd048bf9"),
        ({"OperationId": None}, "201901120211-018ba2287143548c96cf65b1e0472340"),
        (
            {"PrimaryEntityId": None, "MessageName": "new_Recalculate", "InputParameters": [pair("a", 1)]},
            "201901120211-0bc41f7306b69e9dedd124d9b8e4f543",
        ),
        ({"IsInTransaction": True, "Mode": 0, "Stage": 40}, "201901120211-018ba22810b1ec929e015e0bbd048bf9"),
    ],
)
def test_every_version_gives_an_event_the_same_id(changed: dict[str, Any], expected: str) -> None:
    """Dataverse delivers again for hours: after a deployment, what comes again has to be known as the same."""
    assert read(context(**changed)).event_id == expected
