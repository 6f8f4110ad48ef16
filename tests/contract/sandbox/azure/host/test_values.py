"""What the .NET host makes of values (GrpcMessageConversionExtensions.cs, Utility.cs)."""

from datetime import UTC, datetime
from typing import Any

import pytest

from sandbox.azure.host.encoding import event_hubs, service_bus, timer, values
from sandbox.azure.host.encoding.event_hubs import Event, PartitionContext
from sandbox.azure.host.encoding.service_bus import ServiceBusMessage

TIME = datetime(2026, 11, 20, 7, 20, 54, 571_000, tzinfo=UTC)


def message(body: str, **fields: object) -> ServiceBusMessage:
    given: dict[str, Any] = {
        "body": body.encode(),
        "message_id": "m",
        "delivery_count": 3,
        "lock_token": "t",
        "sequence_number": 9,
        "enqueued_time": TIME,
        "expires_at": TIME,
        "application_properties": {"k": 1},
    }
    return ServiceBusMessage(**(given | fields))


def test_times_lose_their_zone_where_net_loses_it() -> None:
    """DateTimeOffset.DateTime is of kind Unspecified: no Z; trailing zeros go."""
    assert values.net_time(TIME.replace(tzinfo=None)) == "2026-11-20T07:20:54.571"
    assert values.net_time(TIME) == "2026-11-20T07:20:54.571+00:00"
    assert values.net_time(values.UtcDateTime(2026, 1, 1, tzinfo=UTC)) == "2026-01-01T00:00:00Z"


def test_numbers_become_json_and_nothing_is_left_out_but_null() -> None:
    _, metadata = service_bus.single(message("x"), "localhost", None, binary=False)
    assert metadata["DeliveryCount"].json == "3"
    assert metadata["EnqueuedTimeUtc"].json == '"2026-11-20T07:20:54.571"'
    assert metadata["EnqueuedTime"].json == '"2026-11-20T07:20:54.571+00:00"'
    assert metadata["ApplicationProperties"].json == metadata["UserProperties"].json == '{"k":1}'
    assert metadata["MessageId"].string == "m"
    assert "CorrelationId" not in metadata


@pytest.mark.parametrize(
    ("body", "name", "kind", "expected"),
    [
        ('{"messageid":"EVIL"}', "MessageId", "string", "EVIL"),
        ('{"DeliveryCount":"many"}', "DeliveryCount", "string", "many"),
        ('{"correlationId":9}', "CorrelationId", "string", "9"),
        ('{"correlationId":true}', "CorrelationId", "string", "True"),
        ('{"subject":{"a":1}}', "Subject", "json", '{"a":1}'),
        ('{"enqueuedTimeUtc":"2024-12-31T00:00:00Z"}', "EnqueuedTimeUtc", "string", "12/31/2024 00:00:00"),
        ('{"messageId":[1]}', "MessageId", "string", "m"),
        ('{"messageId":null}', "MessageId", "string", "m"),
        ("not json {", "MessageId", "string", "m"),
    ],
)
def test_body_keys_overwrite_metadata(body: str, name: str, kind: str, expected: str) -> None:
    """An open defect: azure-functions-dotnet-worker#991."""
    _, metadata = service_bus.single(message(body), "localhost", None, binary=False)
    assert getattr(metadata[name], kind) == expected


def test_binary_data_overwrites_nothing() -> None:
    value, metadata = service_bus.single(message('{"messageId":"EVIL"}'), "localhost", None, binary=True)
    assert value.bytes == b'{"messageId":"EVIL"}'
    assert metadata["MessageId"].string == "m"


def test_empty_entries_of_a_batch_are_dropped() -> None:
    """So string properties shift to other messages: Azure-Functions#2084, azure-functions-python-worker#1122."""
    batch = [message("a"), message("", correlation_id="second")]
    value, metadata = service_bus.batch(batch, "localhost", None, binary=False)
    assert value.collection_string.string == ["a"]
    assert metadata["CorrelationIdArray"].collection_string.string == ["second"]
    assert metadata["SequenceNumberArray"].collection_sint64.sint64 == [9, 9]
    assert metadata["DeliveryCountArray"].json == "[3,3]"
    binary, _ = service_bus.batch(batch, "localhost", None, binary=True)
    assert binary.collection_bytes.bytes == [b"a", b""]


def test_event_offsets_are_text_and_a_number_where_they_are_one() -> None:
    """Geo-replicated namespaces have offsets that are no numbers; the number is then -1."""
    context = PartitionContext("localhost", "hub", "$Default", "0")
    events = [Event(b"x", 1, offset, TIME, None, {}, {"x-opt-other": 1}) for offset in ("4096", "0:4096:1")]
    _, metadata = event_hubs.batch(events, context, binary=False)
    assert metadata["OffsetArray"].collection_string.string == ["4096", "-1"]
    assert metadata["OffsetStringArray"].collection_string.string == ["4096", "0:4096:1"]
    assert '"x-opt-other":1,"SequenceNumber":1,"Offset":4096,' in metadata["SystemPropertiesArray"].json


def test_a_session_s_objects_show_until_when_it_is_locked() -> None:
    """MessageSession and SessionActions are .NET objects: JSON shows what they have of public properties."""
    _, metadata = service_bus.single(message("x", session_id="s"), "localhost", TIME, binary=False)
    locked = '{"SessionLockedUntil":"2026-11-20T07:20:54.571+00:00"}'
    assert metadata["MessageSession"].json == metadata["SessionActions"].json == locked
    assert metadata["MessageReceiver"].json == "{}"


def test_a_batch_is_not_overwritten_by_its_bodies() -> None:
    """Only a single string is taken for binding data (WorkerFunctionInvoker.cs)."""
    _, metadata = service_bus.batch([message('{"messageIdArray":"EVIL"}')], "localhost", None, binary=False)
    assert metadata["MessageIdArray"].collection_string.string == ["m"]


def test_a_single_event_has_its_properties_without_array() -> None:
    context = PartitionContext("localhost", "hub", "$Default", "0")
    _, metadata = event_hubs.single(Event(b"x", 7, "4096", TIME, "k", {"a": 1}, {}), context, binary=False)
    assert (metadata["SequenceNumber"].json, metadata["PartitionKey"].string) == ("7", "k")
    assert metadata["Offset"].string == metadata["OffsetString"].string == "4096"
    assert metadata["EnqueuedTimeUtc"].json.startswith('"2026-11-20T07:20:54.571')
    assert metadata["Properties"].json == '{"a":1}'


def test_a_timer_that_is_not_monitored_has_no_schedule_status() -> None:
    """ScheduleStatus is null; the metadata has the local time as text (TimerTriggerBinding.cs)."""
    value, metadata = timer.timer(TIME, None, past_due=False)
    assert value.json == '{"Schedule":{"AdjustForDST":true},"ScheduleStatus":null,"IsPastDue":false}'
    assert metadata["TimerTrigger"].string == "11/20/2026 07:20:54"
