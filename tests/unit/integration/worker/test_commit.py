"""An event that was sent before its transaction was committed waits until the row shows what it announces."""

import dataclasses
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from integration.dataverse import Row
from integration.events import Choice, Choices, IntegrationEvent, Lookup, Money
from integration.events.values import Value
from integration.worker.commit import waits_for_commit
from tests.builders import event

LONGEST = timedelta(seconds=150)
RECORD = "11111111-2222-3333-4444-555555555555"
OTHER = "99999999-2222-3333-4444-555555555555"


def announced(message: str = "Update", *, uncommitted: bool = True, **more: Any) -> IntegrationEvent:
    return dataclasses.replace(event(), message=message, uncommitted=uncommitted, **more)


def row(**values: Any) -> Row:
    lookups = {"parentaccountid": Lookup("account", RECORD)} if "_parentaccountid_value" in values else {}
    return Row("opportunities", RECORD, values, 'W/"1"', 1, lookups)


def waits(it: IntegrationEvent, found: Row | None, *, age: float = 1.0) -> bool:
    return waits_for_commit(it, found, it.accepted_time + timedelta(seconds=age), LONGEST)


def test_nothing_waits_for_longer_than_a_transaction_lasts() -> None:
    """After that it was rolled back."""
    assert waits(announced(), row(), age=150)
    assert not waits(announced(), row(), age=150.1)


@pytest.mark.parametrize(
    ("message", "uncommitted", "age", "expected"),
    [
        ("Update", True, 100.0, True),
        ("Create", True, 100.0, True),
        ("Delete", True, 1.0, False),
        ("Create", False, 14.0, True),
        ("Create", False, 16.0, False),
        ("Update", False, 1.0, False),
    ],
)
def test_a_row_that_is_not_there_may_still_come(message: str, uncommitted: bool, age: float, expected: bool) -> None:
    """That of a Create without a transaction is at most a few seconds late; a deletion has come true already."""
    assert waits(announced(message, uncommitted=uncommitted), None, age=age) is expected


def test_what_was_sent_after_the_commit_does_not_wait_for_the_row() -> None:
    assert not waits(announced(uncommitted=False, expected={"name": "After"}), row(name="Before"))


def test_a_row_that_is_to_be_deleted_waits_until_it_is() -> None:
    assert waits(announced("Delete"), row())


@pytest.mark.parametrize(
    ("value", "before", "after"),
    [
        ("After", {"c": "Before"}, {"c": "After"}),
        (None, {"c": "Before"}, {"c": None}),
        (Choice(2), {"c": 1}, {"c": 2}),
        (Choices((1, 2)), {"c": "1"}, {"c": "1,2"}),
        (Money(Decimal("10.50")), {"c": Decimal(10)}, {"c": Decimal("10.5")}),
        (datetime(2026, 1, 1, 12, tzinfo=UTC), {"c": "2026-01-01T11:00:00Z"}, {"c": "2026-01-01T13:00:00+01:00"}),
        ("2026-01-01", {"c": "2026-01-02"}, {"c": "2026-01-01"}),
        ("2026-99-99 is a name", {"c": "another"}, {"c": "2026-99-99 is a name"}),
        ("2026-99-99 is a name", {"c": "2026-99-98 is a name"}, {"c": "2026-99-99 is a name"}),
        ("2026", {"c": "2027"}, {"c": "2026"}),
        (None, {"_c_value": OTHER}, {"_c_value": None}),
    ],
)
def test_a_row_waits_until_it_shows_the_values_that_decide(
    value: Value, before: dict[str, Any], after: dict[str, Any]
) -> None:
    """However Dataverse writes them."""
    it = announced(expected={"c": value})

    assert waits(it, row(**before))
    assert not waits(it, row(**after))


def test_a_row_that_shows_one_of_two_values_waits() -> None:
    it = announced(expected={"a": 1, "b": 2})

    assert waits(it, row(a=1, b=1))
    assert not waits(it, row(a=1, b=2))


def test_a_lookup_is_shown_by_the_id_it_points_to() -> None:
    """In capital letters or small ones; to another row, or to none, is not yet."""
    found = row(_parentaccountid_value=RECORD)

    assert not waits(announced(expected={"parentaccountid": Lookup("account", RECORD.upper())}), found)
    assert waits(announced(expected={"parentaccountid": Lookup("account", OTHER)}), found)
    assert waits(announced(expected={"ownerid": Lookup("systemuser", RECORD)}), found)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("After", {}),  # the column was not read
        (
            "a",
            {"_c_value": RECORD},
        ),  # a lookup that came as something else cannot be compared, and is not taken as null
    ],
)
def test_what_cannot_be_compared(value: Value, found: dict[str, Any]) -> None:
    assert waits(announced(expected={"c": value}), row(**found)) is ("_c_value" in found)


@pytest.mark.parametrize(
    ("changed", "trimmed", "expected"),
    [
        (("description",), False, False),
        (None, False, True),
        (("description",), True, True),
    ],
)
def test_without_values_that_decide_it_waits_only_where_nothing_is_known(
    changed: tuple[str, ...] | None, trimmed: bool, expected: bool
) -> None:
    """Where all that has changed is known and nothing of it decides, the row is good as it is."""
    assert waits(announced(changed_columns=changed, trimmed=trimmed), row()) is expected
