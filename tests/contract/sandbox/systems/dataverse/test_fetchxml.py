"""FetchXML: columns, conditions, joins, order, pages, aggregates, and what is refused."""

import uuid
from typing import Any
from urllib.parse import quote, unquote
from xml.etree import ElementTree as ET

import pytest
import requests

from tests.contract.sandbox.systems.dataverse_client import Dataverse

CRM = "Microsoft.Dynamics.CRM."
COOKIE, MORE = f"@{CRM}fetchxmlpagingcookie", f"@{CRM}morerecords"
FORMATTED = "OData.Community.Display.V1.FormattedValue"
ALL = 'odata.include-annotations="*"'


@pytest.fixture(scope="module")
def mark() -> str:
    return f"x{uuid.uuid4().hex[:8]}"


@pytest.fixture
def companies(application: Dataverse, mark: str) -> Dataverse:
    """Accounts A (Berlin, 10 people, contacts Ada and Bob), B (Berlin, 20, Cem), C (Rom, nobody; A is its parent)."""
    where = f"startswith(name,'{mark}')"
    if not application.get(f"accounts?$filter={where}")["value"]:
        people = {"A": ("Ada", "Bob"), "B": ("Cem",), "C": ()}
        made: dict[str, str] = {}
        for letter, city, number in (("A", "Berlin", 10), ("B", "Berlin", 20), ("C", "Rom", None)):
            body: dict[str, object] = {
                "name": f"{mark} {letter}",
                "address1_city": city,
                "numberofemployees": number,
                "industrycode": 33 if letter == "A" else 7,
                "creditonhold": letter == "B",
                "revenue": 100,
                "contact_customer_accounts": [{"firstname": name, "lastname": mark} for name in people[letter]],
            }
            if letter == "C":
                body["parentaccountid@odata.bind"] = f"accounts({made['A']})"
            made[letter] = application.create("accounts", body)
    return application


def fetch(dataverse: Dataverse, xml: str, table_set: str = "accounts", **headers: str) -> requests.Response:
    return dataverse.call("GET", f"{table_set}?fetchXml={quote(xml, safe='')}", **headers)


def found(dataverse: Dataverse, xml: str, table_set: str = "accounts", **headers: str) -> Any:
    answer = fetch(dataverse, xml, table_set, **headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


def query(mark: str, inner: str = "", *, attributes: str = "<attribute name='name'/>", options: str = "") -> str:
    """A query of the accounts of this module, by name."""
    mine = f"<filter><condition attribute='name' operator='begins-with' value='{mark}'/></filter>"
    ordered = "<order attribute='name'/>"
    return f"<fetch {options}><entity name='account'>{attributes}{mine}{inner}{ordered}</entity></fetch>"


def letters(answer: Any) -> str:
    return "".join(row["name"][-1] for row in answer["value"])


def test_columns_without_a_value_are_left_out(companies: Dataverse, mark: str) -> None:
    """The primary key comes unasked, and the currency with an amount."""
    names = ("name", "numberofemployees", "parentaccountid", "revenue")
    attributes = "".join(f"<attribute name='{name}'/>" for name in names)
    answer = found(companies, query(mark, attributes=attributes))
    first, _, third = answer["value"]
    parts = "name,numberofemployees,_parentaccountid_value,revenue,accountid"
    assert answer["@odata.context"].endswith(f"$metadata#accounts({parts})")
    currency = "_transactioncurrencyid_value"
    assert set(first) == {"@odata.etag", "accountid", "name", "numberofemployees", "revenue", currency}
    assert third["_parentaccountid_value"] == first["accountid"]
    assert "numberofemployees" not in third
    everything = found(companies, query(mark, attributes=""))["value"][0]
    assert {"name", "createdon", "_ownerid_value", "statecode"} <= set(everything)
    assert "fax" not in everything


def test_aliases_and_annotations(companies: Dataverse, mark: str) -> None:
    attributes = "<attribute name='name'/><attribute name='industrycode' alias='branch'/>"
    row = found(companies, query(mark, attributes=attributes), Prefer=ALL)["value"][0]
    assert (row["branch"], row[f"branch@{FORMATTED}"]) == (33, "Wholesale")


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("attribute='numberofemployees' operator='eq' value='10'", "A"),
        ("attribute='numberofemployees' operator='ne' value='10'", "BC"),
        ("attribute='numberofemployees' operator='gt' value='10'", "B"),
        ("attribute='numberofemployees' operator='le' value='20'", "AB"),
        ("attribute='numberofemployees' operator='null'", "C"),
        ("attribute='numberofemployees' operator='not-null'", "AB"),
        ("attribute='address1_city' operator='eq' value='BERLIN'", "AB"),
        ("attribute='name' operator='like' value='%b'", "B"),
        ("attribute='name' operator='like' value='%[a-b]'", "AB"),
        ("attribute='name' operator='not-like' value='%b'", "AC"),
        ("attribute='name' operator='ends-with' value='C'", "C"),
        ("attribute='creditonhold' operator='eq' value='1'", "B"),
        ("attribute='industrycode' operator='eq' value='33'", "A"),
        ("attribute='ownerid' operator='eq-userid'", "ABC"),
        ("attribute='ownerid' operator='ne-userid'", ""),
        ("attribute='createdon' operator='today'", "ABC"),
        ("attribute='createdon' operator='last-x-days' value='2'", "ABC"),
        ("attribute='createdon' operator='olderthan-x-months' value='1'", ""),
        ("attribute='createdon' operator='on-or-after' value='2020-01-01'", "ABC"),
        ("attribute='createdon' operator='next-week'", ""),
        ("attribute='createdby' operator='eq' valueof='modifiedby'", "ABC"),
        ("attribute='createdon' operator='gt' valueof='modifiedon'", ""),
    ],
)
def test_conditions(companies: Dataverse, mark: str, condition: str, expected: str) -> None:
    assert letters(found(companies, query(mark, f"<filter><condition {condition}/></filter>"))) == expected


