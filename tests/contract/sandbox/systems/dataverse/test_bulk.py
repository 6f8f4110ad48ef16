"""Bulk messages: rows of one table, all or none, with the events of each row."""

import uuid
from datetime import UTC, datetime

import pytest

from integration.events.remote_execution_context import read_contexts
from tests.contract.sandbox.systems.dataverse_client import Dataverse, Receiver, register_step, register_webhook

FABRIKAM = "a0000000-0000-4000-8000-000000000001"
CRM = "Microsoft.Dynamics.CRM."


def targets(*rows: dict[str, object]) -> dict[str, object]:
    return {"Targets": [{"@odata.type": f"{CRM}account"} | row for row in rows]}


def numbers(dataverse: Dataverse, mark: str) -> dict[str, str]:
    """Fax numbers by name."""
    found = dataverse.get(f"accounts?$select=name,fax&$filter=startswith(name,'{mark}')")["value"]
    return {row["name"].removeprefix(mark): row["fax"] for row in found}


@pytest.fixture
def mark() -> str:
    return f"m{uuid.uuid4().hex[:8]} "


def test_rows_are_created_and_updated_together(application: Dataverse, mark: str) -> None:
    made = application.call(
        "POST", f"accounts/{CRM}CreateMultiple", targets({"name": f"{mark}A"}, {"name": f"{mark}B"})
    )
    assert made.status_code == 200
    assert made.json()["@odata.context"].endswith("$metadata#Microsoft.Dynamics.CRM.CreateMultipleResponse")
    first, second = made.json()["Ids"]
    changes = targets({"accountid": first, "fax": "1"}, {"@odata.id": f"accounts({second})", "fax": "2"})
    assert application.call("POST", f"accounts/{CRM}UpdateMultiple", changes).status_code == 204
    assert numbers(application, mark) == {"A": "1", "B": "2"}


def test_upsert_creates_what_is_not_there(application: Dataverse, mark: str) -> None:
    known, new = (f"{mark.strip()}-{letter}" for letter in "AB")
    application.create("accounts", {"name": f"{mark}A", "new_erpnumber": known})
    rows = targets(
        {"@odata.id": f"accounts(new_erpnumber='{known}')", "fax": "1"},
        {"@odata.id": f"accounts(new_erpnumber='{new}')", "name": f"{mark}B", "fax": "2"},
        {"accountid": str(uuid.uuid4()), "name": f"{mark}C", "fax": "3"},
    )
    assert application.call("POST", f"accounts/{CRM}UpsertMultiple", rows).status_code == 204
    assert numbers(application, mark) == {"A": "1", "B": "2", "C": "3"}
    assert application.get(f"accounts(new_erpnumber='{new}')?$select=name")["name"] == f"{mark}B"


def test_an_error_undoes_them_all(application: Dataverse, receiver: Receiver, mark: str) -> None:
    register_step(application, register_webhook(application, receiver.url), "Create", "account")
    rows = targets({"name": f"{mark}A"}, {"name": "x" * 200})
    assert application.call("POST", f"accounts/{CRM}CreateMultiple", rows).status_code == 400
    missing = targets({"accountid": FABRIKAM, "fax": mark}, {"accountid": str(uuid.UUID(int=1)), "fax": "1"})
    answer = application.call("POST", f"accounts/{CRM}UpdateMultiple", missing)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "0x80040217")
    assert answer.json()["error"]["message"].endswith("Do Not Exist")
    assert numbers(application, mark) == {}
    assert application.get(f"accounts({FABRIKAM})?$select=fax")["fax"] != mark
    application.quiet()
    assert receiver.received == []


