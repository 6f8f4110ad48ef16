"""Our own writes end at the intake, and nobody else's do."""

import logging
from typing import Any

import pytest

from tests.unit.integration.events.support import OTHER_ROW, context, entity, pair
from tests.unit.integration.intake.support import UnderTest
from tests.unit.integration.intake.test_intake import logged

TAG = [pair("tag", "dataverse-integration")]
SCORED = {
    "new_creditscore": 700,
    "new_creditdecision": {"Value": 1},
    "new_creditscoredon": "/Date(1547259090000)/",
    "new_syncstatus": {"Value": 1},
    "new_syncedon": "/Date(1547259090000)/",
    "new_syncmessage": None,
}


def write(columns: dict[str, Any], table: str = "opportunity", **changed: Any) -> dict[str, Any]:
    """An update of a row, tagged as ours unless `changed` says otherwise."""
    return context(entity(table, **columns), **{"PrimaryEntityName": table, "SharedVariables": TAG, **changed})


def status_of(document: dict[str, Any]) -> str:
    under_test = UnderTest()
    status = under_test.webhook(document).status
    assert len(under_test.queue.envelopes) == len(under_test.ledger.events) == (0 if status == "own-write" else 1)
    return status


@pytest.mark.parametrize(
    ("columns", "table"),
    [
        (SCORED, "opportunity"),
        ({**SCORED, "opportunityid": "aaaaaaaa-0000-4000-8000-000000000001"}, "opportunity"),
        ({**SCORED, "modifiedon": "/Date(0)/", "modifiedby": None, "modifiedonbehalfby": None}, "opportunity"),
        ({**SCORED, "timezoneruleversionnumber": 0, "versionnumber": 5, "exchangerate": 1.5}, "opportunity"),
        ({"new_erpnumber": "C-1", "new_syncstatus": {"Value": 1}}, "account"),
        ({"new_syncstatus": {"Value": 2}, "new_syncmessage": "why"}, "contact"),
        ({}, "account"),
    ],
)
def test_a_tagged_update_of_result_columns_alone_is_ours(columns: dict[str, Any], table: str) -> None:
    """With the row's key and what the platform writes along; an update of nothing can have changed nothing."""
    assert status_of(write(columns, table)) == "own-write"


def test_the_tag_may_stand_in_the_outer_pipeline_of_the_same_operation() -> None:
    outer = write(SCORED, Stage=30)
    assert status_of(write(SCORED, SharedVariables=[], ParentContext=outer)) == "own-write"


@pytest.mark.parametrize("column", ["estimatedvalue", "statecode", "ownerid", "new_risk", "new_creditscore2"])
def test_a_column_that_somebody_adds_to_our_update_makes_it_an_event(column: str) -> None:
    """A partner's synchronous plug-in, or a workflow, takes part in our update under our tag."""
    assert status_of(write({**SCORED, column: None})) == "accepted"


def test_the_results_of_another_table_are_no_results_of_this_one() -> None:
    assert status_of(write({"new_creditscore": 1}, "account")) == "accepted"
    assert status_of(write({"new_syncstatus": {"Value": 1}}, "lead")) == "accepted"


@pytest.mark.parametrize("columns", [{"estimatedvalue": 300_000}, {"statecode": {"Value": 1}}, SCORED])
@pytest.mark.parametrize("depth", [1, 2, 8])
def test_neither_user_nor_depth_makes_a_change_ours(columns: dict[str, Any], depth: int) -> None:
    """What plug-ins and flows change because of our write runs as our user, nested: it is business like any other."""
    ours = "77777777-0000-4000-8000-000000000009"
    assert status_of(write(columns, SharedVariables=[], Depth=depth, InitiatingUserId=ours, UserId=ours)) == "accepted"


@pytest.mark.parametrize("columns", [SCORED, {"estimatedvalue": 1}])
def test_the_tag_of_what_caused_a_change_does_not_make_it_ours(columns: dict[str, Any]) -> None:
    """The nested change of the same row by the same message: only its depth is another."""
    ours = write(SCORED, Depth=1, Stage=30)
    nested = write(columns, SharedVariables=[], Depth=2, Stage=30, ParentContext=ours)
    assert status_of(write(columns, SharedVariables=[], Depth=2, ParentContext=nested)) == "accepted"
    assert status_of(write(columns, SharedVariables=[], Depth=2, ParentContext=ours)) == "accepted"


@pytest.mark.parametrize(
    "unknown",
    [
        {"InputParameters": None},
        {"InputParameters": []},
        {"InputParameters": [pair("Target", 5)]},
        {"InputParameters": [pair("Target", {**entity("opportunity"), "Attributes": [pair("new_creditscore", 1), 5]})]},
    ],
)
def test_a_tagged_update_whose_columns_are_not_known_is_an_event(unknown: dict[str, Any]) -> None:
    """A superfluous event costs one read; a lost one is lost."""
    assert status_of(write(SCORED, **unknown)) == "accepted"


@pytest.mark.parametrize("message", ["Create", "Delete", "Assign", "SetState", "Win"])
def test_only_updates_are_ours(message: str) -> None:
    """The app makes no other change."""
    assert status_of(write(SCORED, MessageName=message)) == "accepted"


def test_another_tag_is_somebody_elses() -> None:
    assert status_of(write(SCORED, SharedVariables=[pair("tag", "migration")])) == "accepted"
    assert status_of(write(SCORED, SharedVariables=[])) == "accepted"


def test_a_plug_in_that_sends_the_tag_of_its_operation_is_understood_the_same_way() -> None:
    body = {"EventName": "OpportunityUpdated", "RecordId": OTHER_ROW, "Timestamp": "2026-11-26T12:01:47Z"}
    under_test = UnderTest()

    def status(columns: list[str], **more: Any) -> str:
        return under_test.plugin_event({**body, "ChangedFields": columns, **more}).status

    assert status(["new_creditscore"], Tag="dataverse-integration") == "own-write"
    assert status(["new_creditscore", "estimatedvalue"], Tag="dataverse-integration") == "accepted"
    assert status([], Tag="dataverse-integration") == "accepted"
    assert status(["new_creditscore"]) == "accepted"


def test_an_own_write_leaves_a_trace(caplog: pytest.LogCaptureFixture) -> None:
    """Whoever misses a change finds which event was skipped, and by what columns."""
    caplog.set_level(logging.INFO)
    answer = UnderTest().webhook(write(SCORED))

    (line,) = logged(caplog, "own-write")
    assert (line["eventId"], line["table"]) == (answer.event_id, "opportunity")
    assert line["record"] == "aaaaaaaa-0000-4000-8000-000000000001"
    assert line["changed"] == list(SCORED)
