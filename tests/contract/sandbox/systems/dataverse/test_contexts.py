"""Published contexts have the shape of those captured from real environments (tests/payloads)."""

import json
import re
from typing import Any

from sandbox.repository import PAYLOADS
from tests.contract.sandbox.systems.dataverse_client import (
    Dataverse,
    Receiver,
    register_image,
    register_step,
)

FABRIKAM = "a0000000-0000-4000-8000-000000000001"
EUR = "c0000000-0000-4000-8000-000000000001"
CREATED_LATER = {
    "InitiatingUserAgent",
    "InitiatingUserAzureActiveDirectoryObjectId",
    "UserAzureActiveDirectoryObjectId",
}


def captured(name: str) -> dict[str, Any]:
    context: dict[str, Any] = json.loads((PAYLOADS / f"{name}.json").read_text("utf-8-sig"))
    return context


def published(dataverse: Dataverse, receiver: Receiver) -> dict[str, Any]:
    dataverse.quiet()
    (context,) = receiver.contexts()
    return context


def value(pairs: list[dict[str, Any]], key: str) -> Any:
    return next(pair["value"] for pair in pairs if pair["key"] == key)


def kinds(attributes: list[dict[str, Any]]) -> dict[str, str]:
    """Column -> what its value is."""
    return {pair["key"]: kind(pair["value"]) for pair in attributes}


def kind(one: Any) -> str:
    if isinstance(one, dict):
        return f"{one['__type'].partition(':')[0]} with {sorted(one)}"
    if isinstance(one, str) and one.startswith("/Date("):
        return re.sub(r"\d+", "n", one)
    return type(one).__name__


def same_frame(ours: dict[str, Any], real: dict[str, Any]) -> None:
    """Same keys in the same order, same types; real contexts of older years lack the newest keys."""
    known = [key for key in ours if key in real or key not in CREATED_LATER]
    assert known == [key for key in real if key != "Unknown"]
    simple = [key for key in known if key not in {"InputParameters", "SharedVariables", "ParentContext"}]
    assert {key: type(ours[key]) for key in simple} == {key: type(real[key]) for key in simple}
    same = (
        "IsExecutingOffline",
        "IsInTransaction",
        "IsOfflinePlayback",
        "IsolationMode",
        "MessageName",
        "Mode",
        "Depth",
    )
    for key in (*same, "Stage", "SecondaryEntityName"):
        assert ours[key] == real[key], key
    digits = (re.sub(r"\d{13}", "n", each["OperationCreatedOn"]) for each in (ours, real))
    assert len(set(digits)) == 1
    assert list(ours["OwningExtension"]) == list(real["OwningExtension"])
    assert (ours["OwningExtension"]["Name"] is None) == (real["OwningExtension"]["Name"] is None)
    assert (ours["OperationId"] == ours["RequestId"]) == (real["OperationId"] == real["RequestId"])


def same_entity(ours: dict[str, Any], real: dict[str, Any]) -> None:
    """Same keys, and columns that both have are written alike."""
    assert list(ours) == list(real)
    ours_kinds, real_kinds = kinds(ours["Attributes"]), kinds(real["Attributes"])
    both = {name for name in ours_kinds.keys() & real_kinds.keys() if real_kinds[name] != "NoneType"}
    assert both
    assert {name: ours_kinds[name] for name in both} == {name: real_kinds[name] for name in both}


