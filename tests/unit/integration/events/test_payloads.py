"""Payloads in tests/payloads are read and understood; the expectations were written by hand from the files."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import pytest

from integration.events import (
    Choice,
    Choices,
    Lookup,
    Money,
    Rows,
    Value,
    from_envelope,
    read_plugin_event,
    to_envelope,
)
from integration.events.body import parse_body
from tests.unit.integration.events.support import ACCEPTED, payload, read


def utc(moment: str) -> datetime:
    return datetime.fromisoformat(moment + "+00:00")


def names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


@dataclass(frozen=True)
class Expected:
    table: str
    message: str
    record_id: str | None
    changed: tuple[str, ...] | None
    user_id: str
    initiating_user_id: str
    operation_time: datetime
    organisation: str
    correlation_id: str
    trimmed: bool = False


CONTACT_UPDATE = Expected(
    "contact",
    "Update",
    "6d81597f-0f9f-e711-8122-000d3aa2331c",
    ("firstname", "fullname", "yomifullname"),
    "11bb11bb-cc22-dd33-ee44-55ff55ff55ff",
    "11bb11bb-cc22-dd33-ee44-55ff55ff55ff",
    utc("2017-09-26T00:04:08"),
    "00aa00aa-bb11-cc22-dd33-44ee44ee44ee",
    "aaaa0000-bb11-2222-33cc-444444dddddd",
)
STRIPPED = Expected(
    "account",
    "Update",
    "aaa19cdd-88df-e311-b8e5-6c3be5a8b200",
    None,
    "be403faf-2baf-4856-bbc7-ead86e179b4c",
    "be403faf-2baf-4856-bbc7-ead86e179b4c",
    utc("2019-01-12T02:11:30"),
    "a939603b-3dc7-46c5-a4c4-8406060c0af7",
    "d0103cd1-eb73-4c21-9841-217637786b1c",
    trimmed=True,
)


def on_lead_envelope(table: str, message: str, record_id: str) -> Expected:
    return Expected(
        table,
        message,
        record_id,
        None,
        "7174cfdf-98e4-4fb7-ada5-34c031b52c02",
        "593db65c-9747-e811-a94f-000d3a395ecc",
        utc("2018-05-29T22:41:43"),
        "e4afcea5-0944-4066-b839-a318fe3b4e55",
        "446885e9-2261-4413-b471-5bb2bd0fa72a",
    )


EXPECTED = {
    "async_update_customactivity_setstate_activityparty": Expected(
        "new_customactivity",
        "Update",
        "841579d9-7e63-ef11-9e4a-00155d0001ea",
        ("statecode", "statuscode"),
        "400075a6-19a2-49aa-8fa0-330ba2810540",
        "400075a6-19a2-49aa-8fa0-330ba2810540",
        utc("2024-08-26T07:43:16"),
        "e4032af2-cacf-4dd0-92aa-9036176934a5",
        "3860c444-0576-4d79-9877-b0ca8e4e9bd4",
    ),
    "plugin_async_customapi_all_parameter_types": Expected(
        "none",
        "devkit_DebugCustomApi",
        None,
        None,
        "b1977479-f590-ef11-8a69-000d3ac831e1",
        "b1977479-f590-ef11-8a69-000d3ac831e1",
        utc("2024-12-10T07:05:29"),
        "29c6e552-e16f-ef11-a66b-6045bd1e7d8b",
        "c31a0ebc-a565-4f85-b5ff-34e0742ddba7",
    ),
    "webhook_async_delete_lead": on_lead_envelope("lead", "Delete", "b9581547-2a60-e811-a952-000d3a391928"),
    "webhook_async_update_account_2019": Expected(
        "account",
        "Update",
        "aaa19cdd-88df-e311-b8e5-6c3be5a8b200",
        ("name",),
        "be403faf-2baf-4856-bbc7-ead86e179b4c",
        "be403faf-2baf-4856-bbc7-ead86e179b4c",
        utc("2019-01-12T02:11:30"),
        "a939603b-3dc7-46c5-a4c4-8406060c0af7",
        "d0103cd1-eb73-4c21-9841-217637786b1c",
    ),
    "webhook_async_update_contact_msdocs": CONTACT_UPDATE,
    "webhook_sync_create_account_mojibake_cp1252": Expected(
        "account",
        "Create",
        "53c52f26-a89d-ef11-8a69-000d3a30b0c1",
        names(
            "territorycode statecode address2_shippingmethodcode isprivate followemail donotbulkemail donotsendmm "
            "createdon businesstypecode donotpostalmail ownerid donotbulkpostalmail name new_name donotemail "
            "address2_addresstypecode donotphone transactioncurrencyid modifiedby statuscode modifiedonbehalfby "
            "preferredcontactmethodcode owningbusinessunit accountid createdby donotfax merged customersizecode "
            "marketingonly accountratingcode shippingmethodcode processid creditonhold modifiedon "
            "participatesinworkflow accountclassificationcode address2_freighttermscode exchangerate"
        ),
        "3570e963-e69c-ef11-8a6b-000d3a318589",
        "3570e963-e69c-ef11-8a6b-000d3a318589",
        utc("2024-11-08T08:05:06.922"),
        "f42a590d-a29d-ef11-8a66-6045bd056902",
        "7038a274-4877-4f3f-a57a-0f4493a647c6",
    ),
    "webhook_sync_create_all_field_types": Expected(
        "shko_allfields",
        "Create",
        "6420f0cc-916b-ee11-9ae6-000d3a688809",
        names(
            "timezoneruleversionnumber shko_integer shko_currency modifiedonbehalfby shko_datetime shko_decimal "
            "statecode statuscode shko_boolean owningbusinessunit shko_choice shko_string shko_name ownerid "
            "shko_choices modifiedon shko_allfieldsid modifiedby shko_lookup createdon createdby "
            "transactioncurrencyid exchangerate shko_currency_base"
        ),
        "c7877889-0f5f-ee11-8def-000d3adbef1f",
        "c7877889-0f5f-ee11-8def-000d3adbef1f",
        utc("2023-10-15T19:34:06.012"),
        "b015df52-a05f-ee11-a382-000d3a64db73",
        "b5940787-bdf1-4d42-89aa-671ba512a488",
    ),
    "webhook_sync_create_lead": Expected(
        "lead",
        "Create",
        "e837c9ec-8151-e811-a950-000d3a391928",
        names(
            "statecode isprivate leadid emailaddress1 fullname subject ownerid modifiedon description createdon "
            "owningbusinessunit modifiedby statuscode modifiedonbehalfby lastname new_salutation firstname "
            "yomifullname merged createdby owninguser"
        ),
        "593db65c-9747-e811-a94f-000d3a395ecc",
        "593db65c-9747-e811-a94f-000d3a395ecc",
        utc("2018-05-06T23:05:13.673"),
        "e4afcea5-0944-4066-b839-a318fe3b4e55",
        "9ffd9d79-cc7d-4b8c-bbc0-37e2375d3cac",
    ),
    "constructed/async_associate_systemuser_role": on_lead_envelope(
        "systemuser", "Associate", "11111111-1111-4111-8111-111111111111"
    ),
    "constructed/async_disassociate_systemuser_role": on_lead_envelope(
        "systemuser", "Disassociate", "11111111-1111-4111-8111-111111111111"
    ),
    "constructed/async_close_incident_no_target": on_lead_envelope(
        "incident", "Close", "44444444-4444-4444-8444-444444444444"
    ),
    "constructed/async_setstate_account": on_lead_envelope(
        "account", "SetState", "b9581547-2a60-e811-a952-000d3a391928"
    ),
    "constructed/async_update_with_booleanmanagedproperty": Expected(
        "contact",
        "Update",
        "6d81597f-0f9f-e711-8122-000d3aa2331c",
        ("firstname", "fullname", "yomifullname", "iscustomizable"),
        "11bb11bb-cc22-dd33-ee44-55ff55ff55ff",
        "11bb11bb-cc22-dd33-ee44-55ff55ff55ff",
        utc("2017-09-26T00:04:08"),
        "00aa00aa-bb11-cc22-dd33-44ee44ee44ee",
        "aaaa0000-bb11-2222-33cc-444444dddddd",
    ),
    "constructed/servicebus_json_update_contact": CONTACT_UPDATE,
    "constructed/webhook_async_customapi_customerpurchase": Expected(
        "none",
        "contoso_CustomerPurchase",
        None,
        None,
        "b1977479-f590-ef11-8a69-000d3ac831e1",
        "b1977479-f590-ef11-8a69-000d3ac831e1",
        utc("2024-12-10T06:45:29"),
        "29c6e552-e16f-ef11-a66b-6045bd1e7d8b",
        "c31a0ebc-a565-4f85-b5ff-34e0742ddba7",
    ),
    "constructed/webhook_async_update_account_stripped_absent": STRIPPED,
    "constructed/webhook_async_update_account_stripped_empty": STRIPPED,
    "constructed/webhook_body_double_encoded_string": CONTACT_UPDATE,
}


@pytest.mark.parametrize("name", EXPECTED)
def test_a_payload_is_read_as_what_happened(name: str) -> None:
    """Table, message, record, changed columns, users, times and ids are those in the file."""
    event, expected = read(payload(name)), EXPECTED[name]

    assert event.table == expected.table
    assert event.message == expected.message
    assert event.record_id == expected.record_id
    assert event.changed_columns == expected.changed
    assert event.user_id == expected.user_id
    assert event.initiating_user_id == expected.initiating_user_id
    assert event.operation_time == expected.operation_time
    assert event.accepted_time == ACCEPTED
    assert event.organisation == expected.organisation
    assert event.correlation_id == expected.correlation_id
    assert event.trimmed is expected.trimmed
    assert event.tag is None
    assert event.attempt == 1


@pytest.mark.parametrize("name", EXPECTED)
def test_a_payload_survives_the_envelope(name: str) -> None:
    """What the worker gets is what the intake read."""
    event = read(payload(name))

    assert from_envelope(to_envelope(event)) == event


def test_the_plug_in_payload() -> None:
    """Five fields become an event; table and message come from the settings."""
    event = read_plugin_event(
        parse_body(payload("constructed/plugin_opportunityupdated")),
        headers={},
        accepted_time=ACCEPTED,
        organisation="contoso",
        event_names={"OpportunityUpdated": ("opportunity", "Update")},
    )

    assert (event.table, event.message) == ("opportunity", "Update")
    assert event.record_id == "44444444-4444-4444-8444-444444444444"
    assert event.changed_columns == ("estimatedvalue", "statuscode")
    assert event.user_id == event.initiating_user_id == "11111111-1111-4111-8111-111111111111"
    assert event.operation_time == utc("2025-01-31T10:15:30")
    assert event.organisation == "contoso"
    assert event.values == {}


def test_every_column_type_of_a_capture() -> None:
    """Money, choice, choices, lookup, date, decimal, whole number, yes/no, text and null keep their meaning."""
    values = read(payload("webhook_sync_create_all_field_types")).values

    assert values["shko_currency"] == Money(Decimal(100))
    assert values["shko_choice"] == Choice(342490000)
    assert values["shko_choices"] == Choices((342490001, 342490002))
    assert values["shko_lookup"] == Lookup("systemuser", "c7877889-0f5f-ee11-8def-000d3adbef1f")
    assert values["shko_datetime"] == utc("2023-10-17T07:00:00")
    assert str(values["shko_decimal"]) == "10.12"
    assert values["shko_integer"] == 321
    assert values["shko_boolean"] is False
    assert values["shko_string"] == "This is a String"
    assert values["modifiedonbehalfby"] is None


def test_every_parameter_type_of_a_custom_api() -> None:
    """All thirteen types that a custom API's parameter can have."""
    parameters = read(payload("plugin_async_customapi_all_parameter_types")).parameters
    account = Lookup("account", "a4982849-096f-ef11-a670-6045bd21f435")
    row: dict[str, Value] = {
        "name": "ACCOUNT NAME",
        "datetime": utc("2024-12-10T07:05:21.124"),
        "entityreference": account,
        "guid": "f0ec8b1a-d127-4744-8bf3-b48cdfb794bf",
        "optionsets": Choices((1, 2)),
    }
    rows = Rows("account", (row,), ("98982849-096f-ef11-a670-6045bd21f435",))

    assert parameters == {
        "devkit_InputBoolean": True,
        "devkit_InputDateTime": utc("2024-12-10T07:05:21.125"),
        "devkit_InputDecimal": Decimal("1.23"),
        "devkit_InputEntity": rows,
        "devkit_InputEntityCollection": rows,
        "devkit_InputEntityReference": account,
        "devkit_InputFloat": Decimal("4.567"),
        "devkit_InputInteger": 999,
        "devkit_InputMoney": Money(Decimal("345.678")),
        "devkit_InputPicklist": Choice(2),
        "devkit_InputString": "ABCD",
        "devkit_InputStringArray": ("ABC", "DEF"),
        "devkit_InputGuid": "d0fa494a-eea8-4cef-8756-04f0961ac526",
    }


