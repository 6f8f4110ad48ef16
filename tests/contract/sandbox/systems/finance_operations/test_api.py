"""The stand-in keeps to what is known of the data entities (Microsoft Learn, answers that others have published)."""

import json
import re
import uuid

import pytest

from tests.contract.sandbox.systems.finance_operations.caller import ALL, Caller, a_customer, an_order, infolog
from tests.contract.sandbox.systems.stand_in import StandIn


def key_of(kind: str, number: str, company: str = "usmf") -> str:
    name = {"CustomersV3": "CustomerAccount", "SalesOrderLines": "InventoryLotId"}.get(kind, "SalesOrderNumber")
    return f"{kind}(dataAreaId='{company}',{name}='{number}')"


def test_a_token_is_given_for_the_right_client_and_the_scope_of_this_environment_only(fo: Caller) -> None:
    assert fo.sign_in(client_secret="wrong").status_code == 401
    assert fo.sign_in(scope="https://other.operations.dynamics.com/.default").status_code == 400
    fo.token = "expired"
    assert fo("GET", "CustomersV3").status_code == 401


def test_an_error_has_the_type_of_an_exception_the_infolog_and_an_activity_id(fo: Caller) -> None:
    answer = fo("POST", "CustomersV3", a_customer(CustomerGroupId="Local"))
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["message"]) == (400, "", "An error has occurred.")
    assert error["innererror"]["type"].endswith(".AxODataWriteException")
    assert "The value 'Local' in field 'Customer group' is not found in the related table" in infolog(answer)
    assert re.fullmatch(r"[0-9a-f-]{36}", answer.headers["ms-dyn-aid"])


def test_a_customer_needs_its_account_number_and_gets_a_party(fo: Caller) -> None:
    """The entity asks for the number whatever the number sequence is."""
    refused = fo("POST", "CustomersV3", a_customer(CustomerAccount=""))
    assert "'CustomerAccount' must be filled in" in infolog(refused)
    assert re.fullmatch(r"\d{9}", fo.customer()["PartyNumber"])


def test_a_number_is_refused_where_the_sequence_is_automatic(fo: Caller) -> None:
    fo.system.control("POST", "setup", json={"customer_numbers": "automatic"})
    assert "does not allow manual numbers" in infolog(fo("POST", "CustomersV3", a_customer()))


def test_a_number_that_is_taken_is_refused(fo: Caller) -> None:
    """Whatever its case."""
    taken = fo.customer()["CustomerAccount"]
    again = fo("POST", "CustomersV3", a_customer(CustomerAccount=taken.lower()))
    assert again.status_code == 400
    assert "The record already exists" in infolog(again)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"SalesCurrencyCode": "XXX"}, "'Currency' is not found"),
        ({"AddressCountryRegionId": "ZZZ"}, "'Country/region' is not found"),
        ({"OrganizationName": "x" * 101}, "exceeds the maximum length"),
        ({"OrganizationName": "a\x0bb"}, "invalid character"),
        ({"OrganizationName": ""}, "must be filled in"),
        ({"PartyNumber": "1"}, "cannot be edited"),
    ],
)
def test_what_a_customer_cannot_have_is_refused(fo: Caller, fields: dict[str, object], said: str) -> None:
    assert said in infolog(fo("POST", "CustomersV3", a_customer(**fields)))


@pytest.mark.parametrize("fields", [{"OnHoldStatus": "Perhaps"}, {"Nickname": "B"}, {"OrganizationName": 1}])
def test_what_is_not_in_the_metadata_is_refused(fo: Caller, fields: dict[str, object]) -> None:
    """An enumeration takes its members only."""
    refused = fo("POST", "CustomersV3", a_customer(**fields))
    assert refused.status_code == 400
    assert refused.json()["error"]["innererror"]["type"] == "Microsoft.OData.ODataException"


def test_a_change_answers_without_a_body_and_minds_the_etag_that_is_sent(fo: Caller) -> None:
    made = fo.customer()
    path = key_of("CustomersV3", made["CustomerAccount"])
    changed = fo("PATCH", path, {"AddressCity": "Graz"}, If_Match=made["@odata.etag"])
    assert (changed.status_code, changed.content) == (204, b"")
    assert fo("GET", path).json()["AddressCity"] == "Graz"
    assert fo("PATCH", path, {"AddressCity": "Wien"}, If_Match=made["@odata.etag"]).status_code == 412
    assert fo("PATCH", path, {"AddressCity": "Wien"}).status_code == 204


