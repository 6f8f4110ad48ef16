"""What the context's reader takes from where, and what it refuses."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from integration.errors import Rejected
from integration.events import read_remote_execution_context
from tests.unit.integration.events.support import (
    ACCEPTED,
    OTHER_ROW,
    ROW,
    context,
    entity,
    pair,
    payload,
    read,
    reference,
)


def faults_of(changed: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(Rejected) as refused:
        read(changed)
    assert refused.value.status == 400
    return {fault.pointer: fault.detail for fault in refused.value.faults}


def test_changed_columns_of_an_update_leave_out_the_key_and_what_every_update_writes() -> None:
    """The key column is known by its value, so that activityid of an e-mail is found too."""
    columns: dict[str, Any] = {
        "subject": "Hello",
        "modifiedon": "/Date(0)/",
        "modifiedby": None,
        "modifiedonbehalfby": None,
    }
    event = read(context(entity("email", activityid=ROW.upper(), **columns), PrimaryEntityName="email"))

    assert event.changed_columns == ("subject",)
    assert set(event.values) == {"activityid", *columns}


def test_changed_columns_of_a_create_are_all_that_were_sent() -> None:
    event = read(context(entity(accountid=ROW, name="Contoso", modifiedon="/Date(0)/"), MessageName="Create"))

    assert event.changed_columns == ("accountid", "name", "modifiedon")


def test_guids_are_lower_case_without_braces() -> None:
    event = read(
        context(
            PrimaryEntityId="{" + ROW.upper() + "}",
            UserId="{" + OTHER_ROW.upper() + "}",
            InitiatingUserId="00000000-0000-0000-0000-000000000000",
        )
    )

    assert event.record_id == ROW
    assert event.user_id == OTHER_ROW
    assert event.initiating_user_id is None


def test_a_target_names_record_and_table_where_the_envelope_does_not() -> None:
    event = read(
        context(
            reference("contact", OTHER_ROW),
            MessageName="Associate",
            PrimaryEntityId="00000000-0000-0000-0000-000000000000",
            PrimaryEntityName="none",
        )
    )

    assert (event.table, event.record_id) == ("contact", OTHER_ROW)


def test_assign_has_the_assignee() -> None:
    target = [pair("Target", reference()), pair("Assignee", reference("team", OTHER_ROW))]

    event = read(context(MessageName="Assign", InputParameters=target))

    assert event.record_id == ROW
    assert event.changed_columns is None
    assert event.parameters.keys() == {"Assignee"}


@pytest.mark.parametrize(
    ("parameter", "column", "table"),
    [("OpportunityClose", "opportunityid", "opportunity"), ("QuoteClose", "quoteid", "quote")],
)
def test_a_closing_activity_names_the_record_it_closes(parameter: str, column: str, table: str) -> None:
    activity = entity(parameter.lower(), OTHER_ROW, **{column: reference(table)})

    event = read(
        context(
            MessageName="Win",
            PrimaryEntityId="00000000-0000-0000-0000-000000000000",
            PrimaryEntityName=table,
            InputParameters=[pair(parameter, activity)],
        )
    )

    assert (event.table, event.record_id) == (table, ROW)


def test_registered_images_of_one_side_are_merged() -> None:
    """Two images show one row at one moment: together they are what is known of it."""
    images = [pair("names", entity(name="Before")), pair("money", entity(revenue=None))]

    assert read(context(PreEntityImages=images)).pre_image == {"name": "Before", "revenue": None}


def test_images_that_are_not_of_the_record_are_left_out() -> None:
    """The platform's own image, the subordinate's in a Merge, and one that came without content."""
    images = [
        pair("AsynchronousStepPrimaryName", entity(name="Platform")),
        pair("subordinate", entity(row=OTHER_ROW, name="Other")),
        pair("empty", None),
    ]

    assert read(context(PostEntityImages=images)).post_image == {}


@pytest.mark.parametrize(
    ("changed", "headers"),
    [
        ({}, {"x_ms_dynamics_msg_size_exceeded": "anything"}),
        ({"InputParameters": None}, {}),
        ({"InputParameters": []}, {}),
        ({"InputParameters": [pair("parentExecutionId", ROW)]}, {}),
        ({"InputParameters": [pair("SuppressDuplicateDetection", value=True)], "MessageName": "Create"}, {}),
        ({"InputParameters": [], "MessageName": "Associate", "PrimaryEntityName": "none"}, {}),
        ({"InputParameters": [], "MessageName": "Delete"}, {}),
    ],
)
def test_an_event_is_trimmed(changed: dict[str, Any], headers: dict[str, str]) -> None:
    """The header says so, or what the message must have is not there."""
    assert read(context(**changed), repair_mojibake=False, **headers).trimmed is True


def test_an_event_without_input_parameters_is_trimmed() -> None:
    """The platform may remove the key altogether."""
    body = context()
    del body["InputParameters"]

    assert read(body).trimmed is True
    assert read(body).changed_columns is None


@pytest.mark.parametrize(
    "changed",
    [{}, {"InputParameters": [], "MessageName": "new_Ping", "PrimaryEntityName": "none", "PrimaryEntityId": None}],
)
def test_an_event_is_whole(changed: dict[str, Any]) -> None:
    """Also a custom API that has no parameters to begin with."""
    assert read(context(**changed)).trimmed is False


def test_the_correlation_id_comes_from_the_header_then_the_body_then_the_event() -> None:
    in_header = read(context(), x_ms_correlation_request_id="{AAAA0000-BB11-2222-33CC-444444DDDDDD}")
    in_body = read(context(), x_ms_correlation_request_id="two words / and a slash")
    made = read(context(CorrelationId=None))

    assert in_header.correlation_id == "aaaa0000-bb11-2222-33cc-444444dddddd"
    assert in_body.correlation_id == "cccccccc-0000-4000-8000-000000000003"
    assert made.correlation_id.replace("-", "") == made.event_id.partition("-")[2]


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", True),
        ("00-00000000000000000000000000000000-b7ad6b7169203331-01", False),
        ("00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01", False),
        ("ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", False),
        ("00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01", False),
        ("nonsense", False),
    ],
)
def test_trace_context_is_kept_where_it_is_valid(sent: str, kept: bool) -> None:
    assert read(context(), traceparent=sent).traceparent == (sent if kept else None)


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ("/Date(1525647913673)/", datetime(2018, 5, 6, 23, 5, 13, 673000, UTC)),
        ("/Date(1506409448000-0700)/", datetime(2017, 9, 26, 0, 4, 8, tzinfo=UTC)),
        ("/Date(1724647396000+0300)/", datetime(2024, 8, 26, 7, 43, 16, tzinfo=UTC)),
        ("2024-12-10T07:05:29.000Z", datetime(2024, 12, 10, 7, 5, 29, tzinfo=UTC)),
        ("2024-12-10T09:05:29.1234567+02:00", datetime(2024, 12, 10, 7, 5, 29, 123456, UTC)),
        ("2024-12-10T07:05:29", datetime(2024, 12, 10, 7, 5, 29, tzinfo=UTC)),
    ],
)
def test_the_operation_time(sent: str, meant: datetime) -> None:
    """The asynchronous service's offset is added: the two captures agree with their modifiedon only then."""
    event = read(context(OperationCreatedOn=sent))

    assert event.operation_time == meant
    assert event.event_id.startswith(f"{meant:%Y%m%d%H%M}-")


