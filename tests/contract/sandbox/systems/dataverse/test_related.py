"""Related rows: `$expand` with nested options, collections in paths and by `$ref`, lambda operators, deep insert."""

import uuid
from typing import Any

import pytest

from tests.contract.sandbox.systems.dataverse_client import Dataverse, Receiver, register_step, register_webhook


@pytest.fixture
def mark() -> str:
    return f"r{uuid.uuid4().hex[:8]}"


@pytest.fixture
def company(application: Dataverse, mark: str) -> str:
    """An account with three contacts A, B and C, and a task each for itself and for A."""
    body: dict[str, object] = {
        "name": mark,
        "contact_customer_accounts": [{"firstname": name, "lastname": mark} for name in "BCA"],
        "Account_Tasks": [{"subject": f"{mark} call"}],
    }
    account = application.create("accounts", body)
    (first,) = application.get(f"accounts({account})/contact_customer_accounts?$filter=firstname eq 'A'")["value"]
    bind = {"regardingobjectid_contact_task@odata.bind": f"contacts({first['contactid']})"}
    application.create("tasks", {"subject": f"{mark} visit", **bind})
    return account


def firsts(rows: list[dict[str, Any]]) -> str:
    return "".join(row["firstname"] for row in rows)


def test_a_collection_is_expanded_with_nested_options(application: Dataverse, company: str) -> None:
    options = "$select=firstname;$filter=firstname ne 'C';$orderby=firstname desc;$top=5"
    row = application.get(
        f"accounts({company})?$select=name&$expand=contact_customer_accounts({options}),Account_Tasks"
    )
    assert firsts(row["contact_customer_accounts"]) == "BA"
    assert row["@odata.context"].endswith(
        "#accounts(name,contact_customer_accounts(firstname),Account_Tasks())/$entity"
    )
    link = row["contact_customer_accounts@odata.nextLink"].removeprefix(application.root)
    assert firsts(application.get(link)["value"]) == "BA"
    assert len(row["Account_Tasks"]) == 1


def test_expansions_nest(application: Dataverse, company: str, mark: str) -> None:
    """With pages in the collections, as soon as an expansion is nested anywhere."""
    nested = "contact_customer_accounts($select=firstname;$expand=parentcustomerid_account($select=name),Contact_Tasks)"
    path = f"accounts?$select=name&$filter=name eq '{mark}'&$expand={nested}"
    (row,) = application.get(path)["value"]
    contacts = row["contact_customer_accounts"]
    assert {contact["parentcustomerid_account"]["name"] for contact in contacts} == {mark}
    assert [len(contact["Contact_Tasks"]) for contact in contacts if contact["firstname"] == "A"] == [1]
    (cut,) = application.get(path, Prefer="odata.maxpagesize=2")["value"]
    assert len(cut["contact_customer_accounts"]) == 2
    link = cut["contact_customer_accounts@odata.nextLink"].removeprefix(application.root)
    assert len(application.get(link, Prefer="odata.maxpagesize=2")["value"]) == 1


def test_an_expanded_lookup_can_be_a_reference(application: Dataverse, company: str) -> None:
    path = f"accounts({company})/contact_customer_accounts?$top=1&$expand=parentcustomerid_account/$ref"
    (row,) = application.get(path)["value"]
    assert row["parentcustomerid_account"] == {"@odata.id": f"{application.root}accounts({company})"}


@pytest.mark.parametrize(
    ("expand", "status"),
    [
        ("contact_customer_accounts($count=true)", 400),
        ("contact_customer_accounts($skip=1)", 400),
        ("contact_customer_accounts($select=nonsense)", 400),
        ("contact_customer_accounts($filter=nonsense eq 1)", 400),
        ("contact_customer_accounts($orderby=nonsense)", 400),
        ("contact_customer_accounts($top=0)", 400),
        ("contact_customer_accounts($select=firstname", 400),
        ("contact_customer_accounts/$ref", 400),
        ("contact_customer_accounts($top=1;$expand=Contact_Tasks)", 400),
        ("primarycontactid($top=1)", 400),
        ("primarycontactid($filter=firstname eq 'A')", 501),
        ("primarycontactid($expand=nonsense)", 400),
        ("nonsense", 400),
        ("createdby,createdby", 400),
        (f"{'parentaccountid($expand=' * 15}createdby{')' * 15}", 400),
    ],
)
def test_what_cannot_be_expanded_is_refused_whether_or_not_there_are_rows(
    application: Dataverse, expand: str, status: int
) -> None:
    for path in ("accounts?$top=1", "accounts?$filter=name eq 'nobody'"):
        assert application.call("GET", f"{path}&$expand={expand}").status_code == status