def test_a_key_has_to_be_whole_and_a_patch_never_makes_a_row(fo: Caller) -> None:
    assert fo("GET", "CustomersV3(CustomerAccount='C1')").status_code == 400
    assert fo("PATCH", key_of("CustomersV3", "NOBODY"), {"AddressCity": "Graz"}).status_code == 404


def test_only_the_own_company_is_there_without_cross_company(fo: Caller) -> None:
    """Keys name the company, and the same key in another company is another row."""
    number = f"C-{uuid.uuid4().hex[:12].upper()}"
    ours = fo.customer(CustomerAccount=number)
    elsewhere = a_customer(CustomerAccount=number) | {"dataAreaId": "demf"}
    assert "not accessible" in infolog(fo("POST", "CustomersV3", elsewhere))
    assert fo("POST", f"CustomersV3?{ALL}", elsewhere).status_code == 201
    filtered = f"CustomersV3?$filter=CustomerAccount eq '{number}'"
    assert [row["dataAreaId"] for row in fo.values(filtered)] == [ours["dataAreaId"]] == ["usmf"]
    assert {row["dataAreaId"] for row in fo.values(f"{filtered}&{ALL}")} == {"usmf", "demf"}
    both = f"dataAreaId eq 'demf' and (CustomerAccount eq '{number}' or OrganizationName eq 'nobody')"
    assert [row["dataAreaId"] for row in fo.values(f"CustomersV3?{ALL}&$filter={both}")] == ["demf"]
    path = key_of("CustomersV3", number, "demf")
    assert fo("GET", path).status_code == 404
    assert fo("GET", f"{path}?{ALL}").json()["dataAreaId"] == "demf"


def test_an_enumeration_is_filtered_by_its_full_name(fo: Caller) -> None:
    fo.customer(OnHoldStatus="All")
    named = "CustomersV3?$filter=OnHoldStatus eq Microsoft.Dynamics.DataEntities.CustVendorBlocked'All'"
    assert {row["OnHoldStatus"] for row in fo.values(named)} == {"All"}
    assert fo("GET", "CustomersV3?$filter=OnHoldStatus eq 'All'").status_code == 400


@pytest.mark.parametrize(
    "query",
    [
        *("$filter=Nickname eq 'B'", "$filter=OrganizationName", "$filter=(AddressCity eq 'a'", "$expand=Nothing"),
        *("$top=x", "$skip=-1", "$skiptoken="),
    ],
)
def test_a_query_that_makes_no_sense_is_refused(fo: Caller, query: str) -> None:
    assert fo("GET", f"CustomersV3?{query}").status_code == 400


def test_an_order_gets_its_number_from_the_sequence_or_from_the_client(fo: Caller) -> None:
    assert re.fullmatch(r"SO-\d{6}", fo.order()["SalesOrderNumber"])
    body = an_order(fo.customer()["CustomerAccount"])
    number = f"F-{uuid.uuid4().hex[:12].upper()}"
    assert "manual" in infolog(fo("POST", "SalesOrderHeadersV2", body | {"SalesOrderNumber": number}))
    fo.system.control("POST", "setup", json={"order_numbers": "manual"})
    assert "'Sales order' must be filled in" in infolog(fo("POST", "SalesOrderHeadersV2", body))
    made = fo("POST", "SalesOrderHeadersV2", body | {"SalesOrderNumber": number})
    assert made.json()["SalesOrderNumber"] == number
    again = fo("POST", "SalesOrderHeadersV2", body | {"SalesOrderNumber": number})
    assert "The record already exists" in infolog(again)


