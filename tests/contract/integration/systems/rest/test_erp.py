"""The ERP client and the ERP keep their contract."""

from datetime import date
from decimal import Decimal
from uuid import uuid4

import pytest

from integration.clock import SystemClock
from integration.errors import NotFound, Outage, Permanent, Stale, Throttled, Transient
from integration.systems import Address, Customer, CustomerReport, Order, OrderReport
from integration.systems.rest import ErpClient
from integration.transport import ApiKey, CallContext, Transport, client_credentials
from tests.contract.sandbox.systems.stand_in import StandIn


def key() -> str:
    return uuid4().hex


def order_of(customer_id: str, **changes: object) -> Order:
    values: dict[str, object] = {
        "customer_id": customer_id,
        "title": "Ten chairs",
        "amount": Decimal("1234.50"),
        "currency": "EUR",
        "closed_on": date(2026, 3, 1),
        "status": "confirmed",
        "source_version": 20,
    }
    return Order.model_validate(values | changes)


def effects(system: StandIn, row_id: str) -> list[dict[str, object]]:
    lines = system.control("GET", "ledger").json()["effects"]
    return [line for line in lines if line["id"] == row_id]


async def test_a_customer_is_created_then_updated_under_one_number(
    erp: ErpClient, customer: Customer, new_id: str
) -> None:
    created = await erp.put_customer(new_id, customer, key=key())
    later = customer.model_copy(update={"name": "Contoso plc", "source_version": 11, "address": Address(city="Graz")})
    updated = await erp.put_customer(new_id, later, key=key())
    assert created.number.startswith("C-")
    assert (updated.number, updated.source_version, updated.status) == (created.number, 11, "active")
    assert updated.replaced_version == 10
    assert await erp.get_customer(new_id) == updated.model_copy(update={"replaced_version": None})


async def test_the_same_key_has_one_effect(
    erp: ErpClient, erp_system: StandIn, customer: Customer, new_id: str
) -> None:
    same = key()
    assert await erp.put_customer(new_id, customer, key=same) == await erp.put_customer(new_id, customer, key=same)
    assert len(effects(erp_system, new_id)) == 1


async def test_an_answer_lost_on_the_way_back_has_one_effect(
    erp: ErpClient, erp_system: StandIn, customer: Customer, new_id: str
) -> None:
    """The work is done and the connection dies before the answer: the client sends again, the ERP replays."""
    erp_system.fault("PUT /api/customers/.*", times=1, drop=True, after=True)
    assert (await erp.put_customer(new_id, customer, key=key())).number.startswith("C-")
    assert len(effects(erp_system, new_id)) == 1


async def test_an_older_version_is_stale_and_changes_nothing(erp: ErpClient, customer: Customer, new_id: str) -> None:
    await erp.put_customer(new_id, customer, key=key())
    with pytest.raises(Stale):
        await erp.put_customer(new_id, customer.model_copy(update={"source_version": 9}), key=key())
    assert (await erp.get_customer(new_id)).source_version == 10


async def test_blocking_a_customer(erp: ErpClient, customer: Customer, new_id: str) -> None:
    await erp.put_customer(new_id, customer, key=key())
    blocked = await erp.block_customer(new_id, reason="Deactivated in the CRM", source_version=11, key=key())
    assert (blocked.status, (await erp.get_customer(new_id)).status) == ("blocked", "blocked")


async def test_an_order_carries_its_amount_exactly(
    erp: ErpClient, erp_system: StandIn, customer: Customer, new_id: str
) -> None:
    """As a decimal string with the digits it had, with its currency and date."""
    await erp.put_customer(new_id, customer, key=key())
    order_id = str(uuid4())
    order = order_of(new_id, amount=Decimal("99999999999.9900"))
    state = await erp.put_order(order_id, order, key=key())
    (effect,) = effects(erp_system, order_id)
    body = effect["body"]
    assert isinstance(body, dict)
    assert (body["amount"], body["currency"], body["closedOn"]) == ("99999999999.9900", "EUR", "2026-03-01")
    assert state.number.startswith("SO-")
    assert await erp.get_order(order_id) == state


async def test_an_order_is_put_on_hold(erp: ErpClient, customer: Customer, new_id: str) -> None:
    await erp.put_customer(new_id, customer, key=key())
    order_id = str(uuid4())
    await erp.put_order(order_id, order_of(new_id), key=key())
    assert (await erp.hold_order(order_id, reason="Reopened", source_version=21, key=key())).status == "on-hold"


@pytest.mark.parametrize("currency", ["XXX", "euro"])
async def test_what_the_erp_refuses_is_permanent_and_says_why(
    erp: ErpClient, customer: Customer, new_id: str, currency: str
) -> None:
    await erp.put_customer(new_id, customer, key=key())
    with pytest.raises(Permanent, match="currency") as raised:
        await erp.put_order(str(uuid4()), order_of(new_id, currency=currency), key=key())
    assert raised.value.reason == "erp-rejected"


