"""Service endpoints that are queues, topics and hubs: Microsoft's SDKs send what Dataverse's own endpoints would."""

import asyncio
import json
from collections.abc import Iterator

import pytest
from azure.eventhub import EventData, EventHubConsumerClient
from azure.servicebus import ServiceBusClient, ServiceBusReceivedMessage

from integration.events.data_contract_xml import parse_xml
from integration.intake.message_properties import text_properties
from sandbox.systems.dataverse.access_tokens import AccessTokens
from sandbox.systems.dataverse.environment import Environment
from sandbox.systems.dataverse.service_bus import CLAIMS, ServiceBus
from tests.contract.sandbox.azure.broker.broker_process import BrokerProcess
from tests.contract.sandbox.systems.dataverse_client import Dataverse, register_step

FABRIKAM = "a0000000-0000-4000-8000-000000000001"
QUEUE, TOPIC, HUB = 2, 5, 7
BINARY, JSON, XML = 1, 2, 3
APPLICATION, TENANT = "0a0a0a0a-1111-4111-8111-000000000001", "0a0a0a0a-2222-4222-8222-000000000001"
KEYS = (
    *("--key", "RootManageSharedAccessKey=SAS_KEY_VALUE", "--key", "dataverse-send=sends-only;Send"),
    *("--application", f"{APPLICATION};Send"),
)


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrokerProcess]:
    """It checks signatures and rights."""
    process = BrokerProcess(tmp_path_factory.mktemp("broker"), *KEYS)
    process.start()
    yield process
    process.stop()


def endpoint_body(broker: BrokerProcess, contract: int, path: str, **changed: object) -> dict[str, object]:
    return {
        "name": path,
        "contract": contract,
        "namespaceaddress": f"sb://localhost:{broker.port}/",
        "namespaceformat": 2,
        "path": path,
        "messageformat": JSON,
        "authtype": 2,
        "saskeyname": "dataverse-send",
        "saskey": "sends-only",
        **changed,
    }


def publish(application: Dataverse, body: dict[str, object], name: str) -> None:
    """Register the endpoint with a step, and change the name of an account."""
    endpoint = application.create("serviceendpoints", body)
    register_step(application, endpoint, "Update", "account", asyncautodelete=False)
    application.update(f"accounts({FABRIKAM})", {"name": name})
    application.quiet()


def received(broker: BrokerProcess, *path: str) -> tuple[ServiceBusReceivedMessage, bytes]:
    """The next message of a queue, or of a topic's subscription."""
    with ServiceBusClient.from_connection_string(broker.connection_string) as client:
        receiver = client.get_queue_receiver(*path) if len(path) == 1 else client.get_subscription_receiver(*path)
        with receiver:
            (message,) = receiver.receive_messages(1, max_wait_time=20)
            receiver.complete_message(message)
            return message, b"".join(message.body)


def test_a_queue_gets_the_context_with_its_properties(application: Dataverse, broker: BrokerProcess) -> None:
    """With a key that may only send; no session and no time to live are set."""
    publish(application, endpoint_body(broker, QUEUE, "send"), "To a queue")
    message, body = received(broker, "send")
    context = json.loads(body)
    given = text_properties(message.application_properties or {})
    assert (message.content_type, message.session_id) == ("application/json", None)
    assert given == {
        f"{CLAIMS}{name}".lower(): value
        for name, value in (
            ("Organization", application.environment["url"].removeprefix("https://")),
            ("User", context["UserId"]),
            ("InitiatingUser", context["InitiatingUserId"]),
            ("EntityLogicalName", "account"),
            ("RequestName", "Update"),
            ("InitiatingUserAgent", ""),
        )
    }
    assert context["PrimaryEntityId"] == FABRIKAM


def test_a_topic_gets_xml_where_the_endpoint_says_so(application: Dataverse, broker: BrokerProcess) -> None:
    publish(application, endpoint_body(broker, TOPIC, "orders", messageformat=XML), "To a topic")
    message, body = received(broker, "orders", "all")
    assert message.content_type == "application/xml"
    (target,) = parse_xml(body)["InputParameters"]
    assert {"key": "name", "value": "To a topic"} in target["value"]["Attributes"]


def test_a_hub_gets_the_context(application: Dataverse, broker: BrokerProcess) -> None:
    found: list[EventData] = []
    publish(application, endpoint_body(broker, HUB, "positions"), "To a hub")
    consumer = EventHubConsumerClient.from_connection_string(
        broker.connection_string, "$Default", eventhub_name="positions"
    )

    def take(_partition: object, event: EventData | None) -> None:
        if event is not None:
            found.append(event)
            consumer.close()

    with consumer:
        consumer.receive(take, starting_position="-1", max_wait_time=20)
    assert found[0].body_as_json()["MessageName"] == "Update"
    assert text_properties(found[0].properties or {})[f"{CLAIMS}RequestName".lower()] == "Update"