def test_lists_and_nested_filters(companies: Dataverse, mark: str) -> None:
    def values(operator: str, *listed: int) -> str:
        inner = "".join(f"<value>{each}</value>" for each in listed)
        return f"<condition attribute='numberofemployees' operator='{operator}'>{inner}</condition>"

    rom = "<condition attribute='address1_city' operator='eq' value='Rom'/>"
    either = f"<filter type='or'>{values('in', 20, 30)}<filter>{rom}{values('not-in', 1)}</filter>{rom}</filter>"
    assert letters(found(companies, query(mark, either))) == "BC"
    assert letters(found(companies, query(mark, f"<filter>{values('between', 5, 15)}</filter>"))) == "A"
    assert letters(found(companies, query(mark, f"<filter>{values('not-between', 5, 15)}</filter>"))) == "B"


def test_tables_are_joined_from_both_ends(companies: Dataverse, mark: str) -> None:
    """One row for each pair; outer joins keep rows without one."""
    people = (
        "<link-entity name='contact' from='parentcustomerid' to='accountid' alias='person' link-type='{}'>"
        "<attribute name='firstname'/><attribute name='parentcustomerid'/><order attribute='firstname'/></link-entity>"
    )
    inner = found(companies, query(mark, people.format("inner")))["value"]
    assert [row["person.firstname"] for row in inner] == ["Ada", "Bob", "Cem"]
    assert inner[0]["person.parentcustomerid"] == inner[0]["accountid"]
    outer = found(companies, query(mark, people.format("outer")))["value"]
    assert [row.get("person.firstname") for row in outer] == ["Ada", "Bob", "Cem", None]
    first = found(companies, query(mark, people.format("matchfirstrowusingcrossapply")))["value"]
    assert [row["name"][-1] for row in first] == ["A", "B", "C"]
    parent = (
        "<link-entity name='account' from='accountid' to='parentaccountid'><attribute name='name' alias='above'/>"
        "<filter><condition attribute='address1_city' operator='eq' value='Berlin'/></filter></link-entity>"
    )
    (child,) = found(companies, query(mark, parent))["value"]
    assert (child["name"], child["above"]) == (f"{mark} C", f"{mark} A")


def test_joins_nest_and_conditions_name_a_joined_table(companies: Dataverse, mark: str) -> None:
    nested = (
        "<link-entity name='account' from='accountid' to='parentaccountid' alias='up' link-type='outer'>"
        "<link-entity name='contact' from='parentcustomerid' to='accountid' alias='there' link-type='outer'>"
        "<attribute name='firstname'/></link-entity></link-entity>"
        "<filter><condition entityname='there' attribute='firstname' operator='eq' value='Bob'/></filter>"
    )
    (row,) = found(companies, query(mark, nested))["value"]
    assert (row["name"][-1], row["there.firstname"]) == ("C", "Bob")


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("any", "A"), ("not all", "A"), ("not any", "BC"), ("all", "B"), ("exists", "A"), ("in", "A")],
)
def test_joins_that_only_filter(companies: Dataverse, mark: str, kind: str, expected: str) -> None:
    bob = "<filter><condition attribute='firstname' operator='eq' value='Bob'/></filter>"
    link = f"<link-entity name='contact' from='parentcustomerid' to='accountid' link-type='{kind}'>{bob}</link-entity>"
    inner = link if kind in {"exists", "in"} else f"<filter>{link}</filter>"
    assert letters(found(companies, query(mark, inner))) == expected