def test_a_collection_is_a_path(application: Dataverse, company: str, mark: str) -> None:
    path = f"accounts({company})/contact_customer_accounts"
    page = application.get(f"{path}?$select=firstname&$orderby=firstname&$count=true", Prefer="odata.maxpagesize=2")
    assert (firsts(page["value"]), page["@odata.count"]) == ("AB", 3)
    following = application.get(page["@odata.nextLink"].removeprefix(application.root), Prefer="odata.maxpagesize=2")
    assert firsts(following["value"]) == "C"
    assert application.call("GET", f"{path}/$count?$filter=firstname eq 'A'").text == "1"
    contact = page["value"][0]["contactid"]
    assert application.get(f"{path}({contact})?$select=lastname")["lastname"] == mark
    assert application.get(f"{path}({contact})/firstname")["value"] == "A"
    stranger = application.create("contacts", {"lastname": mark})
    assert application.call("GET", f"{path}({stranger})").status_code == 404


def test_references_associate_and_disassociate(application: Dataverse, receiver: Receiver, company: str) -> None:
    """The lookup on the other side changes, with its events."""
    register_step(application, register_webhook(application, receiver.url), "Update", "contact")
    contact = application.create("contacts", {"lastname": "New"})
    path = f"accounts({company})/contact_customer_accounts"
    added = application.call("POST", f"{path}/$ref", {"@odata.id": f"{application.root}contacts({contact})"})
    assert added.status_code == 204
    listed = [each["@odata.id"] for each in application.get(f"{path}/$ref")["value"]]
    assert f"{application.root}contacts({contact})" in listed
    assert application.call("DELETE", f"{path}({contact})/$ref").status_code == 204
    assert application.call("DELETE", f"{path}({contact})/$ref").status_code == 404
    uri = next(each for each in listed if contact not in each)
    assert application.call("DELETE", f"{path}/$ref?$id={uri}").status_code == 204
    assert application.call("GET", f"{path}/$count").text == "2"
    application.quiet()
    assert len(receiver.received) == 3


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("contact_customer_accounts/any(c:c/firstname eq 'A')", True),
        ("contact_customer_accounts/any(c:c/firstname eq 'Z')", False),
        ("contact_customer_accounts/all(c:c/lastname ne 'Z')", True),
        ("contact_customer_accounts/all(c:startswith(c/firstname,'A'))", False),
        ("contact_customer_accounts/any()", True),
        ("opportunity_customer_accounts/any()", False),
        (
            "contact_customer_accounts/any(c:c/Contact_Tasks/any(t:contains(t/subject,'visit') and t/statecode eq 0))",
            True,
        ),
        ("not contact_customer_accounts/any(c:c/firstname eq 'A')", False),
    ],
)
def test_lambda_operators(application: Dataverse, company: str, mark: str, condition: str, found: bool) -> None:
    rows = application.get(f"accounts?$select=name&$filter=name eq '{mark}' and {condition}")["value"]
    assert [row["accountid"] for row in rows] == ([company] if found else [])


@pytest.mark.parametrize(
    "wrong",
    [
        "nonsense/any(c:c/firstname eq 'A')",
        "contact_customer_accounts/any(c:firstname eq 'A')",
        "contact_customer_accounts/any(c:c/nonsense eq 'A')",
        "contact_customer_accounts/any(c/firstname eq 'A')",
        "contact_customer_accounts/all()",
        "contact_customer_accounts/firstname eq 'A'",
    ],
)
def test_wrong_lambda_operators_are_refused(application: Dataverse, wrong: str) -> None:
    assert application.call("GET", f"accounts?$filter={wrong}").status_code == 400


def test_rows_behind_lookups_are_created_with_a_row(application: Dataverse, mark: str) -> None:
    person = {"firstname": "A", "lastname": mark, "Contact_Tasks": [{"subject": mark}]}
    row_id = application.create("accounts", {"name": mark, "primarycontactid": person})
    expand = "primarycontactid($select=firstname;$expand=Contact_Tasks($select=subject))"
    row = application.get(f"accounts({row_id})?$select=name&$expand={expand}")
    assert (row["primarycontactid"]["firstname"], len(row["primarycontactid"]["Contact_Tasks"])) == ("A", 1)


def test_a_nested_row_that_cannot_be_leaves_nothing(application: Dataverse, mark: str) -> None:
    wrong_ones: list[dict[str, object]] = [
        {"contact_customer_accounts": [{"lastname": mark}, {"nonsense": 1}]},
        {"Account_Tasks": {}},
        {"primarycontactid": [1]},
        {"ownerid": {"fullname": mark}},
    ]
    for wrong in wrong_ones:
        assert application.call("POST", "accounts", {"name": mark, **wrong}).status_code == 400
    assert application.get(f"accounts?$filter=name eq '{mark}'")["value"] == []
    assert application.get(f"contacts?$filter=lastname eq '{mark}'")["value"] == []


def test_definitions_and_csdl_name_the_collections(application: Dataverse) -> None:
    found = application.get("EntityDefinitions(LogicalName='account')/OneToManyRelationships")["value"]
    names = {each["ReferencedEntityNavigationPropertyName"] for each in found}
    assert {"contact_customer_accounts", "opportunity_customer_accounts", "Account_Tasks"} <= names
    named = '<NavigationProperty Name="Account_Tasks" Type="Collection(mscrm.task)"'
    assert named in application.call("GET", "$metadata").text