def test_a_large_context_leaves_its_content_out_and_says_so(application: Dataverse, broker: BrokerProcess) -> None:
    """Above 192 KB, where a webhook takes 256."""
    endpoint = application.create("serviceendpoints", endpoint_body(broker, QUEUE, "send"))
    of_step = {"imagetype": 1, "messagepropertyname": "Target"}
    images = [of_step | {"name": f"i{number}", "entityalias": f"i{number}"} for number in range(70)]
    register_step(
        application,
        endpoint,
        "Update",
        "account",
        sdkmessageprocessingstepid_sdkmessageprocessingstepimage=images,
    )
    application.update(f"accounts({FABRIKAM})", {"description": "x" * 2000})
    application.quiet()
    message, body = received(broker, "send")
    assert json.loads(body).keys().isdisjoint({"ParentContext", "InputParameters", "PostEntityImages"})
    assert text_properties(message.application_properties or {})["messagemaxsizeexceeded"] == "true"


def of_identity(application: Dataverse, broker: BrokerProcess, contract: int, path: str, who: str) -> dict[str, object]:
    """An endpoint with the managed identity of this application, and without a key."""
    body = {"name": "identity", "applicationid": who, "tenantid": TENANT, "credentialsource": 2, "subjectscope": 1}
    identity = application.create("managedidentities", body)
    bound = {"managedidentityid@odata.bind": f"/managedidentities({identity})"}
    return endpoint_body(broker, contract, path, authtype=9, saskeyname=None, saskey=None) | bound


def test_an_endpoint_with_a_managed_identity_sends_without_a_key(application: Dataverse, broker: BrokerProcess) -> None:
    """The broker takes the token of an application that it knows, and no other's."""
    publish(application, of_identity(application, broker, QUEUE, "send", APPLICATION), "With a token")
    _, body = received(broker, "send")
    assert json.loads(body)["PrimaryEntityId"] == FABRIKAM
    unknown = of_identity(application, broker, QUEUE, "send", TENANT) | {"name": "of another"}
    publish(application, unknown, "With the token of another")
    (job,) = application.get("asyncoperations?$filter=statuscode eq 31&$orderby=createdon desc&$top=1")["value"]
    assert "ServiceBusAuthenticationError" in job["message"]


def test_a_hub_takes_the_token_of_a_managed_identity(application: Dataverse, broker: BrokerProcess) -> None:
    publish(application, of_identity(application, broker, HUB, "positions", APPLICATION), "To a hub, with a token")
    (job,) = application.get("asyncoperations?$orderby=createdon desc&$top=1")["value"]
    assert (job["messagename"], job["statuscode"]) == ("Update", 30), job["message"]


def test_a_broker_that_refuses_fails_the_job(application: Dataverse, broker: BrokerProcess) -> None:
    """After further tries; the message is nowhere, and the job says why."""
    publish(application, endpoint_body(broker, QUEUE, "send", saskey="another"), "With a wrong key")
    (job,) = application.get("asyncoperations?$filter=statuscode eq 31&$orderby=createdon desc&$top=1")["value"]
    assert "ServiceBusAuthenticationError" in job["message"]
    assert job["retrycount"] == 2


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"saskey": None}, 400),
        ({"path": ""}, 400),
        ({"messageformat": BINARY}, 501),
        ({"authtype": 9}, 400),
        ({"authtype": 3}, 501),
    ],
)
def test_what_cannot_be_sent_to_is_refused(
    application: Dataverse, broker: BrokerProcess, changed: dict[str, object], status: int
) -> None:
    """The stand-in writes no .NET binary XML, and has no SAS tokens; a managed identity has to be named."""
    answer = application.call("POST", "serviceendpoints", endpoint_body(broker, QUEUE, "send") | changed)
    assert answer.status_code == status, answer.text


def test_a_namespace_in_azure_is_reached_with_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only on this machine is there none, as Microsoft's emulators have none."""
    asked: dict[str, bool] = {}

    def opened(_self: ServiceBus, host: str, _path: str, _sign_in: object, options: dict[str, bool], **_: bool) -> None:
        asked[host] = options["use_tls"]

    monkeypatch.setattr(ServiceBus, "_service_bus", opened)
    for address in ("sb://contoso.servicebus.windows.net", "sb://localhost:5672/"):
        endpoint = {"contract": QUEUE, "namespaceaddress": address, "path": "q", "saskeyname": "k", "saskey": "v"}
        bus = ServiceBus(retry_delay=0, tokens=AccessTokens(Environment()))
        asyncio.run(bus.call(endpoint, {"Content-Type": "x"}, ""))
    assert asked == {"contoso.servicebus.windows.net": True, "localhost:5672": False}
