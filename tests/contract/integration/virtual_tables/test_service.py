"""What Dataverse asks is answered in OData's form; what cannot be answered is refused in words, never ignored."""

import itertools
import json
import xml.etree.ElementTree as ET
from decimal import Decimal
from typing import Any
from urllib.parse import quote, urlsplit
from uuid import uuid4

import pytest

from tests.contract.integration.virtual_tables.provider import ROOT, Provider
from tests.contract.integration.virtual_tables.stock import COUNT, enter

EDM = "{http://docs.oasis-open.org/odata/ns/edm}"


def first(provider: Provider) -> dict[str, Any]:
    return provider.rows("erpcustomers", {"$filter": "number eq 'C000'"})[0]


def test_the_forms_that_dataverse_was_seen_to_send(provider: Provider) -> None:
    page = provider.ask("erpcustomers", {"$top": "15", "$select": "erpcustomerid,name", "$count": "true"})
    body = json.loads(page.body)
    assert body["@odata.count"] == COUNT
    assert len(body["value"]) == 15
    assert set(body["value"][0]) == {"erpcustomerid", "name"}
    assert "@odata.nextLink" not in body, "the client pages with $top and $skip"
    rest = provider.rows("erpcustomers", {"$top": "250", "$skip": "15", "$select": "erpcustomerid,name"})
    keys = [row["erpcustomerid"] for row in body["value"] + rest]
    assert len(set(keys)) == COUNT, "no row is missing and none is there twice"
    one = json.loads(provider.ask(f"erpcustomers({keys[20]})", {"$select": "name"}).body)
    assert one == {"@odata.context": f"{ROOT}$metadata#erpcustomers(name)/$entity", "@odata.etag": one["@odata.etag"],
                   "name": rest[5]["name"]}  # fmt: skip
    assert page.headers["OData-Version"] == "4.0"
    assert page.media_type.startswith("application/json;odata.metadata=minimal")


def test_the_server_pages_where_the_client_does_not(provider: Provider) -> None:
    seen: list[str] = []
    url = f"{ROOT}erpcustomers?$select=number&$count=true&$orderby=city%20desc"
    while url:
        body = json.loads(provider.ask_url(url, prefer="odata.maxpagesize=7").body)
        assert len(body["value"]) <= 7
        assert body["@odata.count"] == COUNT
        seen += [row["number"] for row in body["value"]]
        url = body.get("@odata.nextLink", "")
    assert sorted(seen) == sorted(row["number"] for row in provider.customers)
    limited = json.loads(provider.ask_url(f"{ROOT}erpcustomers?$top=9", prefer="odata.maxpagesize=7").body)
    assert "$top=2" in limited["@odata.nextLink"]
    rest = json.loads(provider.ask_url(limited["@odata.nextLink"]).body)
    assert (len(rest["value"]), "@odata.nextLink" in rest) == (2, False)


def test_rows_that_come_and_go_between_pages_shift_no_other(changing_provider: Provider) -> None:
    """The next page begins behind the last number, so that one more row before it is not one row twice."""
    url = f"{ROOT}erpcustomers?$select=name,number&$count=true&$filter=contains(number,%27C0%27)"
    seen: list[str] = []
    counts: list[int] = []
    for newcomer in itertools.count():
        body = json.loads(changing_provider.ask_url(url, prefer="odata.maxpagesize=7").body)
        seen += [row["number"] for row in body["value"]]
        counts.append(body["@odata.count"])
        url = body.get("@odata.nextLink", "")
        if not url:
            break
        enter(changing_provider, changing_provider.customers[0] | {"number": f"C00{newcomer}A"})
    assert [it for it in seen if not it.endswith("A")] == [row["number"] for row in changing_provider.customers]
    assert len(seen) == len(set(seen))
    assert counts == list(range(COUNT, COUNT + len(counts))), "the count is that of all rows, not of those left"


@pytest.mark.parametrize("token", ["after-", "after-!", "after-_w", "after-QQ&$orderby=name", "-1", "x"])
def test_a_token_of_another_list_is_refused(provider: Provider, token: str) -> None:
    answer = provider.ask_url(f"{ROOT}erpcustomers?$skiptoken={token}")
    assert (answer.status, json.loads(answer.body)["error"]["code"]) == (400, "query-invalid")


