"""Every shape that an attribute value can have."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from integration.events import Choice, Choices, Lookup, Money, Rows
from tests.unit.integration.events.support import ROW, context, entity, pair, read, reference, value_of

XRM = "http://schemas.microsoft.com/xrm/2011/Contracts"


@pytest.mark.parametrize("declared", [True, False])
@pytest.mark.parametrize(
    ("kind", "raw", "meant"),
    [
        ("OptionSetValue", {"Value": 3}, Choice(3)),
        ("Money", {"Value": 12.5}, Money(Decimal("12.5"))),
        (
            "EntityReference",
            {"Id": ROW.upper(), "LogicalName": "account", "Name": "Contoso"},
            Lookup("account", ROW, "Contoso"),
        ),
        (
            "Entity",
            {"Attributes": [pair("name", "x")], "Id": ROW, "LogicalName": "account"},
            Rows("account", ({"name": "x"},), (ROW,)),
        ),
        (
            "EntityCollection",
            {"Entities": [{"Attributes": [pair("partyid", None)], "Id": None}], "EntityName": "activityparty"},
            Rows("activityparty", ({"partyid": None},), (None,)),
        ),
        ("Relationship", {"PrimaryEntityRole": None, "SchemaName": "account_contacts"}, "account_contacts"),
        (
            "BooleanManagedProperty",
            {"CanBeChanged": True, "ManagedPropertyLogicalName": "iscustomizable", "Value": False},
            False,
        ),
    ],
)
def test_a_kind_is_known_by_its_type_or_by_its_shape(
    declared: bool, kind: str, raw: dict[str, Any], meant: object
) -> None:
    """`__type` is missing where the slot's type is declared."""
    assert value_of({"__type": f"{kind}:{XRM}", **raw} if declared else raw) == meant


@pytest.mark.parametrize(
    ("kind", "inner", "meant"),
    [
        ("Guid:#System", "{" + ROW.upper() + "}", ROW),
        ("DateTime:#System", "/Date(1000)/", datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)),
        ("DateTime:#System", "1970-01-01T00:00:01Z", datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)),
        ("Double:#System", 1.5, Decimal("1.5")),
        ("Int32:#System", 7, 7),
        ("Boolean:#System", True, True),
    ],
)
def test_a_boxed_scalar_is_its_content(kind: str, inner: Any, meant: object) -> None:
    assert value_of({"__type": kind, "__value": inner}) == meant


def test_money_sent_as_a_whole_number_is_money() -> None:
    assert value_of({"__type": f"Money:{XRM}", "Value": 100}) == Money(Decimal(100))


def test_the_exact_digits_of_a_number_are_kept() -> None:
    """No float on the way: 0.1 + 0.2 stays what was sent, as does a trailing zero."""
    raw = json.dumps(context(entity(it="NUMBER"))).replace('"NUMBER"', "0.10000000000000000555111512312578270")

    assert str(read(raw.encode()).values["it"]) == "0.10000000000000000555111512312578270"


def test_lists() -> None:
    """Options are one multi-select value; references and text are arrays; an empty list is an empty array."""
    assert value_of([{"__type": f"OptionSetValue:{XRM}", "Value": 1}, {"Value": 2}]) == Choices((1, 2))
    assert value_of([reference(), reference("contact")]) == (Lookup("account", ROW), Lookup("contact", ROW))
    assert value_of(["a", None, 1]) == ("a", None, 1)
    assert value_of([]) == ()


@pytest.mark.parametrize(
    "raw",
    [
        {"__type": f"QueryExpression:{XRM}", "Criteria": {}, "EntityName": "account"},
        {"__type": "KeyValuePairOfstringstring:#System.Collections.Generic", "key": "lead", "value": "Update"},
        {"anything": "else"},
        {},
    ],
)
def test_kinds_that_nothing_needs_are_left_out(raw: dict[str, Any]) -> None:
    """A query or a kind of tomorrow costs its value, never the event; the column still counts as changed."""
    event = read(context(entity(it=raw)))

    assert event.values == {}
    assert event.changed_columns == ("it",)


def test_a_reference_to_nothing_is_null() -> None:
    assert value_of(reference(row="00000000-0000-0000-0000-000000000000")) is None


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ("/Date(-86400000)/", datetime(1969, 12, 31, tzinfo=UTC)),
        ("/Date(1721809601096+0200)/", datetime(2024, 7, 24, 8, 26, 41, 96000, UTC)),
        ("/Date(-62135596800000)/", datetime(1, 1, 1, tzinfo=UTC)),
        ("/Date(soon)/", "/Date(soon)/"),
        ("2024-07-24T08:26:41Z", "2024-07-24T08:26:41Z"),
    ],
)
def test_dates_of_columns(sent: str, meant: object) -> None:
    """Milliseconds are UTC and their offset only informs; text that looks like ISO 8601 is text in this style."""
    assert value_of(sent) == meant


def test_iso_dates_are_dates_where_the_document_writes_them_so() -> None:
    """OperationCreatedOn shows the style of the serialiser that wrote the whole document."""
    found = value_of("2024-07-24T08:26:41.096Z", OperationCreatedOn="2024-07-24T08:26:42Z")

    assert found == datetime(2024, 7, 24, 8, 26, 41, 96000, UTC)


def test_half_a_surrogate_pair_becomes_a_replacement_character() -> None:
    """.NET cuts text between the halves of an emoji; such text has no UTF-8, whole emoji have."""
    assert value_of("cut \ud83d") == "cut \ufffd"
    assert value_of("whole \U0001f600") == "whole \U0001f600"
