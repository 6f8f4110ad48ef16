"""An event that was sent inside a transaction says so, and what the row will show when it is committed."""

import json
from typing import Any

import pytest

from integration.events import Choice, IntegrationEvent, Wants, read_remote_execution_context
from tests.unit.integration.events.support import ACCEPTED, context, entity, pair, payload, read, reference
from tests.unit.integration.events.test_payloads import EXPECTED

SYNCHRONOUS = {"IsInTransaction": True, "Mode": 0, "Stage": 40}
DECISIVE = frozenset({"name", "statecode"})


def read_for(document: dict[str, Any], wants: Wants = Wants(decisive=DECISIVE)) -> IntegrationEvent:  # noqa: B008 -- frozen
    return read_remote_execution_context(
        json.dumps(document).encode(), headers={}, accepted_time=ACCEPTED, wants_of=lambda _table, _message: wants
    )


@pytest.mark.parametrize("name", EXPECTED)
def test_of_the_captures_the_synchronous_ones_are(name: str) -> None:
    assert read(payload(name)).uncommitted is ("sync_create" in name and "async" not in name)


@pytest.mark.parametrize(
    ("sent", "uncommitted"),
    [
        ({"IsInTransaction": True, "Stage": 40, "Mode": 0}, True),
        ({"IsInTransaction": False, "Stage": 10, "Mode": 0}, True),
        ({"IsInTransaction": True, "Stage": 20, "Mode": 0}, True),
        ({"IsInTransaction": True, "Stage": 30, "Mode": 0}, True),
        ({"IsInTransaction": False, "Stage": 40, "Mode": 0}, False),
        ({"IsInTransaction": False, "Stage": 40, "Mode": 1}, False),
        ({"IsInTransaction": None, "Stage": None}, False),
        ({}, False),
    ],
)
def test_transaction_and_stage_show_whether_it_is_committed(sent: dict[str, Any], uncommitted: bool) -> None:
    """Before the operation (10, 20, 30) the row is the old one whether a transaction is open or not."""
    assert read(context(**sent)).uncommitted is uncommitted


@pytest.mark.parametrize("message", ["Create", "Update"])
def test_it_carries_the_values_that_decide_and_no_others(message: str) -> None:
    event = read_for(
        context(entity(name="After", telephone1="5", statecode={"Value": 1}), MessageName=message, **SYNCHRONOUS)
    )

    assert event.expected == {"name": "After", "statecode": Choice(1)}
    assert event.values == {}


def test_what_set_state_sets_stands_in_its_parameters() -> None:
    moniker = [pair("EntityMoniker", reference()), pair("State", {"Value": 1}), pair("Status", {"Value": 2})]

    event = read_for(context(MessageName="SetState", InputParameters=moniker, **SYNCHRONOUS))

    assert event.expected == {"statecode": Choice(1)}


def test_a_committed_one_carries_none() -> None:
    assert read_for(context(entity(name="After"))).expected == {}


def test_a_value_that_decides_and_cannot_be_read_leaves_the_event_trimmed() -> None:
    """The worker cannot see by the values then whether the row shows the change, not even by the other ones."""
    for odd in ({"Value": None}, {"__type": "Novelty:x"}):
        event = read_for(context(entity(name="After", statecode=odd), **SYNCHRONOUS))

        assert (event.expected, event.unread, event.trimmed) == ({}, ("Target.statecode",), True)


def test_a_value_that_nobody_wants_is_not_even_looked_at() -> None:
    """However odd it is, the event is whole."""
    odd = entity(name="After", revenue={"__type": "Money:x", "Value": None}, until="/Date(253402300800000)/")

    for document in (context(odd), context(odd, **SYNCHRONOUS)):
        event = read_for(document)
        assert (event.unread, event.trimmed, event.changed_columns) == ((), False, ("name", "revenue", "until"))