def test_choices_are_ordered_by_their_labels(companies: Dataverse, mark: str) -> None:
    """Consulting comes before Wholesale, and 7 before 33; lookups are ordered by names."""
    mine = f"<filter><condition attribute='name' operator='begins-with' value='{mark}'/></filter>"
    for by, expected in (("industrycode", "BCA"), ("parentaccountid", "CAB"), ("numberofemployees", "BAC")):
        down = by != "industrycode"
        orders = f"<order attribute='{by}' descending='{str(down).lower()}'/><order attribute='name'/>"
        xml = f"<fetch><entity name='account'><attribute name='name'/>{mine}{orders}</entity></fetch>"
        assert letters(found(companies, xml)) == expected


def test_pages_follow_the_cookie(companies: Dataverse, mark: str) -> None:
    """The cookie stands for the last row: what comes in before it meanwhile does not repeat a row."""
    first = found(companies, query(mark, options="count='2' page='1'"), Prefer=ALL)
    assert (letters(first), first[MORE]) == ("AB", True)
    cookie = ET.fromstring(first[COOKIE])  # noqa: S314 -- our own document
    assert cookie.get("pagenumber") == "2"
    inner = unquote(unquote(cookie.get("pagingcookie") or ""))
    assert inner.startswith(f'<cookie page="1"><name last="{mark} b" first="{mark} a" /><accountid last="{{')
    early = companies.create("accounts", {"name": f"{mark} 0"})
    escaped = inner.replace("<", "&lt;").replace('"', "&quot;")
    last = found(companies, query(mark, options=f"count='2' page='2' paging-cookie='{escaped}'"), Prefer=ALL)
    companies.call("DELETE", f"accounts({early})")
    assert (letters(last), MORE in last, COOKIE in last) == ("C", False, False)
    assert letters(found(companies, query(mark, options="count='2' page='2'"))) == "C"
    assert letters(found(companies, query(mark, options="top='2'"))) == "AB"


def test_a_query_counts_its_rows(companies: Dataverse, mark: str) -> None:
    counted = found(companies, query(mark, options="count='1' returntotalrecordcount='true'"), Prefer=ALL)
    assert (counted["@odata.count"], counted[f"@{CRM}totalrecordcount"], len(counted["value"])) == (3, 3, 1)
    asked = companies.get(f"accounts?fetchXml={quote(query(mark), safe='')}&$count=true")
    assert asked["@odata.count"] == 3


def test_distinct_rows(companies: Dataverse, mark: str) -> None:
    mine = f"<filter><condition attribute='name' operator='begins-with' value='{mark}'/></filter>"
    xml = f"<fetch distinct='true'><entity name='account'><attribute name='address1_city'/>{mine}</entity></fetch>"
    assert sorted(row["address1_city"] for row in found(companies, xml)["value"]) == ["Berlin", "Rom"]


def test_aggregates(companies: Dataverse, mark: str) -> None:
    functions = ("count", "countcolumn", "sum", "avg", "min", "max")
    attributes = "".join(
        f"<attribute name='numberofemployees' alias='{name}' aggregate='{name}'/>" for name in functions
    )
    mine = f"<filter><condition attribute='name' operator='begins-with' value='{mark}'/></filter>"
    xml = f"<fetch aggregate='true'><entity name='account'>{attributes}{mine}</entity></fetch>"
    (row,) = found(companies, xml)["value"]
    assert row == {"count": 3, "countcolumn": 2, "sum": 30, "avg": 15, "min": 10, "max": 20}
    city = "<attribute name='address1_city' alias='city' groupby='true'/>"
    year = "<attribute name='createdon' alias='year' groupby='true' dategrouping='year'/>"
    number = "<attribute name='accountid' alias='number' aggregate='count'/>"
    order = "<order alias='number' descending='true'/>"
    xml = f"<fetch aggregate='true'><entity name='account'>{city}{year}{number}{mine}{order}</entity></fetch>"
    groups = found(companies, xml)["value"]
    assert [(each["city"], each["number"]) for each in groups] == [("Berlin", 2), ("Rom", 1)]
    assert all(each["year"] >= 2026 for each in groups)
    limited = xml.replace("aggregate='true'", "aggregate='true' aggregatelimit='2'", 1)
    assert fetch(companies, limited).json()["error"]["code"] == "0x8004E023"