def test_everything_that_is_wrong_with_the_identity_is_reported_at_once() -> None:
    faults = faults_of({"MessageName": 5, "PrimaryEntityId": "five", "InputParameters": 5, "OperationId": []})

    assert faults.keys() == {
        "/MessageName",
        "/PrimaryEntityId",
        "/OrganizationId",
        "/OperationCreatedOn",
        "/OperationId",
    }


def test_odd_values_cost_themselves_and_never_the_event() -> None:
    """Dataverse sends only once more, and never after a 400: a column that nobody reads must not lose the change."""
    target = entity(
        ok=1,
        revenue={"__type": "Money:x", "Value": None},
        status={"__type": "OptionSetValue:x", "Value": None},
        until="/Date(253402300800000)/",
        huge=10**30,
        owner=reference("systemuser", "nobody"),
        parent={**reference(), "LogicalName": None},
    )

    event = read(context(target, PreEntityImages=[pair("PreImage", "none")]))

    assert event.values == {"ok": 1}
    assert event.changed_columns == ("ok", "revenue", "status", "until", "huge", "owner", "parent")
    assert event.unread == (
        "Target.revenue",
        "Target.status",
        "Target.until",
        "Target.huge",
        "Target.owner",
        "Target.parent",
        "PreEntityImages.PreImage",
    )
    assert event.trimmed is True


