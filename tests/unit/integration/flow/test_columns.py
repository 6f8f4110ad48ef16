"""What each kind of column makes of the value that Dataverse gives, and what it asks for."""

import dataclasses
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from integration import flow as declare
from integration.dataverse.row import read_row
from integration.errors import Permanent
from integration.events import Lookup
from integration.flow import Columns, Flow, Money
from integration.flow.columns import expansion, selected

PARENT = "11111111-0000-4000-8000-000000000001"


class Parent(Columns):
    name = declare.text("name")


class Line(Columns):
    quantity = declare.number("quantity")
    amount = declare.money("extendedamount")


class Everything(Columns):
    """One column of each kind."""

    title = declare.text("title", default="(no title)")
    count = declare.whole("count")
    factor = declare.number("factor")
    vip = declare.yes_no("vip")
    rating = declare.choice("ratingcode", {1: "hot", 2: "cold"})
    state = declare.choice("statecode", {0: "open", 1: "closed"}, default="open")
    colours = declare.choices("colours", {1: "red", 2: "green", 3: "blue"})
    amount = declare.money("amount")
    currency = declare.currency()
    day = declare.date("day")
    day_there = declare.date("day_there", zone="Europe/Berlin")
    at = declare.moment("at")
    opens = declare.wall_clock("opens")
    parent = declare.lookup("parentid", to=("account",))
    parent_row = declare.expanded("parentid", Parent)
    lines = declare.lines("new_lines", Line)


def row(**content: Any) -> Everything:
    """A row of an answer with this content."""
    answer = {"@odata.context": "", "versionnumber": 7, **content}
    return Everything(dataclasses.replace(read_row("things", PARENT, answer), currency="EUR"))


def test_values_have_their_python_type() -> None:
    it = row(
        title="A",
        count=3,
        factor=Decimal("1.5"),
        vip=True,
        ratingcode=2,
        statecode=1,
        colours="3,1",
        amount=Decimal("100.0000"),
        day="2026-11-20",
        at="2026-11-20T09:30:00Z",
        opens="2026-11-20T08:00:00Z",
        _parentid_value=PARENT,
        **{"_parentid_value@Microsoft.Dynamics.CRM.lookuplogicalname": "account"},
    )
    assert (it.title, it.count, it.factor, it.vip) == ("A", 3, Decimal("1.5"), True)
    assert (it.rating, it.state, it.colours) == ("cold", "closed", ("red", "blue"))
    assert (it.amount, it.currency) == (Money(Decimal("100.00"), "EUR"), "EUR")
    assert (it.day, it.at) == (date(2026, 11, 20), datetime(2026, 11, 20, 9, 30, tzinfo=UTC))
    assert it.parent == Lookup("account", PARENT)
    assert (it.id, it.version) == (PARENT, 7)


def test_what_is_empty_is_none_or_its_default() -> None:
    it = row(title="", statecode=None)
    assert (it.title, it.state, it.colours, it.lines) == ("(no title)", "open", (), ())
    empty = (it.count, it.factor, it.vip, it.rating, it.amount, it.day, it.at, it.opens, it.parent, it.parent_row)
    assert set(empty) == {None}


@pytest.mark.parametrize("blank", ["   ", "\t\r\n", "\u00a0"])
def test_text_of_spaces_alone_is_empty(blank: str) -> None:
    """An ERP that is sent it as a name would refuse the customer."""
    assert row(title=blank).title == "(no title)"


def test_a_time_zone_independent_column_is_what_the_wall_clock_shows() -> None:
    """The Web API ends it with a Z, though it is not UTC (behaviour TimeZoneIndependent)."""
    assert row(opens="2026-11-20T08:00:00Z").opens == datetime(2026, 11, 20, 8)  # noqa: DTZ001 -- without a zone


def test_a_day_of_a_user_local_column_is_that_of_the_people_who_entered_it() -> None:
    """Midnight of Berlin is the evening before in UTC."""
    assert row(day_there="2026-11-19T23:00:00Z").day_there == date(2026, 11, 20)
    assert row(day_there="2026-11-20").day_there == date(2026, 11, 20)


@pytest.mark.parametrize("given", [{"ratingcode": 9}, {"statecode": 5}, {"colours": "1,9"}])
def test_an_option_without_a_word_is_a_dead_letter(given: dict[str, Any]) -> None:
    """Somebody has added an option: to guess what it means would send the wrong thing."""
    it = row(**given)
    with pytest.raises(Permanent, match="has no word") as raised:
        _ = (it.rating, it.state, it.colours)
    assert raised.value.reason == "choice-unmapped"


def test_rows_behind_navigation_properties_come_with_the_row() -> None:
    """The lines' amounts are in the currency of the row."""
    it = row(parentid={"name": "Contoso"}, new_lines=[{"quantity": 2, "extendedamount": 10}])
    assert it.parent_row is not None
    assert it.parent_row.name == "Contoso"
    assert [(line.quantity, line.amount) for line in it.lines] == [(Decimal(2), Money(Decimal("10.00"), "EUR"))]


def test_lines_that_dataverse_has_left_out_are_not_taken_for_none() -> None:
    with pytest.raises(Permanent, match="more rows"):
        _ = row(new_lines=[{"quantity": 2}], **{"new_lines@odata.nextLink": "https://..."}).lines


def test_what_is_asked_for_follows_from_the_columns() -> None:
    """`$select`, `$expand` and filtering attributes, each name once and lookups as the Web API writes them."""
    flow = Flow(Everything, table="thing", entity_set="things", also_fired_by=("ownerid",))
    assert "_parentid_value" in selected(Everything)
    assert "parentid" not in selected(Everything)
    assert expansion(Everything) == "parentid($select=name),new_lines($select=quantity,extendedamount)"
    assert {"parentid", "transactioncurrencyid", "statecode", "ownerid"} < set(flow.filtering_attributes)
    assert "new_lines" not in flow.filtering_attributes
    assert flow.with_currency


def test_a_computed_column_is_sent_for_what_it_is_made_of() -> None:
    class Person(Columns):
        name = declare.text("fullname").also_fired_by("firstname", "lastname")

    flow = Flow(Person, table="person", entity_set="people")
    assert flow.filtering_attributes == ("firstname", "lastname")
    assert selected(Person) == ("fullname",)


def test_a_table_without_amounts_is_not_asked_for_its_currency() -> None:
    """A table of yours may have no transactioncurrencyid: to select it would be refused."""

    class Plain(Columns):
        name = declare.text("name")

    assert not Flow(Plain, table="plain", entity_set="plains").with_currency


def test_slips_of_an_author_are_refused_when_the_file_is_loaded() -> None:
    with pytest.raises(TypeError, match="version has a meaning already"):
        type("Wrong", (Columns,), {"version": declare.text("new_version")})
    with pytest.raises(TypeError, match="currency of another row"):
        declare.expanded("parentid", Line)
    with pytest.raises(ValueError, match="writes number: declare it"):
        Flow(Parent, table="thing", entity_set="things").effect("e", system="s", writes={"number": "n"})