async def test_an_order_of_an_unknown_customer_is_refused(erp: ErpClient, new_id: str) -> None:
    with pytest.raises(Permanent, match="customer"):
        await erp.put_order(str(uuid4()), order_of(new_id), key=key())


async def test_a_key_used_for_something_else_is_refused(erp: ErpClient, customer: Customer, new_id: str) -> None:
    same = key()
    await erp.put_customer(new_id, customer, key=same)
    with pytest.raises(Permanent) as raised:
        await erp.put_customer(new_id, customer.model_copy(update={"name": "Other"}), key=same)
    assert raised.value.reason == "erp-rejected"


@pytest.mark.parametrize("call", ["get_customer", "get_order", "block_customer", "hold_order"])
async def test_what_is_not_there_is_not_found(erp: ErpClient, new_id: str, call: str) -> None:
    more = {} if call.startswith("get") else {"reason": "Deleted", "source_version": 1, "key": key()}
    with pytest.raises(NotFound) as raised:
        await getattr(erp, call)(new_id, **more)
    table = "customers" if call.endswith("customer") else "orders"
    assert (raised.value.service, raised.value.table, raised.value.record_id) == ("erp", table, new_id)


GATEWAY_ANSWERS = [
    ({"status": 302, "headers": {"Location": "/sorry"}}, "erp-redirected"),
    ({"status": 302, "gateway": True}, "erp-redirected"),
    (
        {
            "status": 404,
            "headers": {"Content-Type": "text/html"},
            "body": "<html>The resource is temporarily unavailable.</html>",
        },
        "erp-answer-unreadable",
    ),
    ({"status": 404, "headers": {"Content-Type": "text/html"}}, "erp-answer-unreadable"),
    (
        {
            "status": 404,
            "headers": {"Content-Type": "application/json"},
            "body": '{"statusCode":404,"message":"Resource not found"}',
        },
        "erp-answer-unreadable",
    ),
    ({"status": 404, "body": '{"title":"Not Found","status":404}'}, "erp-answer-unreadable"),
    ({"status": 400, "gateway": True}, "erp-answer-unreadable"),
    ({"status": 403, "gateway": True}, "erp-answer-unreadable"),
    ({"status": 405}, "erp-answer-unreadable"),
    ({"status": 409, "gateway": True}, "erp-answer-unreadable"),
    ({"status": 410, "gateway": True}, "erp-answer-unreadable"),
    ({"status": 413, "gateway": True}, "erp-answer-unreadable"),
    ({"status": 500, "gateway": True}, "erp-unavailable"),
    ({"status": 501}, "erp-answer-unreadable"),
    ({"status": 502}, "erp-unavailable"),
    ({"status": 503}, "erp-unavailable"),
    ({"status": 200, "gateway": True}, "erp-answer-unreadable"),
    ({"status": 200, "headers": {"Content-Type": "application/json"}, "body": '{"status":"ok"}'}, "erp-answer-invalid"),
]


@pytest.mark.parametrize(("fault", "reason"), GATEWAY_ANSWERS, ids=str)
@pytest.mark.parametrize("call", ["put_customer", "get_customer", "get_order", "block_customer", "hold_order"])
async def test_what_answers_in_the_erps_place_is_an_outage(  # noqa: PLR0917 -- fixtures and parameters
    erp: ErpClient, erp_system: StandIn, customer: Customer, call: str, fault: dict[str, object], reason: str
) -> None:
    """Whatever it says under whichever status: neither "no such customer" nor a refusal, but something to wait for."""
    more: dict[str, object] = {"key": key()}
    if call.startswith("get"):
        more = {}
    elif call == "put_customer":
        more["customer"] = customer
    else:
        more |= {"reason": "Deleted", "source_version": 1}
    erp_system.fault("* /api/", **fault)
    with pytest.raises(Outage) as raised:
        await getattr(erp, call)(str(uuid4()), **more)
    assert (type(raised.value), raised.value.reason, raised.value.service) == (Outage, reason, "erp")


async def test_a_412_of_the_erp_is_no_conflict_of_our_etags(erp: ErpClient, erp_system: StandIn, new_id: str) -> None:
    """We sent it no ETag: reading the row of Dataverse again at once, three times, would change nothing."""
    erp_system.fault("GET .*", status=412)
    with pytest.raises(Transient) as raised:
        await erp.get_order(new_id)
    assert (type(raised.value), raised.value.reason) == (Transient, "erp-conflict")