@pytest.mark.parametrize(
    ("changed", "unread"),
    [
        ({"OwningExtension": "step"}, ()),
        ({"UserId": "me", "InitiatingUserId": 5}, ("UserId", "InitiatingUserId")),
        ({"InputParameters": "Target"}, ("InputParameters",)),
        ({"InputParameters": ["Target"]}, ("InputParameters",)),
        ({"InputParameters": [pair("Target", 5)]}, ("Target",)),
        ({"InputParameters": [pair("Target", entity(name="x")), pair("Target", entity(name="y"))]}, ("Target",)),
        ({"InputParameters": [pair("Target", {**entity(name="x"), "Attributes": "name"})]}, ("Target",)),
        ({"InputParameters": [pair("Target", {**entity(name="x"), "Id": "none"})]}, ("Target",)),
        ({"InputParameters": [pair("Target", {**entity(name="x"), "LogicalName": "no table"})]}, ("Target",)),
        ({"PostEntityImages": 5}, ("PostEntityImages",)),
        ({"SharedVariables": 5}, ()),
        ({"ParentContext": []}, ()),
    ],
)
def test_what_does_not_identify_the_event_never_refuses_it(changed: dict[str, Any], unread: tuple[str, ...]) -> None:
    event = read(context(**changed))

    assert (event.record_id, event.unread, event.trimmed) == (ROW, unread, bool(unread))


@pytest.mark.parametrize(
    "attributes",
    [
        [pair("new_creditscore", 1), {"name": "estimatedvalue"}],
        [pair("new_creditscore", 1), "estimatedvalue"],
        [pair("new_creditscore", 1), pair("Estimated Value", 5)],
        [pair(f"c{number}", None) for number in range(2_001)],
    ],
)
def test_columns_whose_names_cannot_all_be_read_are_not_known(attributes: list[Any]) -> None:
    """Whoever asks what has changed must not get less than that."""
    event = read(context({**entity(), "Attributes": attributes}))

    assert (event.changed_columns, event.unread, event.trimmed) == (None, ("Target",), True)


def test_a_column_that_is_there_twice_is_known_and_its_value_is_not() -> None:
    event = read(context({**entity(), "Attributes": [pair("name", "A"), pair("name", "B")]}))

    assert (event.changed_columns, event.values, event.unread) == (("name",), {}, ("Target.name",))


def test_what_is_named_as_unread_stays_small() -> None:
    """Names of parameters are the sender's."""
    many = [pair("x" * 500 + str(number), {"__type": "Money:x"}) for number in range(50)]

    unread = read(context(MessageName="new_Check", InputParameters=many)).unread

    assert len(unread) <= 20
    assert max(map(len, unread)) <= 100


def test_a_custom_apis_own_parameter_called_target_is_a_parameter() -> None:
    for value in ("EU-West", 5, None, ["a"]):
        event = read(
            context(
                MessageName="new_Check",
                PrimaryEntityName="none",
                PrimaryEntityId=None,
                InputParameters=[pair("Target", value), pair("Size", 1)],
            )
        )

        assert event.unread == ()
        assert event.parameters.get("Target") == (tuple(value) if isinstance(value, list) else value)
        assert event.parameters["Size"] == 1


