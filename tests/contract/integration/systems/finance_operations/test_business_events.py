"""What people do to an order is posted in the envelope that the intake reads."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from uuid import uuid4

import pytest

from integration.clock import SystemClock
from integration.events.erp_event import ErpEventName, read_erp_events
from sandbox.client import eventually
from tests.contract.integration.systems.story import customer_of, order_for
from tests.contract.integration.systems.subjects import FinanceOperations
from tests.contract.sandbox.systems.stand_in import Start

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
                self.send_response(202)
                self.end_headers()

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


async def test_a_shipped_order_is_posted_as_a_business_event(
    endpoint: Endpoint, start: Start, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """By hand or with `run.py ship`; each has a ControlNumber of its own, which rises."""
    options = ("--events-url", endpoint.url, "--events-key", "a-key")
    system = start("finance_operations", "--db", tmp_path_factory.mktemp("fo") / "fo.db", *options)
    subject = FinanceOperations(system)
    customers, orders = subject.adapters()
    customer_id, order_id = str(uuid4()), str(uuid4())
    await customers.put_customer(customer_id, customer_of(), key="a")
    number = (await orders.put_order(order_id, order_for(customer_id), key="b")).number
    await subject.transport.aclose()
    answer = system.control("POST", f"orders/{order_id}/shipped").json()
    assert answer["record"] == number
    system.control("POST", f"orders/{number}/invoice")
    eventually(lambda: len(endpoint.posted) == 2, within=10, what="two business events")

    assert {path for path, _, _ in endpoint.posted} == {"/order-shipped", "/order-changed"}
    assert {key for _, key, _ in endpoint.posted} == {"a-key"}
    now = SystemClock().now()
    read = [
        read_erp_events(body, headers={}, name=NAME, caller="erp", organisation="o", accepted_time=now)[0]
        for _, _, body in endpoint.posted
    ]
    assert {it.record_id for it in read} == {number}
    assert len({it.event_id for it in read}) == 2
    assert len({json.loads(body)["ControlNumber"] for _, _, body in endpoint.posted}) == 2
