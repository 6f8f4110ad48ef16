"""The stand-in keeps to what is known of API v2.0 (Microsoft Learn, and the source of the base application)."""

import re
import time
import uuid
from typing import Any

import pytest
import requests

from tests.contract.sandbox.systems.stand_in import StandIn, Start

COMPANY = "5d3d7d7a-3f3c-4f0f-9a52-0e5a3f5a0001"
LINE = {"lineType": "Account", "lineObjectNumber": "8400", "description": "Lifts", "quantity": 1, "unitPrice": 100.5}


class Caller:
    """Somebody with a token."""

    def __init__(self, system: StandIn) -> None:
        self.system = system
        self.root = f"{system.url}/v2.0/sandbox/api/v2.0"
        self.token = self.sign_in().json()["access_token"]

    def sign_in(self, **changes: str) -> requests.Response:
        form = {
            "grant_type": "client_credentials",
            "client_id": "business-central-sandbox-client",
            "client_secret": "business-central-sandbox-secret",
            "scope": "https://api.businesscentral.dynamics.com/.default",
        }
        return self.system.http.post(f"{self.system.url}/contoso/oauth2/v2.0/token", data=form | changes, timeout=5)

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> requests.Response:
        sent = {"Authorization": f"Bearer {self.token}"} | {name.replace("_", "-"): it for name, it in headers.items()}
        return self.system.http.request(
            method, f"{self.root}/companies({COMPANY})/{path}", json=body, headers=sent, timeout=5
        )

    def customer(self, **fields: object) -> dict[str, Any]:
        made: dict[str, Any] = self("POST", "customers", {"displayName": "Alpine Ski House"} | fields).json()
        return made

    def order(self, **fields: object) -> dict[str, Any]:
        body = {"customerNumber": self.customer()["number"], "salesOrderLines": [LINE]} | fields
        made: dict[str, Any] = self("POST", "salesOrders", body).json()
        return made

    def lines(self, order: dict[str, Any]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self("GET", f"salesOrders({order['id']})/salesOrderLines").json()["value"]
        return found


def error_of(answer: requests.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


@pytest.fixture(scope="module")
def system(start: Start, tmp_path_factory: pytest.TempPathFactory) -> StandIn:
    return start("business_central", "--db", tmp_path_factory.mktemp("bc") / "bc.db")


@pytest.fixture
def bc(system: StandIn) -> Caller:
    system.control("DELETE", "faults")
    return Caller(system)


def number() -> str:
    return f"CRM-{uuid.uuid4().hex[:16].upper()}"


def test_a_token_is_given_for_the_right_client_and_scope_only(bc: Caller) -> None:
    assert bc.sign_in(client_secret="wrong").status_code == 401
    assert bc.sign_in(scope="https://graph.microsoft.com/.default").status_code == 400
    bc.token = "expired"
    assert error_of(bc("GET", "customers")) == (401, "Authentication_InvalidCredentials")


def test_the_tenant_may_stand_in_the_address_or_not(bc: Caller) -> None:
    bc.root = f"{bc.system.url}/v2.0/contoso.example/sandbox/api/v2.0"
    assert bc("GET", "customers").status_code == 200


def test_companies_are_listed_and_another_one_is_not_found(bc: Caller) -> None:
    headers = {"Authorization": f"Bearer {bc.token}"}
    listed = bc.system.http.get(f"{bc.root}/companies", headers=headers, timeout=5).json()["value"]
    assert [it["id"] for it in listed] == [COMPANY]
    other = bc.system.http.get(f"{bc.root}/companies({uuid.uuid4()})/customers", headers=headers, timeout=5)
    assert error_of(other) == (404, "Internal_CompanyNotFound")


def test_an_error_has_a_code_and_a_correlation_id(bc: Caller) -> None:
    answer = bc("GET", f"customers({uuid.uuid4()})")
    assert error_of(answer) == (404, "Internal_RecordNotFound")
    assert re.search(r"CorrelationId:  [0-9a-f-]{36}\.$", answer.json()["error"]["message"])


def test_the_id_of_a_client_is_ignored_and_its_number_is_taken(bc: Caller) -> None:
    wanted, taken = str(uuid.uuid4()), number()
    made = bc("POST", "customers", {"id": wanted, "number": f" {taken.lower()} ", "displayName": "A"})
    assert made.status_code == 201
    assert made.json()["id"] != wanted
    assert made.json()["number"] == taken
    assert made.json()["blocked"] == "_x0020_"


def test_without_a_number_the_series_gives_one(bc: Caller) -> None:
    first, second = bc.customer()["number"], bc.customer()["number"]
    assert re.fullmatch(r"C\d{5}", first)
    assert first != second


def test_a_number_that_is_taken_is_refused_with_400(bc: Caller) -> None:
    """Not with 409, which stands for a stale ETag."""
    taken = bc.customer(number=number())["number"]
    again = bc("POST", "customers", {"number": taken, "displayName": "B"})
    assert error_of(again) == (400, "Internal_EntityWithSameKeyExists")


def test_without_manual_numbers_a_number_is_refused(bc: Caller) -> None:
    bc.system.control("POST", "setup", json={"manual_numbers": False})
    refused = bc("POST", "customers", {"number": number(), "displayName": "A"})
    assert error_of(refused) == (400, "Application_DialogException")
    assert bc("POST", "customers", {"displayName": "A"}).status_code == 201
    bc.system.control("POST", "setup", json={"manual_numbers": True})


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"displayName": ""}, "Application_FieldValidationException"),
        ({"displayName": "x" * 101}, "Application_StringExceededLength"),
        ({"displayName": "A", "country": "ZZ"}, "Internal_InvalidTableRelation"),
        ({"displayName": "A", "currencyCode": "XXX"}, "Application_DialogException"),
        ({"displayName": "A", "balanceDue": 1}, "BadRequest"),
        ({"displayName": "A", "nickname": "B"}, "BadRequest"),
    ],
)
def test_what_a_customer_cannot_have_is_refused(bc: Caller, fields: dict[str, object], code: str) -> None:
    assert error_of(bc("POST", "customers", fields)) == (400, code)