def test_parameters_of_messages_that_are_not_about_columns() -> None:
    """Associate names relationship and rows, SetState the new state, Close the closing activity."""
    associate = read(payload("constructed/async_associate_systemuser_role")).parameters
    set_state = read(payload("constructed/async_setstate_account")).parameters
    close = read(payload("constructed/async_close_incident_no_target")).parameters

    assert associate == {
        "Relationship": "systemuserroles_association",
        "RelatedEntities": (Lookup("role", "22222222-2222-4222-8222-222222222222"),),
    }
    assert set_state == {"State": Choice(1), "Status": Choice(2)}
    incident = Lookup("incident", "44444444-4444-4444-8444-444444444444")
    resolution = Rows("incidentresolution", ({"incidentid": incident, "subject": "Solved"},), (None,))
    assert close == {"IncidentResolution": resolution, "Status": Choice(5)}


def test_images_of_captures() -> None:
    """Registered images are there, the platform's AsynchronousStepPrimaryName is not."""
    activity = read(payload("async_update_customactivity_setstate_activityparty"))
    account = read(payload("webhook_async_update_account_2019"))
    contact = read(payload("webhook_async_update_contact_msdocs"))

    assert set(activity.pre_image) == {
        "statecode",
        "description",
        "from",
        "regardingobjectid",
        "statuscode",
        "subject",
        "to",
    }
    assert activity.post_image == {}
    senders = activity.pre_image["from"]
    assert isinstance(senders, Rows)
    assert senders.table == "activityparty"
    assert account.post_image["revenue"] == Money(Decimal("483000000.0"))
    assert account.post_image["ownerid"] == Lookup("systemuser", "be403faf-2baf-4856-bbc7-ead86e179b4c", "Jamie Bowman")
    assert contact.pre_image == contact.post_image == {}


def test_text_that_was_encoded_twice_is_mended_on_request() -> None:
    """The capture's Cyrillic and Latvian names come back; without the setting they stay as they were sent."""
    body = payload("webhook_sync_create_account_mojibake_cp1252")

    mended, left = read(body, repair_mojibake=True).values, read(body).values

    assert str(mended["name"]).startswith("АаБбВвГгДдЕеËëЖжЗзИиЙйКкЛлМмНнОоПпРрСсТт")
    assert mended["new_name"] == "ĢārūmžīmēščūļōšĶKĢĻČņ"
    assert str(left["name"]).startswith("Ð")