@pytest.mark.parametrize("form", ["{}", "guid'{}'", "erpcustomerid={}", "'{}'"])
def test_a_row_by_its_key_however_it_is_written(provider: Provider, form: str) -> None:
    row = first(provider)
    answer = provider.ask(f"erpcustomers({form.format(row['erpcustomerid'].upper())})")
    assert json.loads(answer.body)["number"] == "C000"
    found = provider.rows("erpcustomers", {"$filter": f"erpcustomerid eq {row['erpcustomerid']}"})
    assert [it["number"] for it in found] == ["C000"]


def test_values_have_the_types_of_the_metadata(provider: Provider) -> None:
    root = ET.fromstring(provider.ask("$metadata").body)  # noqa: S314 -- our own answer
    types = {it.get("Name"): it.get("Type") for it in root.iter(f"{EDM}Property")}
    sets = {it.get("Name") for it in root.iter(f"{EDM}EntitySet")}
    document = json.loads(provider.ask("").body)
    assert {it["name"] for it in document["value"]} == sets == {"erpcustomers", "erporders", "erpproducts"}
    row = first(provider)
    assert types.keys() >= row.keys()
    assert types["erpcustomerid"] == "Edm.Guid"
    text = provider.ask(
        "erpcustomers", {"$filter": "number eq 'C000'"}, accept="application/json;IEEE754Compatible=true"
    )
    limit = json.loads(text.body)["value"][0]["creditlimit"]
    assert isinstance(limit, str)
    assert Decimal(limit) == row["creditlimit"]


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({"$expand": "orders"}, 501), ({"$apply": "aggregate(x)"}, 501), ({"$search": "x"}, 501),
        ({"$filter": "name has 'x'"}, 501), ({"$filter": "length(name) gt 5"}, 501),
        ({"$filter": "name eq city"}, 501), ({"$filter": "orders/any(o:o/id eq 1)"}, 501),
        ({"$filter": "Name eq 'x'"}, 400), ({"$filter": "name eq"}, 400), ({"$filter": "name eq 'x"}, 400),
        ({"$filter": "creditlimit gt 'x'"}, 400), ({"$filter": "erpcustomerid eq 5"}, 400), ({"$filter": ""}, 400),
        ({"$filter": "(" * 60 + "name eq 'x'" + ")" * 60}, 400), ({"$filter": "name gt null"}, 400),
        ({"$orderby": "Name"}, 400), ({"$orderby": "name up"}, 400), ({"$select": "NAME"}, 400), ({"$top": "-1"}, 400),
        ({"$top": "x"}, 400), ({"$skip": "99999999999"}, 400), ({"$count": "yes"}, 400), ({"foo": "1"}, 400),
        ({"$skip": "1", "$skiptoken": "1"}, 400),
    ],
)  # fmt: skip
def test_what_cannot_be_answered_is_refused(provider: Provider, options: dict[str, str], status: int) -> None:
    answer = provider.ask("erpcustomers", options)
    error = json.loads(answer.body)["error"]
    assert (answer.status, error["code"]) == (
        status, "query-not-supported" if status == 501 else "query-invalid",
    ), error  # fmt: skip
    assert "Reference: " in error["message"], "the trace log is all that an administrator sees"


def test_an_option_that_is_given_twice_is_refused(provider: Provider) -> None:
    assert provider.ask_url(f"{ROOT}erpcustomers?$top=1&$top=2").status == 400
    assert provider.ask_url(f"{ROOT}erpcustomers?$filter=%ff").status == 400


def test_addresses_that_are_not_there(provider: Provider) -> None:
    unknown = uuid4()
    for path in (
        "erpCustomers",
        f"erpcustomers({unknown})",
        "erpcustomers(5)",
        f"erpcustomers({unknown})/orders",
        "x/y",
    ):
        assert provider.ask(path).status == 404, path
    assert provider.ask("$batch", method="POST").status == 501
    assert provider.ask("erpcustomers", method="PATCH", body={}).status == 405
    assert provider.ask("erpcustomers", accept="application/atom+xml").status == 406