def in_capitals(node: Any) -> Any:
    """Pairs as Newtonsoft.Json writes them."""
    if isinstance(node, dict):
        renamed = {"key": "Key", "value": "Value"} if node.keys() == {"key", "value"} else {}
        return {renamed.get(name, name): in_capitals(value) for name, value in node.items()}
    return [in_capitals(item) for item in node] if isinstance(node, list) else node


def as_objects(node: Any) -> Any:
    """Pairs as System.Text.Json, or a person, writes them: the members of an object."""
    if isinstance(node, list) and node and all(isinstance(it, dict) and it.keys() == {"key", "value"} for it in node):
        return {pair["key"]: as_objects(pair["value"]) for pair in node}
    if isinstance(node, dict):
        return {name: as_objects(value) for name, value in node.items()}
    return [as_objects(item) for item in node] if isinstance(node, list) else node


@pytest.mark.parametrize("rewritten", [in_capitals, as_objects])
@pytest.mark.parametrize("name", ["webhook_async_update_account_2019", "webhook_sync_create_all_field_types"])
def test_pairs_are_read_however_they_were_serialised(rewritten: Any, name: str) -> None:
    document = json.loads(payload(name).decode("utf-8-sig"))
    document["SharedVariables"].append(pair("tag", "erp"))
    plain, again = read(document), read(rewritten(document))

    assert again.tag == "erp"
    assert again.unread == ()
    assert (again.changed_columns, again.values, again.pre_image, again.post_image) == (
        plain.changed_columns,
        plain.values,
        plain.pre_image,
        plain.post_image,
    )


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"OrganizationId": "00000000-0000-0000-0000-000000000000"}, "/OrganizationId"),
        ({"OperationId": None, "RequestId": None}, "/OperationId"),
        ({"PrimaryEntityId": None, "InputParameters": []}, "/PrimaryEntityId"),
        ({"PrimaryEntityName": "drop table"}, "/PrimaryEntityName"),
        ({"OperationCreatedOn": "/Date(99999999999999999)/"}, "/OperationCreatedOn"),
        ({"OperationCreatedOn": "2024-13-10T07:05:29Z"}, "/OperationCreatedOn"),
    ],
)
def test_what_cannot_be_an_event_is_refused(changed: dict[str, Any], pointer: str) -> None:
    assert pointer in faults_of(context(**changed))


def test_the_service_bus_size_property_is_understood_like_the_header() -> None:
    """Dataverse marks a trimmed message with it; property names come in lower case like headers."""
    assert read(context(), messagemaxsizeexceeded="true").trimmed is True


def test_text_stays_as_it_was_sent_where_repair_could_break_it() -> None:
    """Real text that looks encoded twice is only touched on request; what is no UTF-8 is never touched."""
    target = entity(real="Ã©tÃ©", other="Ærø €5")

    assert read(context(target)).values["real"] == "Ã©tÃ©"
    assert read(context(target), repair_mojibake=True).values == {"real": "été", "other": "Ærø €5"}


def test_a_capture_that_went_through_it_twice_is_mended() -> None:
    once = "€100".encode().decode("cp1252")
    twice = once.encode().decode("cp1252")

    assert read(context(entity(price=twice)), repair_mojibake=True).values["price"] == "€100"


def test_a_byte_order_mark_and_two_encodings_are_read() -> None:
    """Both were seen; the event is the same."""
    plain = payload("webhook_async_update_contact_msdocs")
    double = payload("constructed/webhook_body_double_encoded_string")

    assert read(b"\xef\xbb\xbf" + plain) == read(plain)
    assert read(double).event_id == read(plain).event_id


def test_text_is_left_as_it_is_unless_somebody_asks_for_its_repair() -> None:
    raw = json.dumps(context(entity(name="GrÃ¶Ã\x9fe"))).encode()

    event = read_remote_execution_context(raw, headers={}, accepted_time=ACCEPTED)
    assert event.values["name"] == "GrÃ¶Ã\x9fe"
