"""Dataverse posts to a queue, a topic or an event hub, and what arrives there is worked on as a webhook's event is."""

import json
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from azure.eventhub import EventData, EventHubProducerClient
from azure.servicebus import ServiceBusClient, ServiceBusMessage

from integration.events import read_context, read_contexts
from integration.events.data_contract_xml import parse_xml
from sandbox.azure.topology import optional_settings
from sandbox.client import Client
from sandbox.client.waiting import eventually
from sandbox.running.endpoints import Endpoints
from sandbox.running.registration import Step
from tests.end_to_end.journeys import context_of

QUEUE, TOPIC, HUB = 2, 5, 7
JSON, XML = 2, 3
NAMES = optional_settings()
NO_WEBHOOK = {"MSCRM.BypassBusinessLogicExecutionStepIds": Step("account", "Update").id, "If-Match": "*"}
BINARY = b"@\x16RemoteExecutionContext\x08,http://schemas.microsoft.com/xrm/2011/Contracts"


WITH_KEY = {"authtype": 2, "saskeyname": "dataverse-send", "saskey": "SAS_KEY_VALUE"}


@contextmanager
def with_identity(client: Client) -> Iterator[dict[str, Any]]:
    """How an endpoint signs in with a managed identity; its row is deleted at the end."""
    identity, ids = str(uuid.uuid4()), {"applicationid": str(uuid.uuid4()), "tenantid": str(uuid.uuid4())}
    body = {"managedidentityid": identity, "name": "of a test", "credentialsource": 2, "subjectscope": 1, **ids}
    client.dataverse.ask("POST", "managedidentities", json=body)
    try:
        yield {"authtype": 9, "managedidentityid@odata.bind": f"/managedidentities({identity})"}
    finally:
        client.dataverse.ask("DELETE", f"managedidentities({identity})")


@contextmanager
def registered(  # noqa: PLR0917 -- what is registered, in the order of its columns
    client: Client,
    endpoints: Endpoints,
    contract: int,
    path: str,
    message_format: int,
    message: str = "Update",
    sign_in: Mapping[str, Any] = WITH_KEY,
) -> Iterator[None]:
    """A service endpoint, and a step on a message of accounts; both are deleted at the end."""
    dataverse, endpoint, step = client.dataverse, str(uuid.uuid4()), str(uuid.uuid4())
    address = endpoints.servicebus.split(";")[0].removeprefix("Endpoint=")
    dataverse.ask(
        "POST",
        "serviceendpoints",
        json={
            "serviceendpointid": endpoint,
            "name": f"to {path}",
            "contract": contract,
            "namespaceaddress": f"{address}/",
            "namespaceformat": 2,
            "path": path,
            "messageformat": message_format,
            **sign_in,
        },
    )
    asked = {"$filter": f"primaryobjecttypecode eq 'account' and sdkmessageid/name eq '{message}'"}
    of_table = dataverse.ask("GET", "sdkmessagefilters", params=asked).json()["value"][0]
    dataverse.ask(
        "POST",
        "sdkmessageprocessingsteps",
        json={
            "sdkmessageprocessingstepid": step,
            "name": f"{message} of account to {path}",
            "stage": 40,
            "mode": 1,
            "rank": 1,
            "asyncautodelete": True,
            **({"filteringattributes": "name"} if message == "Update" else {}),
            "eventhandler_serviceendpoint@odata.bind": f"/serviceendpoints({endpoint})",
            "sdkmessageid@odata.bind": f"/sdkmessages({of_table['_sdkmessageid_value']})",
            "sdkmessagefilterid@odata.bind": f"/sdkmessagefilters({of_table['sdkmessagefilterid']})",
        },
    )
    try:
        yield
    finally:
        dataverse.ask("DELETE", f"sdkmessageprocessingsteps({step})")
        dataverse.ask("DELETE", f"serviceendpoints({endpoint})")


@pytest.mark.parametrize(
    ("contract", "path", "message_format"),
    [
        (QUEUE, NAMES["DATAVERSE_QUEUE"], JSON),
        (TOPIC, NAMES["DATAVERSE_TOPIC"], XML),
        (HUB, NAMES["DATAVERSE_HUB"], JSON),
    ],
    ids=["queue", "topic", "hub"],
)
def test_what_dataverse_posts_to_a_broker_is_the_event_of_its_webhook(
    client: Client, endpoints: Endpoints, contract: int, path: str, message_format: int
) -> None:
    """The stand-in sends with Microsoft's SDK; the same body through the webhook has the same event id."""
    account = client.dataverse.create("account", {"name": "Before"}, silent=True)
    with registered(client, endpoints, contract, path, message_format):
        before = client.dataverse.last_event()
        client.dataverse.ask("PATCH", f"accounts({account})", json={"name": "After"}, headers=NO_WEBHOOK)
        client.dataverse.quiet()
        (sent,) = [it for it in client.dataverse.events(after=before) if it["id"] == account]
    assert [it["status"] for it in sent["attempts"]] == [202]
    body = sent["body"] if isinstance(sent["body"], dict) else parse_xml(sent["body"].encode())
    event = read_context(body, headers={}, accepted_time=datetime.now(UTC))

    status = client.app.wait_for(event.event_id)

    assert (status["table"], status["recordId"], status["state"]) == ("account", account, "completed")
    assert client.app.post_webhook(json.dumps(body, default=float).encode()).json()["eventId"] == event.event_id
    names = [effect["body"]["name"] for effect in client.erp.effects() if effect["id"] == account]
    assert names == ["After"]


