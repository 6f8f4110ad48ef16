"""Settled events reach every sink, and a sink that is unavailable holds no other one up."""

import argparse
import json
import uuid
from contextlib import suppress
from typing import Any

import pytest

from sandbox.client import Client, eventually
from sandbox.commands import analytics
from sandbox.commands.catalogue import COMMANDS
from sandbox.commands.here import CommandError
from sandbox.running.endpoints import Endpoints
from sandbox.running.sandbox import Sandbox
from tests.contract.sandbox.azure.broker.amqp_client import AmqpClient
from tests.end_to_end.journeys import context_of


def ended(client: Client) -> str:
    """The id of an event that has ended."""
    context = context_of("webhook_async_delete_lead", OperationId=str(uuid.uuid4()))
    event_id: str = client.app.post_webhook(context).json()["eventId"]
    client.app.wait_for(event_id)
    return event_id


def in_event_grid(client: Client, event_id: str) -> list[dict[str, Any]]:
    return [it for it in client.sinks["event-grid"].settled() if it["data"]["eventId"] == event_id]


def in_log_analytics(client: Client, event_id: str) -> list[dict[str, Any]]:
    return [it for it in client.sinks["log-analytics"].table() if it["EventId"] == event_id]


def in_the_archive(client: Client, event_id: str) -> list[dict[str, Any]]:
    return [it for it in client.archive.lines() if it["data"]["eventId"] == event_id]


def in_fabric(endpoints: Endpoints, event_id: str) -> list[dict[str, Any]]:
    """The events of the hub, whose partitions are read from the beginning."""
    with AmqpClient(endpoints.ports["amqp"]) as amqp:
        for partition in range(4):
            amqp.receiver(f"fabric/ConsumerGroups/$Default/Partitions/{partition}", credit=10_000)
        amqp.wait(lambda: any(event_id.encode() in delivery.payload for _, delivery in amqp.received))
        bodies = [delivery.payload for _, delivery in amqp.received if event_id.encode() in delivery.payload]
    return [json.loads(body[body.index(b'{"') :]) for body in bodies]


def test_a_sink_that_is_unavailable_holds_no_other_one_up(client: Client, endpoints: Endpoints) -> None:
    """The archive and Fabric have an event while Event Grid and Azure Monitor take none; these have it afterwards."""
    client.sinks["event-grid"].add_fault("POST /api/events", status=503, times=None)
    client.sinks["log-analytics"].add_fault("POST /dataCollectionRules", status=403, times=None)
    event_id = ended(client)
    eventually(lambda: in_the_archive(client, event_id), within=60, what="the event in the archive")
    [sent] = eventually(lambda: in_fabric(endpoints, event_id), within=60, what="the event in the hub of Fabric")
    assert (sent["id"], {"partition", "sequenceNumber"} <= sent.keys()) == (event_id, True)
    assert in_event_grid(client, event_id) == in_log_analytics(client, event_id) == []

    for stand_in in client.sinks.values():
        stand_in.clear_faults()
    [event] = eventually(lambda: in_event_grid(client, event_id), within=90, what="the event in Event Grid")
    assert (event["specversion"], event["type"]) == ("1.0", "integration.settled")
    assert event["id"] == f"{event_id}_{event['data']['state']}"
    [row] = eventually(lambda: in_log_analytics(client, event_id), within=90, what="the event in Log Analytics")
    assert (row["State"], row["HubPartition"], row["SequenceNumber"]) == (
        event["data"]["state"],
        sent["partition"],
        sent["sequenceNumber"],
    )
    assert row["More"] is None


def test_the_archive_the_lake_and_the_delta_table_are_opened_by_the_command(
    client: Client, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    """DuckDB finds the event in each, by what the app has written to Azurite."""
    event_id = ended(client)
    parser = next(it for it in COMMANDS if it.name == "analytics").parser()
    query = "SELECT event_id, table_name, state FROM events WHERE table_name = 'lead'"
    for where in ([], ["--lake"], ["--delta"]):
        options = parser.parse_args([*where, "--state", str(sandbox.state.root), "--sql", query])

        def shown(options: argparse.Namespace = options) -> bool:
            with suppress(CommandError):
                analytics.main(options)
            return event_id[-12:] in "".join(capsys.readouterr().out.split())

        eventually(shown, within=60, what=f"the event in {where or 'the archive'}")
