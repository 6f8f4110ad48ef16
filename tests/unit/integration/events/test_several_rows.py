"""A message about several rows becomes an event for each of them, with an id of its own that stays the same."""

import json
from typing import Any

import pytest

from integration.errors import Rejected
from integration.events import IntegrationEvent, read_contexts
from integration.events.body import parse_body
from integration.events.data_contract_xml import parse_xml
from sandbox.systems.dataverse.context_xml import dumps_xml
from tests.unit.integration.events.support import ACCEPTED, OTHER_ROW, ROW, context, entity, pair, payload, reference

NO_ROW = "00000000-0000-0000-0000-000000000000"


def read(document: dict[str, Any], **headers: str) -> list[IntegrationEvent]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return read_contexts(document, headers=named, accepted_time=ACCEPTED)


def constructed(name: str) -> list[IntegrationEvent]:
    return read(parse_body(payload(f"constructed/{name}")))


def multiple(message: str, *rows: Any, **changed: Any) -> dict[str, Any]:
    """A step's message with these Targets."""
    return context(
        None,
        MessageName=message,
        PrimaryEntityId=NO_ROW,
        InputParameters=[pair("Targets", {"Entities": [*rows], "EntityName": "account"})],
        **changed,
    )


def without_type(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "__type"}


FIRST = without_type(entity(name="First", accountid=ROW))
SECOND = without_type(entity(row=OTHER_ROW, telephone1="1", accountid=OTHER_ROW))


def test_each_row_of_create_multiple_is_a_create() -> None:
    first, second = constructed("async_createmultiple_account")
    assert {first.message, second.message} == {"Create"}
    assert (first.changed_columns, second.changed_columns) == (("name", "revenue", "accountid"), ("name", "accountid"))
    assert first.session_id == "account:55555555-5555-4555-8555-555555555555"
    assert second.session_id == "account:66666666-6666-4666-8666-666666666666"
    assert (first.values["name"], first.trimmed, first.unread) == ("First", False, ())


def test_each_row_of_update_multiple_is_an_update() -> None:
    """With the columns that were sent for it, and the other parameters of the message."""
    first, second = constructed("async_updatemultiple_account")
    assert {first.message, second.message} == {"Update"}
    assert (first.changed_columns, second.changed_columns) == (("name",), ("telephone1",))
    assert first.parameters == second.parameters == {"SuppressDuplicateDetection": False}


@pytest.mark.parametrize(
    "targets", [{"Entities": [reference(), reference(row=OTHER_ROW)]}, [reference(), reference(row=OTHER_ROW)]]
)
def test_each_row_of_delete_multiple_is_a_delete(targets: Any) -> None:
    """As a collection of rows, or of references."""
    document = multiple("DeleteMultiple") | {"InputParameters": [pair("Targets", targets)]}
    assert [(it.message, it.record_id) for it in read(document)] == [("Delete", ROW), ("Delete", OTHER_ROW)]


def test_both_rows_of_a_merge_are_looked_at() -> None:
    """The one that is kept has new values; the other one is deactivated. Each has its own image."""
    kept, merged = constructed("async_merge_account")
    assert {kept.message, merged.message} == {"Merge"}
    assert kept.parameters["SubordinateId"] == merged.record_id
    assert (kept.post_image["name"], merged.post_image["name"]) == ("Kept", "Merged")
    assert kept.event_id != merged.event_id


def test_a_merge_that_does_not_say_with_which_row_is_an_event_of_the_row_that_is_kept() -> None:
    document = context(reference(), MessageName="Merge")
    assert [it.record_id for it in read(document)] == [ROW]


def test_a_boxed_subordinate_is_read() -> None:
    parameters = [pair("Target", reference()), pair("SubordinateId", {"__type": "Guid:#System", "__value": OTHER_ROW})]
    document = context(MessageName="Merge", InputParameters=parameters)
    assert [it.record_id for it in read(document)] == [ROW, OTHER_ROW]


