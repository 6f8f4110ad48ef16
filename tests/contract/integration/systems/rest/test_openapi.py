"""The published contract says what the adapters really send and take, no more and no less."""

import json
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

from integration import flows
from integration.clock import SystemClock
from integration.events.erp_event import read_erp_events
from integration.flow.discovery import event_names, inbound_in
from integration.systems import Address, Company, Customer, CustomerKeys, Order
from integration.systems.odata.listing import Listing
from integration.systems.rest import CreditClient, ErpClient
from integration.transport import NO_CONTEXT, ApiKey, Authorizer, CallContext, Request, Response
from sandbox.repository import REPOSITORY

CONTRACT: dict[str, Any] = json.loads(
    (REPOSITORY / "docs" / "reference" / "rest-contract.openapi.json").read_text(encoding="utf-8")
)
REPORTS = {
    "customers": {"customerNumber": "C-1"},
    "orders": {"orderNumber": "O-1", "status": "shipped"},
}
ANSWERS = {
    "customers": {"id": "x", "customerNumber": "C-1", "status": "active", "sourceVersion": 1},
    "orders": {"id": "x", "orderNumber": "O-1", "status": "confirmed", "sourceVersion": 1},
    "scores": {"scoreId": "s", "score": 1, "decision": "approved"},
}


def answer_to(request: Request) -> dict[str, Any]:
    if "/match" in request.url:
        return {"outcome": "new"}
    if "?skip=" in request.url:
        return {"value": [], "count": 0}
    kind = request.url.split("/api/")[1].partition("/")[0]
    return (REPORTS if request.url.endswith("/report") else ANSWERS)[kind]


class Wire:
    """Answers what the contract has, and keeps what was sent."""

    def __init__(self) -> None:
        self.sent: list[Request] = []

    async def send(self, request: Request, *, authorizer: Authorizer | None, context: CallContext) -> Response:
        self.sent.append(request)
        answer = json.dumps(answer_to(request)).encode()
        return Response(request, 200, {"content-type": "application/json"}, answer)


async def everything() -> list[Request]:
    """Every call of both adapters, with every property set."""
    wire = Wire()
    erp = ErpClient(wire, ApiKey("k"), "https://erp.example", match_by=("accountNumber", "taxNumber"))
    credit = CreditClient(wire, ApiKey("k"), "https://credit.example")
    address = Address(line1="1", line2="2", postal_code="3", city="4", region="5", country="6")
    customer = Customer(
        name="n",
        kind="person",
        email="e",
        phone="p",
        currency="EUR",
        tax_number="t",
        address=address,
        status="active",
        source_version=1,
    )
    order = Order(
        customer_id="x",
        title="t",
        amount=Decimal(1),
        currency="EUR",
        closed_on=date(2026, 1, 1),
        status="confirmed",
        source_version=1,
    )
    known_by = CustomerKeys(customer_number="c", account_number="a", tax_number="t")
    await erp.put_customer("x", customer, key="k", known_by=known_by, force=True)
    await erp.match_customer("x", known_by)
    await erp.get_customer("x")
    await erp.block_customer("x", reason="r", source_version=1, key="k")
    await erp.put_order("x", order, key="k")
    await erp.get_order("x")
    await erp.hold_order("x", reason="r", source_version=1, key="k")
    for kind in ("customers", "orders"):
        await erp.tables.listed(kind, Listing(top=2, skip=1, filter="id eq x"), context=NO_CONTEXT)
    await erp.customer_report("x")
    await erp.order_report("x")
    await credit.score(
        subject_id="x",
        subject_kind="account",
        amount=Decimal(1),
        currency="EUR",
        reference="r",
        key="k",
        company=Company(registration_number="n", country="c"),
    )
    return wire.sent


def resolved(part: dict[str, Any]) -> dict[str, Any]:
    """What a reference points to; anything else as it is."""
    if "$ref" not in part:
        return part
    found: Any = CONTRACT
    for name in part["$ref"].removeprefix("#/").split("/"):
        found = found[name]
    assert isinstance(found, dict)
    return found


def operation_of(request: Request) -> dict[str, Any]:
    path = "/api/" + request.url.split("/api/")[1].partition("?")[0].replace("/x", "/{id}")
    found: dict[str, Any] = CONTRACT["paths"][path][request.method.lower()]
    return found


async def test_every_call_is_in_the_contract_and_the_reverse() -> None:
    sent = {operation_of(it)["operationId"] for it in await everything()}
    listed = {
        operation["operationId"]
        for path in CONTRACT["paths"].values()
        for method, operation in path.items()
        if method != "parameters"
    }
    assert sent == listed


async def test_what_is_sent_is_what_the_contract_names() -> None:
    """The properties of each body, in nested objects too, and the headers and options that are required."""
    for request in await everything():
        operation = operation_of(request)
        parameters = [resolved(it) for it in operation["parameters"]]
        required = {it["name"] for it in parameters if it["required"] and it["in"] == "header"}
        assert required == {name for name in request.headers if name != "Content-Type"}
        options = {it["name"] for it in parameters if it["in"] == "query"}
        assert parse_qs(urlsplit(request.url).query).keys() <= options
        if request.body is None:
            assert "requestBody" not in operation
            continue
        schema = resolved(operation["requestBody"]["content"]["application/json"]["schema"])
        body = json.loads(request.body)
        assert body.keys() == schema["properties"].keys()
        for name in {"address", "match", "company"} & body.keys():
            nested = resolved(schema["properties"][name]["anyOf"][0])
            assert body[name].keys() == nested["properties"].keys()


async def test_answers_that_have_what_is_required_are_taken() -> None:
    """The smallest answers that the contract allows are those of this test."""
    for request in await everything():
        content = operation_of(request)["responses"]["2XX"]["content"]["application/json"]
        assert set(resolved(content["schema"])["required"]) == answer_to(request).keys()


def test_the_app_takes_the_events_that_the_contract_shows() -> None:
    """The smallest event of each form, for each of the names."""
    names = {it.name: it for it in event_names(inbound_in(flows).values())}
    assert CONTRACT["webhooks"].keys() == names.keys()
    smallest = {
        "PlainEvent": {"id": "e", "record": "r"},
        "CloudEvent": {"specversion": "1.0", "id": "e", "source": "s"},
    }
    smallest["CloudEvent"] |= {"type": "t", "subject": "r"}
    for form, event in smallest.items():
        assert set(CONTRACT["components"]["schemas"][form]["required"]) == event.keys()
        for name in names.values():
            body = json.dumps([event]).encode()
            [read] = read_erp_events(
                body, headers={}, name=name, caller="erp", organisation="o", accepted_time=SystemClock().now()
            )
            assert (read.table, read.record_id) == (name.kind, "r")
