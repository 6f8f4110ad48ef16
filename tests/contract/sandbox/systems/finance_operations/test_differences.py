"""Every known difference of the stand-in is on its page, and every one on the page is still there."""

from collections.abc import Callable

import pytest

from tests.contract.sandbox.differences import listed
from tests.contract.sandbox.systems.finance_operations.caller import ALL, Caller, a_customer, an_order, infolog


def answered(status: int, *requests: tuple[str, str]) -> Callable[[Caller], None]:
    def probe(fo: Caller) -> None:
        for method, path in requests:
            answer = fo(method, path, None if method == "GET" else {})
            assert answer.status_code == status, f"{method} {path} is answered {answer.status_code}"

    return probe


def only_one_change_set(fo: Caller) -> None:
    headers = {"Authorization": f"Bearer {fo.token}", "Content-Type": "multipart/mixed; boundary=b"}
    read = "--b\r\nContent-Type: application/http\r\n\r\nGET /data/CustomersV3 HTTP/1.1\r\n\r\n\r\n--b--\r\n"
    assert fo.system.http.post(f"{fo.system.url}/data/$batch", data=read, headers=headers, timeout=5).status_code == 400


def no_references_within(fo: Caller) -> None:
    order = fo.order(lines=0)
    line = "PATCH $1 HTTP/1.1\r\nContent-Type: application/json\r\n\r\n{}"
    path = f"SalesOrderHeadersV2(dataAreaId='usmf',SalesOrderNumber='{order['SalesOrderNumber']}')?{ALL}"
    header = f"PATCH /data/{path} HTTP/1.1\r\nContent-Type: application/json\r\n\r\n{{}}"
    assert "HTTP/1.1 404" in fo.batch(header, line).text


def everybody_may_do_everything(fo: Caller) -> None:
    made = a_customer() | {"dataAreaId": "demf"}
    assert fo("POST", f"CustomersV3?{ALL}", made).status_code == 201


def nothing_is_checked_when_it_is_posted(fo: Caller) -> None:
    fo.system.control("POST", "setup", json={"closed_until": "2026-11-30"})
    refused = fo("POST", "SalesOrderHeadersV2", an_order(fo.customer()["CustomerAccount"]))
    assert "is not open" in infolog(refused)
    fo.system.control("POST", "setup", json={"closed_until": ""})
    order = fo.order()
    fo.system.control("POST", "setup", json={"closed_until": "2099-12-31"})
    assert fo.person("invoice", order["SalesOrderNumber"]).status_code == 204


def too_long_is_refused(fo: Caller) -> None:
    assert "exceeds" in infolog(fo("POST", "CustomersV3", a_customer(OrganizationName="x" * 101)))


def every_write_is_a_version(fo: Caller) -> None:
    made = fo.customer(AddressCity="Graz")
    path = f"CustomersV3(dataAreaId='usmf',CustomerAccount='{made['CustomerAccount']}')"
    fo("PATCH", path, {"AddressCity": "Graz"})
    assert fo("GET", path).json()["@odata.etag"] != made["@odata.etag"]


def prices_are_what_was_sent(fo: Caller) -> None:
    assert fo.line(fo.order(lines=0)["SalesOrderNumber"]).json()["SalesPrice"] == 0.0


DIFFERENCES: dict[str, Callable[[Caller], None]] = {
    "`$apply`, `$search`": answered(400, *(("GET", f"CustomersV3?{name}=x") for name in ("$apply", "$search"))),
    "`$metadata`, the service document, actions": answered(
        404, ("GET", "$metadata"), ("GET", ""), ("POST", "CustomersV3/Microsoft.Dynamics.DataEntities.getParty")
    ),
    "entities beyond customers, sales orders, released products and countries": answered(
        404, *(("GET", name) for name in ("CustomerGroups", "SalesOrderHeadersV4", "VendorsV2"))
    ),
    "fields that the app does not use": answered(400, ("GET", "CustomersV3?$filter=PaymentTerms eq 'N030'")),
    "deleting customers and lines": answered(
        405,
        ("DELETE", "CustomersV3(dataAreaId='usmf',CustomerAccount='C1')"),
        ("DELETE", "SalesOrderLines(dataAreaId='usmf',InventoryLotId='1')"),
    ),
    "reads in a batch, several change sets": only_one_change_set,
    "references within a change set (`$1`)": no_references_within,
    "security roles, record-level security": everybody_may_do_everything,
    "a closed period is met when something is posted": nothing_is_checked_when_it_is_posted,
    "a text that is too long may be cut": too_long_is_refused,
    "a write that changes nothing may leave the record version as it is": every_write_is_a_version,
    "prices, discounts, taxes and credit checks": prices_are_what_was_sent,
}


def test_the_page_lists_the_differences_that_are_tried_here() -> None:
    assert listed("sandbox-finance-operations.md") == list(DIFFERENCES)


@pytest.mark.parametrize("difference", DIFFERENCES)
def test_a_listed_difference_is_there(fo: Caller, difference: str) -> None:
    """When this fails because the stand-in now does it: take the row off the page and out of this list."""
    DIFFERENCES[difference](fo)