def test_a_change_needs_the_current_etag(bc: Caller) -> None:
    made = bc.customer()
    path = f"customers({made['id']})"
    assert error_of(bc("PATCH", path, {"city": "Graz"})) == (400, "BadRequest_InvalidToken")
    changed = bc("PATCH", path, {"city": "Graz"}, If_Match=made["@odata.etag"])
    assert (changed.status_code, changed.json()["city"]) == (200, "Graz")
    stale = bc("PATCH", path, {"city": "Wien"}, If_Match=made["@odata.etag"])
    assert error_of(stale) == (409, "Request_EntityChanged")
    assert bc("PATCH", path, {"city": "Wien"}, If_Match="*").status_code == 200


def test_a_patch_never_makes_a_row(bc: Caller) -> None:
    assert bc("PATCH", f"customers({uuid.uuid4()})", {"city": "Graz"}, If_Match="*").status_code == 404


def test_neither_id_nor_number_of_an_order_is_the_clients(bc: Caller) -> None:
    refused = bc("POST", "salesOrders", {"customerNumber": bc.customer()["number"], "number": "X1"})
    assert error_of(refused) == (400, "BadRequest")
    assert re.fullmatch(r"S-ORD\d{6}", bc.order(id=str(uuid.uuid4()))["number"])


def test_an_external_document_number_is_upper_case_and_not_unique(bc: Caller) -> None:
    reference = uuid.uuid4().hex
    orders = [bc.order(externalDocumentNumber=f"{reference} ") for _ in range(2)]
    assert {it["externalDocumentNumber"] for it in orders} == {reference.upper()}
    found = bc("GET", f"salesOrders?$filter=externalDocumentNumber eq '{reference.upper()}'").json()["value"]
    assert {it["id"] for it in found} == {it["id"] for it in orders}
    too_long = bc(
        "POST", "salesOrders", {"customerNumber": bc.customer()["number"], "externalDocumentNumber": "x" * 36}
    )
    assert error_of(too_long) == (400, "Application_StringExceededLength")


@pytest.mark.parametrize("block", ["Ship", "Invoice", "All"])
def test_a_blocked_customer_gets_no_order(bc: Caller, block: str) -> None:
    refused = bc("POST", "salesOrders", {"customerNumber": bc.customer(blocked=block)["number"]})
    assert error_of(refused) == (400, "Application_DialogException")


@pytest.mark.parametrize("fields", [{}, {"customerNumber": "NOBODY"}])
def test_an_order_needs_a_customer(bc: Caller, fields: dict[str, str]) -> None:
    assert error_of(bc("POST", "salesOrders", fields)) == (400, "Application_DialogException")


def test_lines_go_in_with_the_header_and_come_with_it(bc: Caller) -> None:
    made = bc.order(salesOrderLines=[LINE, LINE])
    read = bc("GET", f"salesOrders({made['id']})?$expand=salesOrderLines").json()
    assert [line["sequence"] for line in read["salesOrderLines"]] == [10_000, 20_000]
    assert (read["status"], read["totalAmountExcludingTax"]) == ("Draft", 201.0)


def test_a_refused_line_leaves_no_order_behind(bc: Caller) -> None:
    """Header and lines of one POST are one transaction."""
    reference = uuid.uuid4().hex.upper()
    body = {"customerNumber": bc.customer()["number"], "externalDocumentNumber": reference}
    refused = bc("POST", "salesOrders", body | {"salesOrderLines": [{"lineType": "Account"}]})
    assert error_of(refused) == (400, "Application_DialogException")
    assert bc("GET", f"salesOrders?$filter=externalDocumentNumber eq '{reference}'").json()["value"] == []


def test_the_sequence_of_a_line_may_be_set_once(bc: Caller) -> None:
    order = bc.order()
    again = bc("POST", f"salesOrders({order['id']})/salesOrderLines", LINE | {"sequence": 10_000})
    assert error_of(again) == (400, "Application_DialogException")
    other = bc("POST", "salesOrderLines", LINE | {"documentId": order["id"], "sequence": 15_000})
    assert other.status_code == 201
    moved = bc("PATCH", f"salesOrderLines({other.json()['id']})", {"sequence": 16_000}, If_Match="*")
    assert error_of(moved) == (400, "Application_DialogException")