async def test_what_we_do_not_own_is_not_sent(
    erp: ErpClient, erp_system: StandIn, customer: Customer, new_id: str
) -> None:
    """The tax number that the ERP's own people entered survives a rename; an e-mail removed in Dataverse does not."""
    await erp.put_customer(new_id, customer, key=key())
    stored = {
        **customer.model_dump(by_alias=True, exclude_unset=True),
        "taxNumber": "ATU1",
        "address": {"line2": "c/o"},
    }
    headers = {"X-Api-Key": "erp-sandbox-key", "Idempotency-Key": key()}
    erp_system.http.put(f"{erp_system.url}/api/customers/{new_id}", json=stored, headers=headers, timeout=5)
    renamed = customer.model_copy(
        update={"name": "Contoso plc", "email": None, "address": Address(city="Graz"), "source_version": 11}
    )
    await erp.put_customer(new_id, renamed, key=key())
    read = erp_system.http.get(f"{erp_system.url}/api/customers/{new_id}", headers=headers, timeout=5).json()
    assert (read["name"], read["email"], read["taxNumber"]) == ("Contoso plc", None, "ATU1")
    assert read["address"] == {"line2": "c/o", "city": "Graz"}


async def test_a_pause_that_the_erp_asks_for_is_kept(
    erp: ErpClient, erp_system: StandIn, customer: Customer, new_id: str
) -> None:
    """Two calls fail, one request arrives."""
    erp_system.fault("PUT .*", status=503, times=None, headers={"Retry-After": "30"})
    for _ in range(2):
        with pytest.raises(Throttled) as raised:
            await erp.put_customer(new_id, customer, key=key())
        assert raised.value.retry_after is not None
        assert 29 < raised.value.retry_after <= 30
    assert len([one for one in erp_system.control("GET", "requests").json() if "/api/" in one["path"]]) == 1


@pytest.mark.parametrize(
    ("fault", "reason"),
    [({"status": 500}, "erp-failed"), ({"delay_ms": 2500}, "erp-timeout"), ({"drop": True}, "erp-unreachable")],
)
async def test_trouble_is_transient(
    erp: ErpClient, erp_system: StandIn, new_id: str, fault: dict[str, object], reason: str
) -> None:
    erp_system.fault("GET .*", **({"status": None, "times": None} | fault))
    with pytest.raises(Transient) as raised:
        await erp.get_customer(new_id)
    assert raised.value.reason == reason


async def test_a_wrong_key_lets_events_wait(transport: Transport, erp_system: StandIn, new_id: str) -> None:
    with pytest.raises(Transient) as raised:
        await ErpClient(transport, ApiKey("wrong"), erp_system.url).get_customer(new_id)
    assert raised.value.reason == "erp-unauthorised"


async def test_with_client_credentials_a_revoked_token_is_replaced(
    transport: Transport, erp_system: StandIn, customer: Customer, new_id: str
) -> None:
    """The ERP forgets all tokens: the next call gets a new one, and its caller notices nothing."""
    tokens = client_credentials(
        transport,
        service="erp",
        token_url=f"{erp_system.url}/oauth/token",
        client_id="erp-sandbox-client",
        client_secret="erp-sandbox-secret",
        clock=SystemClock(),
    )
    erp = ErpClient(transport, tokens, erp_system.url)
    await erp.put_customer(new_id, customer, key=key())
    erp_system.control("POST", "expire-tokens")
    assert (await erp.get_customer(new_id)).source_version == 10


async def test_the_trace_of_the_event_arrives(
    erp: ErpClient, erp_system: StandIn, customer: Customer, new_id: str
) -> None:
    context = CallContext("corr-1", f"00-{'a' * 32}-{'b' * 16}-01")
    await erp.put_customer(new_id, customer, key=key(), context=context)
    (request,) = [one for one in erp_system.control("GET", "requests").json() if new_id in one["path"]]
    sent = {name.lower(): value for name, value in request["headers"].items()}
    assert (sent["traceparent"], sent["x-correlation-id"]) == (context.traceparent, "corr-1")


async def test_what_people_do_in_the_erp_is_reported(
    erp: ErpClient, customer: Customer, new_id: str, erp_system: StandIn
) -> None:
    """How far an order has come and how a customer stands are the ERP's own, and our writes leave them alone."""
    made = await erp.put_customer(new_id, customer, key=key())
    ordered = await erp.put_order(new_id, order_of(new_id), key=key())
    assert await erp.order_report(new_id) == OrderReport(number=ordered.number, status="confirmed")
    assert await erp.customer_report(new_id) == CustomerReport(number=made.number)

    erp_system.control("POST", f"orders/{new_id}/shipped")
    await erp.put_order(new_id, order_of(new_id, source_version=21), key=key())
    erp_system.control("POST", f"customers/{new_id}", json={"onHold": True, "balance": "1200.50"})
    await erp.put_customer(new_id, customer.model_copy(update={"source_version": 99}), key=key())
    report = await erp.order_report(new_id)
    assert (report.status, report.shipped_at is not None) == ("shipped", True)
    assert await erp.customer_report(new_id) == CustomerReport(
        number=made.number, on_hold=True, balance=Decimal("1200.50")
    )


async def test_a_report_of_what_the_erp_does_not_have_is_not_found(erp: ErpClient, new_id: str) -> None:
    for ask in (erp.order_report, erp.customer_report):
        with pytest.raises(NotFound) as missing:
            await ask(new_id)
        assert missing.value.service == "erp"
