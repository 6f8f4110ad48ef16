"""What people do to an order is sent in the envelope that the intake reads: over HTTPS, to a queue, as Event Grid."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from azure.servicebus import ServiceBusClient

from integration.clock import SystemClock
from integration.events import IntegrationEvent
from integration.events.business_event import ErpEventName, is_trial
from integration.events.erp_event import read_erp_events
from integration.intake.message_properties import text_properties
from sandbox.client import eventually
from tests.contract.integration.systems.story import customer_of, order_for
from tests.contract.integration.systems.subjects import FinanceOperations
from tests.contract.sandbox.azure.broker.broker_process import BrokerProcess
from tests.contract.sandbox.systems.stand_in import StandIn, Start

NAME = ErpEventName("order-shipped", "erp.order", ("SalesOrderNumber", "SalesId"))


class Endpoint:
    """Keeps what is posted to it: the path, the key and the body."""

    def __init__(self) -> None:
        self.posted: list[tuple[str, str, bytes]] = []
        posted = self.posted

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                posted.append((self.path, self.headers["x-functions-key"], body))
                self.send_response(200)
                self.end_headers()
                if self.headers["aeg-event-type"] == "SubscriptionValidation":
                    code = json.loads(body)[0]["data"]["validationCode"]
                    self.wfile.write(json.dumps({"validationResponse": code}).encode())

            def log_message(self, *_: Any) -> None:
                """Nothing."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    made = Endpoint()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[BrokerProcess]:
    """It checks signatures and rights: the endpoint's key may only send."""
    process = BrokerProcess(tmp_path, "--key", "RootManageSharedAccessKey=SAS_KEY_VALUE", "--key", "fo=fo-sends;Send")
    process.start()
    yield process
    process.stop()


async def ordered(system: StandIn) -> tuple[str, str]:
    """A new order's id in Dataverse, and its number."""
    subject = FinanceOperations(system)
    customers, orders = subject.adapters()
    customer_id, order_id = str(uuid4()), str(uuid4())
    await customers.put_customer(customer_id, customer_of(), key="a")
    number = (await orders.put_order(order_id, order_for(customer_id), key="b")).number
    await subject.transport.aclose()
    return order_id, number


def read_back(body: bytes | dict[str, Any]) -> IntegrationEvent:
    """What the intake makes of a body whose address says what it is."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    now = SystemClock().now()
    [event] = read_erp_events(raw, headers={}, name=NAME, caller="erp", organisation="o", accepted_time=now)
    return event


async def test_a_shipped_order_is_posted_as_a_business_event(
    endpoint: Endpoint, start: Start, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """By hand or with `run.py ship`; each has a ControlNumber of its own, which rises."""
    options = ("--events-url", endpoint.url, "--events-key", "a-key")
    system = start("finance_operations", "--db", tmp_path_factory.mktemp("fo") / "fo.db", *options)
    order_id, number = await ordered(system)
    answer = system.control("POST", f"orders/{order_id}/shipped").json()
    assert answer["record"] == number
    system.control("POST", f"orders/{number}/invoice")
    eventually(lambda: len(endpoint.posted) == 2, within=10, what="two business events")

    assert {path for path, _, _ in endpoint.posted} == {"/order-shipped", "/order-changed"}
    assert {key for _, key, _ in endpoint.posted} == {"a-key"}
    read = [read_back(body) for _, _, body in endpoint.posted]
    assert {it.record_id for it in read} == {number}
    assert len({it.event_id for it in read}) == 2
    assert len({json.loads(body)["ControlNumber"] for _, _, body in endpoint.posted}) == 2


async def test_a_queue_and_event_grid_get_it_after_a_message_that_tries_them_out(
    endpoint: Endpoint, broker: BrokerProcess, start: Start, tmp_path: Path
) -> None:
    """Whichever is active, with what Microsoft's docs say can be filtered by."""
    system = start(
        "finance_operations",
        *("--db", tmp_path / "fo.db", "--event-grid-url", f"{endpoint.url}/event-grid"),
        *("--events-service-bus", broker.connection_string_with("fo-sends", "fo"), "--events-queue", "send"),
    )
    order_id, number = await ordered(system)
    for active in ("service-bus", "event-grid"):
        system.control("POST", "endpoint", json={"endpoint": active})
        system.control("POST", f"orders/{order_id}/shipped")

    with (
        ServiceBusClient.from_connection_string(broker.connection_string) as client,
        client.get_queue_receiver("send") as receiver,
    ):
        messages = [it for _ in range(2) for it in receiver.receive_messages(1, max_wait_time=20)]
    trial, posted = (json.loads(b"".join(it.body)) for it in messages)
    assert is_trial(trial)
    assert text_properties(messages[1].application_properties or {}) == {
        "businesseventcategory": "SalesOrder",
        "businesseventid": posted["BusinessEventId"],
        "legalentity": "USMF",
    }
    assert read_back(posted).record_id == number
    eventually(lambda: len(endpoint.posted) == 3, within=10, what="the handshake and two business events")
    [[validation], [trial], [delivered]] = [json.loads(body) for _, _, body in endpoint.posted]
    assert validation["eventType"] == "Microsoft.EventGrid.SubscriptionValidationEvent"
    assert is_trial(trial["data"])
    assert read_back(delivered["data"]).record_id == number