def test_an_asynchronous_update(application: Dataverse, receiver: Receiver, endpoint: str) -> None:
    """Target holds what was sent, and who and when; images and parent are as captured."""
    step = register_step(application, endpoint, "Update", "account")
    columns = "name,revenue,statecode,createdon,ownerid,primarycontactid,numberofemployees,donotemail,accountid"
    register_image(application, step, 1, columns)
    amounts = {
        "revenue": 483000000,
        "numberofemployees": 6100,
        "transactioncurrencyid@odata.bind": f"/transactioncurrencies({EUR})",
    }
    application.update(f"accounts({FABRIKAM})", amounts)
    application.quiet()
    receiver.received.clear()
    application.update(f"accounts({FABRIKAM})", {"name": "Fabrikam GmbH"})
    ours, real = published(application, receiver), captured("webhook_async_update_account_2019")

    same_frame(ours, real)
    same_frame(ours["ParentContext"], real["ParentContext"])
    target, real_target = value(ours["InputParameters"], "Target"), value(real["InputParameters"], "Target")
    same_entity(target, real_target)
    assert [pair["key"] for pair in target["Attributes"]] == [pair["key"] for pair in real_target["Attributes"]]
    assert target["FormattedValues"] == []
    parent_target = value(ours["ParentContext"]["InputParameters"], "Target")
    assert [pair["key"] for pair in parent_target["Attributes"]] == ["name", "accountid"]
    same_entity(value(ours["PostEntityImages"], "PostImage"), value(real["PostEntityImages"], "PostImage"))
    name = value(ours["PostEntityImages"], "AsynchronousStepPrimaryName")
    assert kinds(name["Attributes"]) == {"name": "str", "accountid": "str"}
    same_entity(name, value(real["PostEntityImages"], "AsynchronousStepPrimaryName"))


def test_a_synchronous_create(application: Dataverse, receiver: Receiver, endpoint: str) -> None:
    register_step(application, endpoint, "Create", "lead", mode=0)
    body = {"description": None, "emailaddress1": "test@example.com", "firstname": "Max", "lastname": "Mustermann"}
    row_id = application.create("leads", {**body, "subject": "Hello there!"})
    ours, real = published(application, receiver), captured("webhook_sync_create_lead")
    same_frame(ours, real)
    same_frame(ours["ParentContext"], real["ParentContext"])
    assert ours["OutputParameters"] == [{"key": "id", "value": row_id}]
    assert ours["ParentContext"]["OwningExtension"]["Name"] == "ObjectModel Implementation"
    target, real_target = value(ours["InputParameters"], "Target"), value(real["InputParameters"], "Target")
    same_entity(target, real_target)
    expected = set(kinds(real_target["Attributes"])) - {"isprivate", "merged", "new_salutation", "yomifullname"}
    assert expected <= set(kinds(target["Attributes"])), "what the platform adds is there"
    formatted = {pair["key"]: pair["value"] for pair in target["FormattedValues"]}
    assert (formatted["statecode"], formatted["statuscode"], formatted["ownerid"]) == ("Open", "New", None)
    assert formatted["createdon"].endswith("+00:00")
    assert value(ours["SharedVariables"], "DefaultsAddedFlag") is True


def test_an_asynchronous_delete(application: Dataverse, receiver: Receiver, endpoint: str) -> None:
    step = register_step(application, endpoint, "Delete", "lead")
    register_image(application, step, 0, "subject,emailaddress1")
    row_id = application.create("leads", {"subject": "Gone", "lastname": "Mustermann"})
    application.call("DELETE", f"leads({row_id})")
    ours, real = published(application, receiver), captured("webhook_async_delete_lead")
    same_frame(ours, real)
    target = value(ours["InputParameters"], "Target")
    assert list(target) == list(value(real["InputParameters"], "Target"))
    assert (target["Id"], target["LogicalName"]) == (row_id, "lead")
    assert ours["PostEntityImages"] == []
    image = value(ours["PreEntityImages"], "PreImage")
    assert kinds(image["Attributes"]) == {"subject": "str", "leadid": "str"}, "nulls are left out of images"
    name = value(ours["PreEntityImages"], "AsynchronousStepPrimaryName")
    same_entity(name, value(real["PreEntityImages"], "AsynchronousStepPrimaryName"))