def test_a_filter_that_the_erp_cannot_answer_is_answered_here_or_refused(
    business_central_provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`or` across fields is not possible in Business Central."""
    wanted = {"$filter": "city eq 'Graz' or name eq 'Contoso Ltd'"}
    here = business_central_provider.rows("erpcustomers", wanted)
    assert here
    monkeypatch.setattr("integration.virtual_tables.reading.MOST_READ", 10)
    answer = business_central_provider.ask("erpcustomers", wanted)
    assert answer.status == 501
    assert "more than 10 rows" in json.loads(answer.body)["error"]["message"]
    narrowed = {"$filter": "(city eq 'Graz' or name eq 'Contoso Ltd') and number le 'C008'"}
    assert len(business_central_provider.rows("erpcustomers", narrowed)) <= 9


def test_an_erp_that_is_away_is_a_clear_503(provider: Provider) -> None:
    provider.subject.system.fault(f"GET {provider.subject.path}", status=503, times=20)
    try:
        answer = provider.ask("erpcustomers")
    finally:
        provider.subject.system.control("DELETE", "faults")
    assert answer.status == 503
    assert int(answer.headers["Retry-After"]) >= 1
    assert "not available" in json.loads(answer.body)["error"]["message"]


def test_readers_cannot_write(provider: Provider) -> None:
    key = first(provider)["erpcustomerid"]
    for method, path in (
        ("POST", "erpcustomers"),
        ("PATCH", f"erpcustomers({key})"),
        ("DELETE", f"erpcustomers({key})"),
    ):
        assert provider.error(path, method=method, body={"name": "x"}, may_write=False) == (403, "not-allowed")


def test_a_row_is_changed_with_its_etag(provider: Provider) -> None:
    row = provider.rows("erpcustomers", {"$filter": "number eq 'C039'"})[0]
    path = f"erpcustomers({row['erpcustomerid']})"
    etag = provider.ask(path).headers["ETag"]
    changed = provider.ask(path, method="PATCH", body={"phone": "+43 1"}, if_match=etag)
    assert (changed.status, changed.body) == (204, "")
    assert json.loads(provider.ask(path).body)["phone"] == "+43 1"
    assert provider.error(path, method="PATCH", body={"phone": "2"}, if_match=etag) == (412, "row-changed")
    back = provider.ask(path, method="PUT", body={"phone": None}, prefer="return=representation", if_match="*")
    assert (back.status, json.loads(back.body)["phone"]) == (200, None)


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{", {"name": "x" * 101}, {"name": None}, {"name": 5}, {"Name": "x"}, {"balance": 5}, {"number": "x"},
     {"creditlimit": "much"}],
)  # fmt: skip
def test_a_row_that_cannot_be_written_is_refused_in_words(business_central_provider: Provider, body: object) -> None:
    key = first(business_central_provider)["erpcustomerid"]
    refused = business_central_provider.error(f"erpcustomers({key})", method="PATCH", body=body)
    assert refused == (400, "row-invalid")


def test_a_creation_that_comes_again_finds_what_it_created(written_provider: Provider) -> None:
    """Dataverse asks again where the answer was lost; the key that it sends decides."""
    provider, key = written_provider, str(uuid4())
    made = provider.ask("erpcustomers", method="POST", body={"erpcustomerid": key, "name": "New Ltd"})
    again = provider.ask("erpcustomers", method="POST", body={"erpcustomerid": key, "name": "New Ltd"})
    assert (made.status, again.status) == (201, 201)
    assert json.loads(made.body)["number"] == json.loads(again.body)["number"]
    assert made.headers["Location"] == f"{ROOT}erpcustomers({json.loads(made.body)['erpcustomerid']})"
    found = provider.ask(urlsplit(made.headers["Location"]).path.rpartition("/")[2])
    assert json.loads(found.body)["name"] == "New Ltd"
    assert len(provider.rows("erpcustomers", {"$filter": "name eq 'New Ltd'"})) == 1
    assert provider.error("erpcustomers", method="DELETE") == (405, "not-allowed")
    assert provider.error(f"erpcustomers({json.loads(made.body)['erpcustomerid']})", method="DELETE")[0] == 405


def test_a_lost_answer_to_a_creation_is_found_out(written_provider: Provider) -> None:
    provider, key = written_provider, str(uuid4())
    provider.subject.system.fault("POST customers$", drop=True, after=True, times=1)
    made = provider.ask("erpcustomers", method="POST", body={"erpcustomerid": key, "name": "Lost Ltd"})
    assert made.status == 201, made.body
    assert len(provider.rows("erpcustomers", {"$filter": "name eq 'Lost Ltd'"})) == 1


def test_no_address_whatever_is_answered_with_a_defect_or_without_its_filter(provider: Provider) -> None:
    """Addresses that were cut, doubled and mixed up: 2xx, or an error in words."""
    words = ["$filter", "$top", "$select", "=", "&", "?", "'", "''", "(", ")", "eq", " ", "name", "C001", "guid'", "/",
             "%27", "%00", "%2F", "$count", "null", "-", "1e999", "é", "in", "not", "and", ",", "\\",
             "erpcustomers"]  # fmt: skip
    state = 12345
    for _ in range(400):
        parts = []
        for _ in range(9):
            state = (state * 1103515245 + 12345) % 2**31
            parts.append(words[state // 7 % len(words)])
        text = "".join(parts)
        for url in (f"{ROOT}{quote(text, safe='/$?=&()%')}", f"{ROOT}erpcustomers?$filter={quote(text)}"):
            answer = provider.ask_url(url)
            assert answer.status in {200, 400, 404, 501}, (url, answer.body)
            if answer.status == 200 and "$filter=" in url.partition("?")[2]:
                rows = json.loads(answer.body).get("value", [])
                assert len(rows) < COUNT or "ne" in text or "not" in text, url


def test_each_write_is_in_the_audit_with_what_was_there_before_and_after(written_provider: Provider) -> None:
    """Personal values as fingerprints; a row that has the values already is not written, and no entry is made."""
    provider = written_provider
    made = json.loads(provider.ask("erpcustomers", method="POST", body={"name": "Audited", "creditlimit": 5}).body)
    path = f"erpcustomers({made['erpcustomerid']})"
    for _ in range(2):
        provider.ask(path, method="PATCH", body={"creditlimit": 7.5, "phone": "+43 1"})
    changed, created = provider.audited()[:2]
    assert (created["what"], created["who"], created["table"]) == ("row-created", "dataverse", "erpcustomers")
    assert created["outcome"] == f"done: {made['erpcustomerid']}"
    assert (changed["what"], changed["outcome"]) == ("row-changed", "done")
    assert made["erpcustomerid"] in str(changed["why"])
    phone, limit = sorted(json.loads(str(changed["changes"])), key=lambda it: it["name"] == "creditlimit")
    assert limit == {"name": "creditlimit", "before": "5.0", "after": "7.5"}
    assert (phone["before"], len(phone["after"])) == (None, 12)
    assert "Audited" not in str(created["changes"])


def test_what_cannot_be_written_down_is_not_done(written_provider: Provider) -> None:
    provider = written_provider
    made = json.loads(provider.ask("erpcustomers", method="POST", body={"name": "Not changed"}).body)
    path = f"erpcustomers({made['erpcustomerid']})"
    audit = provider.ledger.table(next(name for name in provider.ledger._tables if name.startswith("audit")))
    audit.away = True
    try:
        away = provider.ask(path, method="PATCH", body={"creditlimit": 9})
    finally:
        audit.away = False
    assert (away.status, "Retry-After" in away.headers) == (503, True)
    assert json.loads(provider.ask(path).body)["creditlimit"] == 0


def test_a_write_that_the_erp_refuses_is_in_the_audit_too(written_provider: Provider) -> None:
    provider = written_provider
    made = json.loads(provider.ask("erpcustomers", method="POST", body={"name": "Refused"}).body)
    provider.subject.system.fault("PATCH customers", status=503, times=20)
    try:
        answer = provider.ask(f"erpcustomers({made['erpcustomerid']})", method="PATCH", body={"creditlimit": 9})
    finally:
        provider.subject.system.control("DELETE", "faults")
    assert answer.status == 503
    assert str(provider.audited()[0]["outcome"]).startswith("failed: ")