def test_the_steps_of_single_rows_fire_for_each_row(application: Dataverse, receiver: Receiver, mark: str) -> None:
    """With the tag of the request, and one RequestId."""
    endpoint = register_webhook(application, receiver.url)
    for message in ("Create", "Update"):
        register_step(application, endpoint, message, "account")
    new = targets({"name": f"{mark}A"}, {"name": f"{mark}B"})
    made = application.call("POST", f"accounts/{CRM}CreateMultiple?tag=bulk", new).json()["Ids"]
    changes = targets(*({"accountid": row_id, "fax": "1"} for row_id in made))
    application.call("POST", f"accounts/{CRM}UpdateMultiple", changes)
    application.quiet()
    for message in ("Create", "Update"):
        contexts = [each for each in receiver.contexts() if each["MessageName"] == message]
        assert {context["PrimaryEntityId"] for context in contexts} == set(made)
        assert len({context["RequestId"] for context in contexts}) == 1
        tags = [each["value"] for context in contexts for each in context["SharedVariables"] if each["key"] == "tag"]
        assert tags == (["bulk", "bulk"] if message == "Create" else [])


def test_a_step_on_a_bulk_message_gets_all_rows_at_once(application: Dataverse, receiver: Receiver, mark: str) -> None:
    """One body for each request, with Targets in their order, which the app reads as one event for each row.

    The steps of single rows fire as well.
    """
    endpoint = register_webhook(application, receiver.url)
    for message in ("Create", "CreateMultiple", "UpdateMultiple"):
        register_step(application, endpoint, message, "account")
    new = targets({"name": f"{mark}A"}, {"name": f"{mark}B"})
    ids = application.call("POST", f"accounts/{CRM}CreateMultiple?tag=bulk", new).json()["Ids"]
    changes = targets(*({"accountid": row_id, "fax": "1"} for row_id in ids))
    application.call("POST", f"accounts/{CRM}UpdateMultiple", changes)
    application.quiet()
    contexts = {each["MessageName"]: each for each in receiver.contexts()}
    assert [each["MessageName"] for each in receiver.contexts()].count("Create") == 2
    created, updated = contexts["CreateMultiple"], contexts["UpdateMultiple"]
    [parameter] = created["InputParameters"]
    rows = parameter["value"]
    assert (parameter["key"], rows["EntityName"]) == ("Targets", "account")
    assert rows["__type"] == "EntityCollection:http://schemas.microsoft.com/xrm/2011/Contracts"
    assert [row["Id"] for row in rows["Entities"]] == ids
    assert all("__type" not in row for row in rows["Entities"]), "as captured, where the type is declared"
    names = [{it["key"]: it["value"] for it in row["Attributes"]}["name"] for row in rows["Entities"]]
    assert names == [f"{mark}A", f"{mark}B"]
    assert created["OutputParameters"] == [{"key": "Ids", "value": ids}]
    assert created["PrimaryEntityId"] == str(uuid.UUID(int=0))
    assert (created["PrimaryEntityName"], created["RequestId"]) == ("account", contexts["Create"]["RequestId"])
    assert {"key": "tag", "value": "bulk"} in created["SharedVariables"]
    assert created["PreEntityImages"] == created["PostEntityImages"] == []
    changed = updated["InputParameters"][0]["value"]["Entities"]
    assert [{it["key"]: it["value"] for it in row["Attributes"]}["fax"] for row in changed] == ["1", "1"]
    assert updated["OutputParameters"] == []
    for context, message in ((created, "Create"), (updated, "Update")):
        events = read_contexts(context, headers={}, accepted_time=datetime.now(UTC))
        assert [(event.message, event.record_id) for event in events] == [(message, row_id) for row_id in ids]