def test_ids_are_stable_and_differ() -> None:
    """A redelivery has them again, in another order of keys and in another spelling."""
    document = multiple("UpdateMultiple", FIRST, SECOND)
    again = json.loads(
        json.dumps(dict(reversed(document.items()))).replace('"key"', '"Key"').replace('"value"', '"Value"')
    )
    first, second = read(document)
    assert [it.event_id for it in read(again)] == [first.event_id, second.event_id]
    assert first.event_id != second.event_id
    assert [it.event_id for it in read(multiple("UpdateMultiple", SECOND, FIRST))] == [second.event_id, first.event_id]


def test_synchronous_messages_of_one_request_differ_by_their_content() -> None:
    """They share all ids; the same row may be updated twice in one transaction."""
    same = {"OperationId": context()["RequestId"], "Mode": 0, "IsInTransaction": True}
    another = without_type(entity(name="Another", accountid=ROW))
    (first,), (second,) = (read(multiple("UpdateMultiple", row, **same)) for row in (FIRST, another))
    assert first.event_id != second.event_id
    assert first.uncommitted


def test_a_row_without_its_id_has_the_one_of_the_output() -> None:
    """The platform gives new rows their ids; they are in the output in any case."""
    new = FIRST | {"Id": NO_ROW}
    document = multiple("CreateMultiple", new, SECOND, OutputParameters=[pair("Ids", [ROW, OTHER_ROW])])
    assert [it.record_id for it in read(document)] == [ROW, OTHER_ROW]


def test_of_a_create_multiple_that_was_too_large_the_ids_are_left() -> None:
    """Dataverse leaves out the input and not the output; the rows are read again."""
    document = multiple("CreateMultiple", OutputParameters=[pair("Ids", [ROW, OTHER_ROW])])
    del document["InputParameters"]
    first, second = read(document, x_ms_dynamics_msg_size_exceeded="true")
    assert (first.record_id, first.trimmed, first.changed_columns, first.table) == (ROW, True, None, "account")
    assert second.record_id == OTHER_ROW


@pytest.mark.parametrize("parameters", [None, [], [pair("Targets", None)], [pair("Targets", {"Entities": []})]])
def test_an_update_multiple_without_its_rows_is_refused_and_says_what_to_register(parameters: Any) -> None:
    """Nothing else in the message says which rows it was."""
    document = multiple("UpdateMultiple") | {"InputParameters": parameters}
    with pytest.raises(Rejected, match="Register the step on Update,") as refused:
        read(document)
    assert refused.value.reason == "rows-unknown"


def test_a_row_that_nobody_can_name_refuses_the_message_with_its_place() -> None:
    with pytest.raises(Rejected) as refused:
        read(multiple("CreateMultiple", FIRST, FIRST | {"Id": "no id"}))
    assert [fault.pointer for fault in refused.value.faults] == ["/PrimaryEntityId"]


def test_the_tag_of_the_request_is_that_of_each_row() -> None:
    """It may be in the outer pipeline of the message."""
    outer = multiple("UpdateMultiple", FIRST, SharedVariables=[pair("tag", "ours")], Depth=1)
    document = multiple("UpdateMultiple", FIRST, SECOND, ParentContext=outer, Depth=1)
    assert [it.tag for it in read(document)] == ["ours", "ours"]
    assert [it.tag for it in read(multiple("UpdateMultiple", FIRST, SECOND))] == [None, None]


def test_xml_has_the_same_events() -> None:
    document = parse_body(payload("constructed/async_createmultiple_account"))
    assert read(parse_xml(dumps_xml(document).encode())) == read(document)


@pytest.mark.parametrize("message", [5, None, ["CreateMultiple"], {"a": 1}])
def test_a_message_without_a_name_is_refused_and_never_fails(message: Any) -> None:
    with pytest.raises(Rejected) as refused:
        read(context(MessageName=message))
    assert [fault.pointer for fault in refused.value.faults] == ["/MessageName"]


def test_other_messages_are_what_they_are() -> None:
    """A custom API may call its parameter Targets."""
    document = context(MessageName="new_Check", InputParameters=[pair("Targets", ["a", "b"])], PrimaryEntityId=NO_ROW)
    (event,) = read(document)
    assert (event.message, event.parameters["Targets"]) == ("new_Check", ("a", "b"))
