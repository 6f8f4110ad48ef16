"""Flows of custom APIs: what a declaration needs, and what the flow takes of a call."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from integration.dataverse.external import UPDATED
from integration.events import Choice, Lookup, Money
from integration.flow import Answer, Call, CustomApi, EventFlow, External, Kit
from tests.event_kit import EventKit

API = CustomApi("new_Told", parameters={"Number": "text", "Total": "amount", "At": "moment", "Kind": "whole"})


def test_an_event_is_known_by_one_of_the_parameters() -> None:
    with pytest.raises(ValueError, match="needs the key of its events"):
        EventFlow(API)
    with pytest.raises(ValueError, match="needs the key of its events"):
        EventFlow(API, key="Other")
    assert EventFlow(CustomApi("new_Told", parameters={}, repeat_key="RepeatKey")).key == "RepeatKey"


def test_a_parameter_has_a_kind_that_there_is() -> None:
    with pytest.raises(ValueError, match="parameters of the kind colour"):
        CustomApi("new_Told", parameters={"Number": "colour"})


def test_an_effect_gets_plain_values_and_nothing_that_is_not_declared() -> None:
    """Money without its wrapping, a choice as its number; a reference, which no kind of parameter is, is left out."""
    flow = EventFlow(API, key="Number")
    calls: list[tuple[Call, str, str]] = []

    @flow.effect("note", system="other")
    async def note(call: Call, kit: Kit, key: str) -> Answer:
        calls.append((call, kit.record_id, key))
        return {}

    at = datetime(2026, 11, 27, tzinfo=UTC)
    EventKit(flow).handle(Number="1", Total=Money(Decimal("2.5")), At=at, Kind=Choice(3), Other=Lookup("account", "x"))
    [(call, record, key)] = calls
    assert (call.key, record) == ("1", "1")
    assert call.parameters == {"Number": "1", "Total": Decimal("2.5"), "At": at, "Kind": 3}
    assert key.startswith("note:none:new_Told:1:")


def test_a_reference_in_place_of_the_key_is_a_dead_letter() -> None:
    outcome = EventKit(EventFlow(API, key="Number")).handle(Number=Lookup("account", "x"))
    assert (outcome.state, outcome.reason) == ("dead-lettered", "record-missing")


def test_a_payload_that_was_too_large_says_so() -> None:
    kit = EventKit(EventFlow(API, key="Number"))
    outcome = kit.handle(kit.event({}, trimmed=True))
    assert "too large to be sent whole" in str(outcome.detail)


def test_a_change_of_a_virtual_table_is_an_event_of_its_row() -> None:
    """Its columns are those of the row that was reported; the same state of a row has one effect."""
    flow = EventFlow(External("new_erpcustomer", UPDATED, {"new_balance": "amount", "new_name": "text"}))
    calls: list[Call] = []

    @flow.effect("dunning", system="other")
    async def dunning(call: Call, kit: Kit, key: str) -> Answer:
        calls.append(call)
        return {}

    kit = EventKit(flow)
    row = {"new_erpcustomerid": "k-1", "new_balance": Decimal(5), "new_other": "x"}
    for balance in (5, 5, 6):
        change = kit.event({}, record_id="k-1", values={**row, "new_balance": Decimal(balance)})
        assert (change.table, change.message) == ("new_erpcustomer", "OnExternalUpdated")
        kit.handle(change)
    assert [(it.key, it.parameters["new_balance"]) for it in calls] == [("k-1", 5), ("k-1", 6)]
    assert "new_other" not in calls[0].parameters