def test_lines_are_listed_for_an_order_or_not_at_all(bc: Caller) -> None:
    order = bc.order()
    assert bc("GET", "salesOrderLines").status_code == 400
    listed = bc("GET", f"salesOrderLines?$filter=documentId eq {order['id']}").json()["value"]
    assert [line["documentId"] for line in listed] == [order["id"]]


def test_nothing_without_a_quantity_can_be_released(bc: Caller) -> None:
    empty = bc.order(salesOrderLines=[])
    held = bc.order(salesOrderLines=[LINE | {"quantity": 0}])
    for order in (empty, held):
        answer = bc.system.http.post(f"{bc.system.url}/control/orders/{order['number']}/release", timeout=5)
        assert error_of(answer) == (400, "Application_DialogException")
        assert error_of(bc("POST", f"salesOrders({order['id']})/Microsoft.NAV.shipAndInvoice")) == (
            400,
            "Application_DialogException",
        )


def test_a_released_order_shows_as_open_and_cannot_be_changed(bc: Caller) -> None:
    order = bc.order()
    bc.system.control("POST", f"orders/{order['number']}/release")
    assert bc("GET", f"salesOrders({order['id']})").json()["status"] == "Open"
    (line,) = bc.lines(order)
    for path in (f"salesOrders({order['id']})", f"salesOrderLines({line['id']})"):
        refused = bc("PATCH", path, {"currencyCode": "USD"} if "Lines" not in path else {"quantity": 2}, If_Match="*")
        assert error_of(refused) == (400, "Application_DialogException")


def test_posting_makes_the_order_disappear_and_leaves_invoice_and_shipment(bc: Caller) -> None:
    reference = uuid.uuid4().hex.upper()
    order = bc.order(externalDocumentNumber=reference)
    assert bc("POST", f"salesOrders({order['id']})/Microsoft.NAV.shipAndInvoice").status_code == 204
    assert bc("GET", f"salesOrders({order['id']})").status_code == 404
    for kind in ("salesInvoices", "salesShipments"):
        (posted,) = bc("GET", f"{kind}?$filter=externalDocumentNumber eq '{reference}'").json()["value"]
        assert posted["orderNumber"] == order["number"]
    (invoice,) = bc("GET", f"salesInvoices?$filter=orderId eq {order['id']}").json()["value"]
    assert invoice["totalAmountExcludingTax"] == 100.5


def test_the_local_currency_is_stored_blank(bc: Caller) -> None:
    assert bc.order(currencyCode="eur")["currencyCode"] == ""
    assert bc.order(currencyCode="USD")["currencyCode"] == "USD"


def test_or_between_different_fields_is_not_supported(bc: Caller) -> None:
    refused = bc("GET", "customers?$filter=number eq 'A' or city eq 'B'")
    assert error_of(refused) == (400, "BadRequest_MethodNotImplemented")
    assert bc("GET", "customers?$filter=number eq 'A' or number eq 'B'").status_code == 200
    assert bc("GET", "customers?$filter=nickname eq 'A'").status_code == 400


def test_changes_are_read_by_the_time_of_the_last_one(bc: Caller) -> None:
    made = bc.customer()
    time.sleep(0.01)  # times there have milliseconds
    changed = bc.customer()
    found = bc("GET", f"customers?$filter=lastModifiedDateTime gt {made['lastModifiedDateTime']}").json()["value"]
    assert changed["id"] in {it["id"] for it in found}
    assert made["id"] not in {it["id"] for it in found}


def test_pages_are_as_long_as_the_client_prefers(bc: Caller) -> None:
    for _ in range(3):
        bc.customer(city="Pagetown")
    page = bc("GET", "customers?$filter=city eq 'Pagetown'", Prefer="odata.maxpagesize=2").json()
    assert len(page["value"]) == 2
    rest = bc.system.http.get(page["@odata.nextLink"], headers={"Authorization": f"Bearer {bc.token}"}, timeout=5)
    assert len(rest.json()["value"]) == 1


def test_a_write_with_the_intent_to_read_fails(bc: Caller) -> None:
    refused = bc("POST", "customers", {"displayName": "A"}, Data_Access_Intent="ReadOnly")
    assert error_of(refused) == (400, "BadRequest")


def test_one_request_too_many_is_answered_429_without_retry_after(bc: Caller) -> None:
    bc.system.control("POST", "limits", json={"requests": 0})
    try:
        answer = bc("GET", "customers")
        assert answer.status_code == 429
        assert "Retry-After" not in answer.headers
    finally:
        bc.system.control("POST", "limits", json={"requests": 1_000_000})


def test_what_was_done_survives_a_kill(system: StandIn, bc: Caller) -> None:
    made = bc.customer()
    system.kill()
    system.start_again()
    assert bc("GET", f"customers({made['id']})").json()["number"] == made["number"]
