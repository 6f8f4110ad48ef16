"""What is passed on to the ERP says the same there; the rest is done by the provider."""

from uuid import UUID

import pytest

from integration.virtual_tables.entity_set import ServedSet
from integration.virtual_tables.grammar import parse_filter
from integration.virtual_tables.keys import guid_of
from integration.virtual_tables.options import Sorting
from integration.virtual_tables.pushing import DIALECTS, Plan, plan
from integration.virtual_tables.sets.erp_customers import entity_set as customers
from integration.virtual_tables.sets.erp_orders import entity_set as orders

BC, FO = "business-central", "finance-operations"
KEY = "11111111-2222-4333-8444-555555555555"


def served(kind: str, name: str = "erpcustomers") -> ServedSet:
    found = {"erpcustomers": customers, "erporders": orders}[name].of(kind)
    assert found is not None
    return found


def planned(kind: str, text: str, name: str = "erpcustomers") -> Plan:
    there = served(kind, name)
    return plan(there, DIALECTS[kind], parse_filter(text, there.types), ())


@pytest.mark.parametrize(
    ("kind", "asked", "passed_on"),
    [
        (BC, "name eq 'O''Neill'", "displayName eq 'O''Neill'"),
        (BC, "name eq 'a' or name eq 'b'", "(displayName eq 'a' or displayName eq 'b')"),
        (BC, "contains(name,'a') and creditlimit ge 5", "contains(displayName,'a') and creditLimit ge 5"),
        (BC, "city eq null", "city eq ''"),
        (BC, "blocked eq null", "blocked eq '_x0020_'"),
        (BC, "blocked eq 'ship'", "blocked eq 'Ship'"),
        (BC, "city lt 'x'", "(city lt 'x' and city ne '')"),
        (BC, f"erpcustomerid eq {KEY}", f"id eq {KEY}"),
        (BC, "not (name eq 'a')", "displayName ne 'a'"),
        (BC, "name ne null", ""),
        (FO, "contains(name,'a')", "OrganizationName eq '*a*'"),
        (FO, "startswith(name,'a')", "OrganizationName eq 'a*'"),
        (FO, "not contains(city,'a')", "(AddressCity ne '*a*' and AddressCity ne '')"),
        (FO, "name eq 'a' or city eq 'b'", "(OrganizationName eq 'a' or AddressCity eq 'b')"),
        (FO, "blocked ne 'All'", "OnHoldStatus ne Microsoft.Dynamics.DataEntities.CustVendorBlocked'All'"),
        (FO, f"erpcustomerid eq {guid_of('US-001')}", "CustomerAccount eq 'US-001'"),
    ],
)
def test_tests_are_passed_on_in_the_words_of_the_erp(kind: str, asked: str, passed_on: str) -> None:
    made = planned(kind, asked)
    assert (made.filter, made.rest, made.never) == (passed_on, None, False)


@pytest.mark.parametrize(
    ("asked", "passed_on"),
    [
        ("orderdate ge 2026-11-01", "orderDate ge 2026-11-01"),
        ("orderdate gt 2026-11-01T10:00:00Z", "orderDate gt 2026-11-01"),
        ("orderdate ge 2026-11-01T10:00:00Z", "orderDate gt 2026-11-01"),
        ("orderdate lt 2026-11-01T10:00:00Z", "(orderDate le 2026-11-01 and orderDate ne 0001-01-01)"),
        ("orderdate eq 2026-11-01T00:00:00+01:00", None),
    ],
)
def test_a_date_there_is_its_first_moment_here(asked: str, passed_on: str | None) -> None:
    made = planned(BC, asked, "erporders")
    assert made.never if passed_on is None else made.filter == passed_on


@pytest.mark.parametrize(
    ("kind", "asked"),
    [
        (BC, "name eq 'a' or city eq 'b'"),
        (BC, "not contains(name,'a')"),
        (BC, "blocked gt 'a'"),
        (BC, "not (creditlimit lt 5)"),
        (FO, "name eq 'A*Star'"),
        (FO, "contains(name,'*')"),
        (FO, f"erpcustomerid eq {guid_of('x' * 25)}"),
    ],
)
def test_what_would_mean_something_else_there_is_done_here(kind: str, asked: str) -> None:
    made = planned(kind, asked)
    assert made.filter == ""
    assert made.rest is not None


@pytest.mark.parametrize(
    ("kind", "asked"), [(BC, "number eq null"), (BC, "blocked eq 'x'"), (FO, f"erpcustomerid eq {UUID(KEY)}")]
)
def test_what_no_row_can_be_is_not_asked_for(kind: str, asked: str) -> None:
    assert planned(kind, asked).never
    assert not planned(kind, f"{asked} or name eq 'a'").never


def test_the_order_always_ends_with_what_is_unique() -> None:
    there = served(BC)
    assert plan(there, DIALECTS[BC], None, ()).order == "number"
    assert plan(there, DIALECTS[BC], None, [Sorting("city", descending=True)]).order == "city desc,number"
    assert plan(there, DIALECTS[BC], None, [Sorting("number", descending=True)]).order == "number desc"
    by_word = plan(there, DIALECTS[BC], None, [Sorting("blocked")])
    assert (by_word.order, by_word.ordered) == ("number", False)
