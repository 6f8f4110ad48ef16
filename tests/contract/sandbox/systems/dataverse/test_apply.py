"""`$apply`: the examples of the documentation, and what is refused."""

import uuid
from typing import Any

import pytest

from tests.contract.sandbox.systems.dataverse_client import Dataverse

FORMATTED = "OData.Community.Display.V1.FormattedValue"


@pytest.fixture(scope="module")
def mark() -> str:
    return f"y{uuid.uuid4().hex[:8]}"


@pytest.fixture
def companies(application: Dataverse, mark: str) -> Dataverse:
    """Two active accounts of 10 and 20 employees, of whom the first has a primary contact, and an inactive one."""
    if not application.get(f"accounts?$filter=startswith(name,'{mark}')")["value"]:
        person = {"primarycontactid": {"firstname": "Ada", "lastname": mark}}
        for number, more in ((10, person), (20, {}), (None, {"statecode": 1})):
            application.create("accounts", {"name": mark, "numberofemployees": number, **more})
    return application


def applied(dataverse: Dataverse, mark: str, rest: str, **headers: str) -> Any:
    return dataverse.get(f"accounts?$apply=filter(name eq '{mark}')/{rest}", **headers)["value"]


def test_groups_are_counted(companies: Dataverse, mark: str) -> None:
    found = applied(companies, mark, "groupby((statuscode),aggregate($count as count))", Prefer=_ANNOTATED)
    named = [(row[f"statuscode@{FORMATTED}"], row["count"], row[f"count@{FORMATTED}"]) for row in found]
    assert sorted(named) == [("Active", 2, "2"), ("Inactive", 1, "1")]


def test_numbers_are_reckoned(companies: Dataverse, mark: str) -> None:
    terms = [f"numberofemployees with {name} as {name}" for name in ("sum", "average", "min", "max")]
    assert applied(companies, mark, f"aggregate({','.join(terms)})") == [
        {"sum": 30, "average": 15, "min": 10, "max": 20}
    ]


def test_distinct_values_come_without_those_that_are_missing(companies: Dataverse, mark: str) -> None:
    found = applied(companies, mark, "groupby((primarycontactid/fullname))")
    assert sorted(found, key=len) == [{}, {"contact_fullname": f"Ada {mark}"}]


def test_dates_have_a_first_and_a_last(companies: Dataverse, mark: str) -> None:
    (row,) = applied(companies, mark, "aggregate(createdon with min as first,createdon with max as last)")
    assert row["first"] <= row["last"]
    assert row["last"].endswith("Z")


_ANNOTATED = f'odata.include-annotations="{FORMATTED}"'


@pytest.mark.parametrize(
    ("expression", "status"),
    [
        ("nonsense(name)", 400),
        ("groupby((nonsense))", 400),
        ("groupby((createdon))", 400),
        ("groupby(name)", 400),
        ("groupby(())", 400),
        ("groupby((name),filter(name eq 'a'))", 400),
        ("aggregate(name with sum as total)", 400),
        ("aggregate(numberofemployees with sum)", 400),
        ("aggregate(numberofemployees with countdistinct as n)", 501),
        ("filter(nonsense eq 1)/aggregate($count as n)", 400),
        ("groupby((name))/groupby((fax))", 501),
        ("filter(name eq 'a')", 501),
        ("aggregate($count as n)&$top=1", 501),
    ],
)
def test_what_cannot_be_applied_is_refused(application: Dataverse, expression: str, status: int) -> None:
    assert application.call("GET", f"accounts?$apply={expression}").status_code == status


def test_only_entity_sets_are_aggregated(application: Dataverse) -> None:
    assert application.call("GET", "accounts/$count?$apply=aggregate($count as n)").status_code == 400