def test_values_of_all_kinds(application: Dataverse, receiver: Receiver, endpoint: str) -> None:
    """Money, choices, lookups, dates and numbers are written as the capture of all field types has them."""
    register_step(application, endpoint, "Create", "opportunity")
    application.create(
        "opportunities",
        {
            "name": "All",
            "estimatedvalue": 100,
            "closeprobability": 32,
            "estimatedclosedate": "2026-12-31",
            "transactioncurrencyid@odata.bind": f"/transactioncurrencies({EUR})",
            "customerid_account@odata.bind": f"/accounts({FABRIKAM})",
        },
    )
    ours = kinds(value(published(application, receiver)["InputParameters"], "Target")["Attributes"])
    context = captured("webhook_sync_create_all_field_types")
    real = kinds(value(context["InputParameters"], "Target")["Attributes"])
    assert ours["estimatedvalue"] == ours["estimatedvalue_base"] == real["shko_currency"]
    assert ours["opportunityratingcode"] == ours["statuscode"] == real["shko_choice"]
    assert ours["customerid"] == ours["transactioncurrencyid"] == real["shko_lookup"]
    assert ours["estimatedclosedate"] == ours["createdon"] == real["shko_datetime"]
    assert ours["closeprobability"] == real["shko_integer"]


def test_bytes_are_written_as_dot_net_writes_them(application: Dataverse, receiver: Receiver, endpoint: str) -> None:
    """Compact, `/` and control characters escaped, everything else as UTF-8."""
    register_step(application, endpoint, "Update", "account")
    application.update(f"accounts({FABRIKAM})", {"description": 'a/b\nc\\n "q" ü€'})
    application.quiet()
    body = receiver.received[0][2]
    assert '"value":"a\\/b\\u000ac\\\\n \\"q\\" ü€"'.encode() in body
    assert b'{"__type":"Entity:http:\\/\\/schemas.microsoft.com\\/xrm\\/2011\\/Contracts","Attributes":[' in body
    assert b'": ' not in body


def test_the_tag_and_the_users_travel(
    application: Dataverse, human: Dataverse, receiver: Receiver, endpoint: str
) -> None:
    """`?tag=` becomes a shared variable; the acting user is there too, so that own writes are recognised."""
    register_step(application, endpoint, "Update", "account")
    application.update(f"accounts({FABRIKAM})?tag=dataverse-integration", {"new_erpnumber": "C-1"})
    application.quiet()
    human.update(f"accounts({FABRIKAM})", {"name": "Fabrikam GmbH"})
    human.quiet()
    own, theirs = receiver.contexts()
    assert value(own["SharedVariables"], "tag") == "dataverse-integration"
    assert own["InitiatingUserId"] == own["UserId"] == application.environment["application"]["user_id"]
    assert "tag" not in [pair["key"] for pair in theirs["SharedVariables"]]
    assert theirs["InitiatingUserId"] == application.environment["human"]["user_id"]
    assert own["OrganizationId"] == application.environment["organisation_id"]


def test_above_256_kb_the_bulky_parts_are_left_out(application: Dataverse, receiver: Receiver, endpoint: str) -> None:
    """A header says so; who, what and which row are still there."""
    step = register_step(application, endpoint, "Update", "account")
    for number in range(70):
        bind = {"sdkmessageprocessingstepid@odata.bind": f"/sdkmessageprocessingsteps({step})"}
        image = {"name": f"i{number}", "entityalias": f"i{number}", "imagetype": 1, "messagepropertyname": "Target"}
        application.create("sdkmessageprocessingstepimages", image | bind)
    application.update(f"accounts({FABRIKAM})", {"description": "x" * 2000})
    application.quiet()
    _, headers, body = receiver.received[0]
    context = json.loads(body)
    assert "x-ms-dynamics-msg-size-exceeded" in headers
    assert len(body) < 256 * 1024
    bulky = {"ParentContext", "InputParameters", "PreEntityImages", "PostEntityImages"}
    assert bulky.isdisjoint(context)
    assert context["PrimaryEntityId"] == FABRIKAM
    assert len(context) == 30 - len(bulky)