def test_a_step_on_a_bulk_message_fires_for_single_rows_too(
    application: Dataverse, receiver: Receiver, mark: str
) -> None:
    """The pipelines are merged; filtering attributes hold for any of the rows."""
    endpoint = register_webhook(application, receiver.url)
    register_step(application, endpoint, "CreateMultiple", "account", mode=0)
    register_step(application, endpoint, "UpdateMultiple", "account", filteringattributes="fax")
    one = application.create("accounts", {"name": f"{mark}A"})
    application.update(f"accounts({one})", {"telephone1": "1"})
    application.update(f"accounts({one})", {"fax": "1"})
    two = application.create("accounts", {"name": f"{mark}B"})
    changes = targets({"accountid": one, "telephone1": "2"}, {"accountid": two, "fax": "2"})
    application.call("POST", f"accounts/{CRM}UpdateMultiple", changes)
    application.quiet()
    found = [
        (each["MessageName"], [row["Id"] for row in each["InputParameters"][0]["value"]["Entities"]])
        for each in receiver.contexts()
    ]
    created, updated = (
        [ids for name, ids in found if name == message] for message in ("CreateMultiple", "UpdateMultiple")
    )
    assert created == [[one], [two]]
    assert sorted(updated, key=len) == [[one], [one, two]]


def test_upserts_fire_the_steps_of_what_they_did(application: Dataverse, receiver: Receiver, mark: str) -> None:
    endpoint = register_webhook(application, receiver.url)
    for message in ("CreateMultiple", "UpdateMultiple"):
        register_step(application, endpoint, message, "account")
    rows = targets({"accountid": FABRIKAM, "fax": mark}, {"accountid": str(uuid.uuid4()), "name": f"{mark}A"})
    assert application.call("POST", f"accounts/{CRM}UpsertMultiple", rows).status_code == 204
    application.quiet()
    counts = {each["MessageName"]: len(each["InputParameters"][0]["value"]["Entities"]) for each in receiver.contexts()}
    assert counts == {"CreateMultiple": 1, "UpdateMultiple": 1}


def test_a_synchronous_step_on_a_bulk_message_can_refuse_it_all(
    application: Dataverse, receiver: Receiver, mark: str
) -> None:
    register_step(application, register_webhook(application, receiver.url), "CreateMultiple", "account", mode=0)
    receiver.answers = [400]
    rows = targets({"name": f"{mark}A"}, {"name": f"{mark}B"})
    assert application.call("POST", f"accounts/{CRM}CreateMultiple", rows).status_code == 400
    assert numbers(application, mark) == {}
    assert len(receiver.received) == 1


def test_clients_can_ask_which_tables_take_bulk_messages(application: Dataverse) -> None:
    """With the request of the documentation."""
    for table, expected in (("account", 1), ("serviceendpoint", 0)):
        found = application.get(
            "sdkmessagefilters?$select=sdkmessagefilterid&$filter=sdkmessageid/name eq @message and "
            f"primaryobjecttypecode eq @table&@message='CreateMultiple'&@table='{table}'"
        )
        assert len(found["value"]) == expected


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        (f"accounts/{CRM}CreateMultiple", {"Targets": []}, (400, "0x80048d19")),
        (f"accounts/{CRM}CreateMultiple", {"Targets": [{"name": "untyped"}]}, (400, "0x80048d19")),
        (f"accounts/{CRM}CreateMultiple", targets({"name": "x"}) | {"More": 1}, (400, "0x80048d19")),
        (f"contacts/{CRM}CreateMultiple", targets({"lastname": "other type"}), (400, "0x80048d19")),
        (f"accounts/{CRM}UpdateMultiple", targets({"fax": "no key"}), (400, "0x80048d19")),
        (f"accounts/{CRM}UpsertMultiple", targets({"@odata.id": f"contacts({FABRIKAM})"}), (400, "0x80048d19")),
        (f"accounts/{CRM}UpdateMultiple", targets({"@odata.id": "accounts(new_erpnumber='no')"}), (404, "0x80060891")),
        (f"accounts/{CRM}DeleteMultiple", targets({"accountid": FABRIKAM}), (400, "0x80040203")),
        ("accounts/CreateMultiple", targets({"name": "x"}), (404, "0x8006088a")),
    ],
)
def test_bulk_messages_are_refused(
    application: Dataverse, path: str, body: dict[str, object], expected: tuple[int, str]
) -> None:
    answer = application.call("POST", path, body)
    assert (answer.status_code, answer.json()["error"]["code"]) == expected