def test_a_reference_need_not_be_unique(fo: Caller) -> None:
    reference = uuid.uuid4().hex
    for _ in range(2):
        fo.order(CustomersOrderReference=reference)
    assert len(fo.values(f"SalesOrderHeadersV2?$filter=CustomersOrderReference eq '{reference}'")) == 2


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"OrderingCustomerAccountNumber": "NOBODY"}, "'Customer account' is not found"),
        ({"CurrencyCode": "XXX"}, "'Currency' is not found"),
        ({"RequestedShippingDate": ""}, "must be filled in"),
        ({"SalesOrderStatus": "Invoiced"}, "cannot be edited"),
    ],
)
def test_what_an_order_cannot_have_is_refused(fo: Caller, fields: dict[str, object], said: str) -> None:
    body = an_order(fo.customer()["CustomerAccount"]) | fields
    assert said in infolog(fo("POST", "SalesOrderHeadersV2", body))


def test_a_customer_on_hold_gets_no_order(fo: Caller) -> None:
    """Only the hold for all; with the one for invoices, orders are made and not delivered."""
    held = fo.customer(OnHoldStatus="All")["CustomerAccount"]
    assert "is on hold" in infolog(fo("POST", "SalesOrderHeadersV2", an_order(held)))
    other = fo.customer(OnHoldStatus="Invoice")["CustomerAccount"]
    assert fo("POST", "SalesOrderHeadersV2", an_order(other)).status_code == 201


def test_a_line_gets_a_lot_and_may_be_added_again(fo: Caller) -> None:
    """Nothing about it is unique, so whoever asks twice gets two."""
    order = fo.order(lines=2)
    number = order["SalesOrderNumber"]
    read = fo("GET", f"{key_of('SalesOrderHeadersV2', number)}?$expand=SalesOrderLines").json()
    lots = {line["InventoryLotId"] for line in read["SalesOrderLines"]}
    assert len(lots) == 2
    assert "manual" in infolog(fo.line(number, InventoryLotId="L1"))
    assert "'Item number' is not found" in infolog(fo.line(number, ItemNumber="NONE"))
    assert "Inventory dimension Site is mandatory" in infolog(fo.line(number, ItemNumber="D0001"))
    assert "'Sales order' is not found" in infolog(fo.line("NONE"))


def test_a_line_has_an_amount_and_stays_with_its_order(fo: Caller) -> None:
    lot = fo.line(fo.order(lines=0)["SalesOrderNumber"], SalesPrice=100.5, OrderedSalesQuantity=2).json()
    assert lot["LineAmount"] == 201.0
    path = key_of("SalesOrderLines", lot["InventoryLotId"])
    assert fo("PATCH", path, {"SalesPrice": 1}).status_code == 204
    assert fo("GET", path).json()["LineAmount"] == 2.0
    assert "cannot be edited" in infolog(fo("PATCH", path, {"SalesOrderNumber": "X"}))


@pytest.mark.parametrize("act", ["confirm", "deliver", "invoice", "cancel"])
def test_what_people_have_gone_on_with_is_not_changed(fo: Caller, act: str) -> None:
    order = fo.order()
    number = order["SalesOrderNumber"]
    (line,) = fo.values(f"SalesOrderLines?$filter=SalesOrderNumber eq '{number}'")
    assert fo.person(act, number).status_code == 204
    for path in (key_of("SalesOrderHeadersV2", number), key_of("SalesOrderLines", line["InventoryLotId"])):
        body = {"SalesPrice": 2} if "Lines" in path else {"CurrencyCode": "USD"}
        assert "cannot be edited: its status is" in infolog(fo("PATCH", path, body))
    assert "cannot be edited" in infolog(fo.line(number))
    assert "cannot be edited" in infolog(fo("DELETE", key_of("SalesOrderHeadersV2", number)))


def test_nobody_goes_on_with_an_order_that_is_stopped_or_empty(fo: Caller) -> None:
    stopped, empty = fo.order(IsSalesProcessingStopped="Yes"), fo.order(lines=0)
    for order in (stopped, empty):
        assert fo.person("confirm", order["SalesOrderNumber"]).status_code == 400


def test_an_invoice_stays_when_the_header_is_deleted(fo: Caller) -> None:
    reference = uuid.uuid4().hex
    number = fo.order(CustomersOrderReference=reference)["SalesOrderNumber"]
    fo.person("invoice", number)
    fo.person("purge", number)
    assert fo("GET", key_of("SalesOrderHeadersV2", number)).status_code == 404
    (invoice,) = fo.values(f"SalesInvoiceHeadersV2?$filter=CustomersOrderReference eq '{reference}'")
    assert invoice["SalesOrderNumber"] == number


