"""The trigger of a sink: whole batches, retried without end."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import azure.functions as func
import pytest

from integration.analytics import functions
from integration.analytics.row import Row

AT = datetime(2026, 11, 20, 23, 59, tzinfo=UTC)


class Delivery:
    """Takes the rows."""

    def __init__(self) -> None:
        self.rows: list[Row] = []

    async def deliver(self, rows: list[Row]) -> None:
        self.rows += rows


def bound(delivery: Any, name: str = "archive_events") -> Any:
    """The one function of the blueprint."""
    app = func.FunctionApp()
    app.register_functions(functions.blueprint(name, lambda: delivery, hub="settled", consumer_group="archive"))
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
    function = bound(Delivery())
    trigger = function.get_trigger().get_dict_repr()
    assert function.get_function_name() == "archive_events"
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


async def test_the_trigger_hands_over_what_the_hub_says_of_each_event() -> None:
    delivery = Delivery()
    await bound(delivery).get_user_function()([triggered(12, AT.replace(tzinfo=None))])
    assert delivery.rows == [Row("5", 12, AT, b'{"id":"a"}', {"id": "a"})]


@pytest.mark.parametrize(("number", "at"), [(None, AT.replace(tzinfo=None)), (12, None)])
async def test_an_event_without_its_place_in_the_hub_is_not_taken(number: int | None, at: datetime | None) -> None:
    """Readers could not drop it when it comes twice: the batch waits."""
    delivery = Delivery()
    with pytest.raises(ValueError, match="without its sequence number"):
        await bound(delivery).get_user_function()([triggered(number, at)])
    assert delivery.rows == []