def test_what_dataverse_posts_with_a_managed_identity_is_worked_on(client: Client, endpoints: Endpoints) -> None:
    """Microsoft's SDK signs in with a token in place of a key."""
    account, queue = client.dataverse.create("account", {"name": "Before"}, silent=True), NAMES["DATAVERSE_QUEUE"]
    with with_identity(client) as sign_in, registered(client, endpoints, QUEUE, queue, JSON, sign_in=sign_in):
        before = client.dataverse.last_event()
        client.dataverse.ask("PATCH", f"accounts({account})", json={"name": "After"}, headers=NO_WEBHOOK)
        client.dataverse.quiet()
        (sent,) = [it for it in client.dataverse.events(after=before) if it["id"] == account]
    event = read_context(sent["body"], headers={}, accepted_time=datetime.now(UTC))
    assert client.app.wait_for(event.event_id)["state"] == "completed"
    assert [it["body"]["name"] for it in client.erp.effects() if it["id"] == account] == ["After"]


def test_each_row_of_a_create_multiple_is_worked_on(client: Client, endpoints: Endpoints) -> None:
    """One message in the queue, an event and an ERP customer for each of its rows."""
    rows = {str(uuid.uuid4()): f"Row {number}" for number in (1, 2)}
    entity = {"@odata.type": "Microsoft.Dynamics.CRM.account"}
    targets = [entity | {"accountid": row, "name": name} for row, name in rows.items()]
    bypassed = {"MSCRM.BypassBusinessLogicExecutionStepIds": Step("account", "Create").id}
    with registered(client, endpoints, QUEUE, NAMES["DATAVERSE_QUEUE"], XML, "CreateMultiple"):
        before = client.dataverse.last_event()
        create = "accounts/Microsoft.Dynamics.CRM.CreateMultiple"
        client.dataverse.ask("POST", create, json={"Targets": targets}, headers=bypassed)
        client.dataverse.quiet()
        (sent,) = client.dataverse.events(after=before)
    events = read_contexts(parse_xml(sent["body"].encode()), headers={}, accepted_time=datetime.now(UTC))
    assert [(it.message, it.record_id) for it in events] == [("Create", row) for row in rows]
    assert {client.app.wait_for(it.event_id)["state"] for it in events} == {"completed"}
    names = {effect["id"]: effect["body"]["name"] for effect in client.erp.effects() if effect["id"] in rows}
    assert names == rows


def dead_letter(client: Client, reason: str, says: str) -> dict[str, Any]:
    """A dead letter with this reason that says this, once there is one: others may have the same reason."""

    def those() -> list[dict[str, Any]]:
        return [it for it in client.app.problems(reason=reason) if says in str(it)]

    (found, *_) = eventually(those, within=30, what=f"a dead letter: {reason}")
    return found


def send_to_queue(endpoints: Endpoints, body: bytes) -> None:
    with (
        ServiceBusClient.from_connection_string(endpoints.servicebus) as bus,
        bus.get_queue_sender(NAMES["DATAVERSE_QUEUE"]) as sender,
    ):
        sender.send_messages(ServiceBusMessage(body, content_type="application/msbin1"))


def send_to_hub(endpoints: Endpoints, *bodies: bytes) -> None:
    with EventHubProducerClient.from_connection_string(
        endpoints.eventhubs, eventhub_name=NAMES["DATAVERSE_HUB"]
    ) as hub:
        batch = hub.create_batch(partition_id="0")
        for body in bodies:
            batch.add(EventData(body))
        hub.send_batch(batch)


def test_a_binary_message_is_a_dead_letter_that_says_what_to_change(client: Client, endpoints: Endpoints) -> None:
    """Support finds it in the list, with the setting of the service endpoint that has to be another."""
    send_to_queue(endpoints, BINARY)
    assert dead_letter(client, "binary-message", "messageformat 2")


def test_an_odd_event_stops_no_partition(client: Client, endpoints: Endpoints) -> None:
    """What is neither JSON nor XML goes to the dead letters; the event behind it, in the same batch, is worked on."""
    context = context_of("webhook_async_delete_lead", OperationId=str(uuid.uuid4()))
    event = read_context(context, headers={}, accepted_time=datetime.now(UTC))
    send_to_hub(endpoints, b"not an event", b"", json.dumps(context).encode())

    assert client.app.wait_for(event.event_id)["state"] in {"no-handler", "superseded"}
    assert dead_letter(client, "not-an-event", "not JSON")