def test_an_order_is_deleted_with_its_lines_while_it_is_open(fo: Caller) -> None:
    order = fo.order()
    path = key_of("SalesOrderHeadersV2", order["SalesOrderNumber"])
    assert fo("DELETE", path, If_Match='W/"other"').status_code == 412
    assert fo("DELETE", path, If_Match=order["@odata.etag"]).status_code == 204
    assert fo.values(f"SalesOrderLines?$filter=SalesOrderNumber eq '{order['SalesOrderNumber']}'") == []


def test_a_change_set_is_done_as_a_whole_or_not_at_all(fo: Caller) -> None:
    """The answer is 200 either way; a refusal stands in it alone, with status 500."""
    order = fo.order(lines=0)
    number = order["SalesOrderNumber"]

    def parts(etag: str, item: str) -> tuple[str, str]:
        header = f"PATCH /data/{key_of('SalesOrderHeadersV2', number)}?{ALL} HTTP/1.1\r\nIf-Match: {etag}\r\n\r\n"
        line = f"POST /data/SalesOrderLines?{ALL} HTTP/1.1\r\nContent-Type: application/json\r\n\r\n"
        new = json.dumps({"SalesOrderNumber": number, "ItemNumber": item, "dataAreaId": "usmf"})
        return header + '{"IsSalesProcessingStopped": "Yes"}', line + new

    refused = fo.batch(*parts(order["@odata.etag"], "NONE"))
    assert refused.status_code == 200
    assert refused.text.count("HTTP/1.1 ") == refused.text.count("HTTP/1.1 500") == 1
    assert "'Item number' is not found" in refused.text
    assert fo("GET", key_of("SalesOrderHeadersV2", number)).json()["@odata.etag"] == order["@odata.etag"]
    done = fo.batch(*parts(order["@odata.etag"], "S0001"))
    assert re.findall(r"HTTP/1\.1 (\d+)", done.text) == ["204", "201"]
    late = fo.batch(*parts(order["@odata.etag"], "S0001"))
    assert re.findall(r"HTTP/1\.1 (\d+)", late.text) == ["412"]
    assert len(fo.values(f"SalesOrderLines?$filter=SalesOrderNumber eq '{number}'")) == 1


def test_countries_have_two_codes_and_names_in_languages(fo: Caller) -> None:
    assert {"CountryRegion": "AUT", "ISOcode": "AT"} in fo.values("AddressCountryRegions")
    (austria,) = fo.values("AddressCountryRegionTranslations?$filter=CountryRegionId eq 'AUT'")
    assert (austria["LanguageId"], austria["ShortName"]) == ("en-US", "Austria")


def test_pages_are_as_long_as_the_client_prefers(fo: Caller) -> None:
    city = uuid.uuid4().hex
    for _ in range(3):
        fo.customer(AddressCity=city)
    first = fo(
        "GET", f"CustomersV3?$filter=AddressCity eq '{city}'&$select=CustomerAccount", Prefer="odata.maxpagesize=2"
    )
    page = first.json()
    assert [set(row) for row in page["value"]] == [{"@odata.etag", "CustomerAccount"}] * 2
    rest = fo.system.http.get(page["@odata.nextLink"], headers={"Authorization": f"Bearer {fo.token}"}, timeout=5)
    assert len(rest.json()["value"]) == 1


def test_a_busy_environment_says_when_to_come_again(fo: Caller) -> None:
    """Whoever is throttled has not been served at all."""
    fo.system.control("POST", "throttle", json={"requests": 1, "retry_after": 7})
    answer = fo("POST", "CustomersV3", a_customer())
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")
    assert "high resource utilization" in answer.json()["error"]["message"]
    assert fo("GET", "CustomersV3").status_code == 200


def test_what_was_done_survives_a_kill(system: StandIn, fo: Caller) -> None:
    made = fo.customer()
    system.kill()
    system.start_again()
    assert fo("GET", key_of("CustomersV3", made["CustomerAccount"])).json()["PartyNumber"] == made["PartyNumber"]