E = "<entity name='account'>{}</entity>"
LINK = "<link-entity name='contact' from='parentcustomerid' to='accountid' {}>{}</link-entity>"
REFUSED = {
    "<fetch": 400,
    "<get/>": 400,
    "<fetch/>": 400,
    "<fetch><entity/></fetch>": 400,
    "<fetch><entity name='nothing'/></fetch>": 400,
    "<fetch><entity name='contact'/></fetch>": 400,
    f"<fetch nonsense='1'>{E.format('')}</fetch>": 400,
    f"<fetch datasource='retained'>{E.format('')}</fetch>": 501,
    f"<fetch top='0'>{E.format('')}</fetch>": 400,
    f"<fetch top='5' count='1'>{E.format('')}</fetch>": 400,
    f"<fetch top='5001'>{E.format('')}</fetch>": 400,
    f"<fetch page='x'>{E.format('')}</fetch>": 400,
    f"<fetch distinct='maybe'>{E.format('')}</fetch>": 400,
    f"<fetch paging-cookie='x'>{E.format('')}</fetch>": 400,
    f"<fetch paging-cookie='&lt;cookie/>'>{E.format('')}</fetch>": 400,
    f"<fetch aggregate='true'>{E.format('')}</fetch>": 400,
    **{
        f"<fetch>{E.format(inner)}</fetch>": status
        for inner, status in {
            "<attribute/>": 400,
            "<attribute name='nonsense'/>": 400,
            "<attribute name='name' aggregate='count'/>": 400,
            "<attribute name='accountid' rowaggregate='CountChildren'/>": 501,
            "<nonsense/>": 400,
            "<filter><nonsense/></filter>": 400,
            "<filter type='xor'/>": 400,
            "<filter><condition attribute='name' operator='nonsense' value='1'/></filter>": 400,
            "<filter><condition attribute='name' operator='eq'/></filter>": 400,
            "<filter><condition attribute='name' operator='null' value='1'/></filter>": 400,
            "<filter><condition attribute='name' operator='in'/></filter>": 400,
            "<filter><condition attribute='nonsense' operator='null'/></filter>": 400,
            "<filter><condition attribute='name' operator='today'/></filter>": 400,
            "<filter><condition attribute='numberofemployees' operator='eq' value='many'/></filter>": 400,
            "<filter><condition attribute='accountid' operator='under' value='1'/></filter>": 501,
            "<filter><condition attribute='createdon' operator='this-fiscal-year'/></filter>": 501,
            "<filter><condition entityname='nobody' attribute='name' operator='null'/></filter>": 400,
            "<order/>": 400,
            "<order attribute='nonsense'/>": 400,
            "<order alias='name'/>": 400,
            "<link-entity name='contact'/>": 501,
            LINK.format("link-type='any'", ""): 400,
            LINK.format("link-type='exists'", "<attribute name='firstname'/>"): 400,
            LINK.format("alias='account'", ""): 400,
            LINK.format("intersect='true'", ""): 501,
            LINK.format("", "") * 16: 400,
            "<link-entity name='nothing' from='a' to='accountid'/>": 400,
            "<link-entity name='contact' from='nonsense' to='accountid'/>": 400,
        }.items()
    },
    **{
        f"<fetch aggregate='true'>{E.format(inner)}</fetch>": status
        for inner, status in {
            "<attribute name='name' aggregate='count'/>": 400,
            "<attribute name='name' alias='n'/>": 400,
            "<attribute name='name' alias='n' aggregate='median'/>": 400,
            "<attribute name='name' alias='n' aggregate='sum'/>": 400,
            "<attribute name='createdon' alias='n' groupby='true' dategrouping='fiscal-year'/>": 501,
            "<attribute name='name' alias='n' groupby='true'/><order attribute='name'/>": 400,
            "<all-attributes/>": 400,
        }.items()
    },
}


@pytest.mark.parametrize("xml", REFUSED)
def test_what_is_not_simulated_is_refused(application: Dataverse, xml: str) -> None:
    answer = fetch(application, xml)
    assert answer.status_code == REFUSED[xml]
    assert answer.json()["error"]["code"].startswith("0x8")


@pytest.mark.parametrize(
    "path", ["accounts?$select=name&", "accounts({id})?", "accounts({id})/Account_Tasks?", "accounts/$count?"]
)
def test_fetchxml_stands_alone_and_on_entity_sets(companies: Dataverse, mark: str, path: str) -> None:
    row_id = found(companies, query(mark))["value"][0]["accountid"]
    address = f"{path.format(id=row_id)}fetchXml={quote(query(mark), safe='')}"
    assert companies.call("GET", address).status_code == 400


def test_long_queries_fit_into_an_address(companies: Dataverse, mark: str) -> None:
    """Dataverse takes addresses of 32 KB."""
    listed = "".join(f"<value>{number}</value>" for number in range(900))
    inner = f"<filter><condition attribute='numberofemployees' operator='in'>{listed}</condition></filter>"
    assert letters(found(companies, query(mark, inner))) == "AB"
