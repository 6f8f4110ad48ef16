"""What the archive writes: a file per batch, a line per event, whatever came."""

import gzip
import json
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import azure.functions as func
import pytest
from azure.core.exceptions import ResourceExistsError, ServiceRequestError

from integration.analytics import functions
from integration.analytics.sinks.archive import ArchiveSink, HubEvent
from integration.errors import Transient

AT = datetime(2026, 11, 20, 23, 59, tzinfo=UTC)


class Container:
    """A container of Blob Storage."""

    def __init__(self, *, exists: bool = False, away: bool = False) -> None:
        self.exists, self.away = exists, away
        self.connected = self.made = 0
        self.blobs: dict[str, bytes] = {}
        self.settings: list[Any] = []

    def __call__(self) -> Any:
        self.connected += 1
        return self

    def create_container(self) -> None:
        self.made += 1
        if self.exists:
            raise ResourceExistsError

    def upload_blob(self, name: str, content: bytes, *, overwrite: bool, content_settings: Any) -> None:
        if self.away:
            raise ServiceRequestError("nobody is there")
        if name in self.blobs and not overwrite:
            raise ResourceExistsError
        self.blobs[name] = content
        self.settings.append(content_settings)

    def lines(self) -> list[dict[str, Any]]:
        (content,) = self.blobs.values()
        return [json.loads(line) for line in gzip.decompress(content).splitlines()]


def hub_event(number: int, body: bytes, at: datetime = AT) -> HubEvent:
    return HubEvent("3", number, at, body)


def test_a_file_is_named_after_the_day_the_partition_and_the_first_event_of_its_batch() -> None:
    """Names sort in the order of the hub."""
    container = Container()
    next_day = datetime(2026, 11, 21, 0, 1, tzinfo=UTC)
    name = ArchiveSink(container).write([hub_event(1234, b"{}"), hub_event(1235, b"{}", next_day)])

    assert name == "date=2026-11-20/partition-3-00000000000000001234.jsonl.gz"
    assert list(container.blobs) == [name]
    assert container.settings[0].content_type == "application/gzip"


def test_each_event_is_a_line_that_says_where_it_stood() -> None:
    """A reader drops by (partition, sequenceNumber) what it has seen; what the event says of it does not count."""
    container = Container()
    ArchiveSink(container).write([hub_event(7, b'{"id":"a","partition":"9"}'), hub_event(8, b'{"id":"b"}')])

    assert container.lines() == [
        {"id": "a", "partition": "3", "sequenceNumber": 7},
        {"id": "b", "partition": "3", "sequenceNumber": 8},
    ]


@pytest.mark.parametrize("body", [b"no json", b"[1]", b'"text"', b"[" * 100_000, "größe".encode("latin-1")])
def test_what_is_no_event_is_kept_as_it_came(body: bytes) -> None:
    """A sink loses nothing and judges nothing."""
    container = Container()
    ArchiveSink(container).write([hub_event(7, body)])

    (line,) = container.lines()
    assert line == {"partition": "3", "sequenceNumber": 7, "unreadable": body.decode("utf-8", "replace")}


def test_a_batch_that_comes_again_overwrites_its_own_file() -> None:
    """With the very same bytes."""
    container = Container()
    sink = ArchiveSink(container)
    sink.write([hub_event(7, b"{}")])
    before = dict(container.blobs)
    sink.write([hub_event(7, b"{}")])

    assert container.blobs == before


def test_the_container_is_made_once_unless_it_is_there() -> None:
    container = Container(exists=True)
    sink = ArchiveSink(container)
    sink.write([hub_event(1, b"{}")])
    sink.write([hub_event(2, b"{}")])

    assert (container.connected, container.made, len(container.blobs)) == (1, 1, 2)


def test_storage_that_is_away_is_transient() -> None:
    with pytest.raises(Transient) as raised:
        ArchiveSink(Container(away=True)).write([hub_event(1, b"{}")])
    assert raised.value.reason == "archive-unavailable"


def bound(archive: ArchiveSink) -> Any:
    """The one function of the blueprint."""
    app = func.FunctionApp()
    app.register_functions(functions.blueprint(archive, hub="settled", consumer_group="archive"))
    (function,) = app.get_functions()
    return function


def triggered(number: int | None, at: datetime | None) -> Any:
    """An event as the runtime gives it: the time is in UTC and does not say so."""
    return SimpleNamespace(
        get_body=lambda: b'{"id":"a"}',
        enqueued_time=at,
        sequence_number=number,
        metadata={"PartitionContext": {"PartitionId": "5"}},
    )


def test_the_trigger_takes_whole_batches_as_bytes_and_retries_them_without_end() -> None:
    """Event Hubs moves its checkpoint on even when the function fails: only a retry in place loses nothing."""
    function = bound(ArchiveSink(Container()))
    trigger = function.get_trigger().get_dict_repr()
    assert {name: str(trigger[name]) for name in ("eventHubName", "connection", "consumerGroup")} == {
        "eventHubName": "settled",
        "connection": "EventHubs",
        "consumerGroup": "archive",
    }
    assert str(trigger["cardinality"].value) == "many"
    assert str(trigger["dataType"].name) == "BINARY"
    assert trigger["name"] == "events"
    retry = function.get_settings_dict("retry_policy")
    assert retry == {
        "setting_name": "retry_policy",
        "strategy": "exponential_backoff",
        "max_retry_count": "-1",
        "minimum_interval": "00:00:01",
        "maximum_interval": "00:01:00",
    }


def test_the_trigger_hands_over_what_the_hub_says_of_each_event() -> None:
    container = Container()
    bound(ArchiveSink(container)).get_user_function()([triggered(12, AT.replace(tzinfo=None))])

    assert list(container.blobs) == ["date=2026-11-20/partition-5-00000000000000000012.jsonl.gz"]
    assert container.lines() == [{"id": "a", "partition": "5", "sequenceNumber": 12}]


@pytest.mark.parametrize(("number", "at"), [(None, AT.replace(tzinfo=None)), (12, None)])
def test_an_event_without_its_place_in_the_hub_is_not_archived(number: int | None, at: datetime | None) -> None:
    """Its file would be named after nothing, and readers could not drop it when it comes twice: the batch waits."""
    container = Container()
    with pytest.raises(ValueError, match="without its sequence number"):
        bound(ArchiveSink(container)).get_user_function()([triggered(number, at)])
    assert not container.blobs
