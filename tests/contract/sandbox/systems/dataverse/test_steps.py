"""Registered steps fire webhooks after the commit, with the keys, retries and filters of Dataverse."""

import time
import uuid
from pathlib import Path

import pytest

from tests.contract.sandbox.systems.dataverse_client import (
    Dataverse,
    Receiver,
    register_step,
    register_webhook,
    sign_in,
)
from tests.contract.sandbox.systems.stand_in import Start

FABRIKAM = "a0000000-0000-4000-8000-000000000001"
ENDPOINT_SETTINGS = '<settings><setting name="x-key" value="k1" /></settings>'


def change_name(dataverse: Dataverse, **headers: str) -> None:
    dataverse.update(f"accounts({FABRIKAM})", {"name": f"Fabrikam {uuid.uuid4().hex[:6]}"}, **headers)
    dataverse.quiet()


def test_a_change_fires_its_step_with_headers_and_key(
    application: Dataverse, receiver: Receiver, endpoint: str
) -> None:
    register_step(application, endpoint, "Update", "account")
    change_name(application)
    ((path, headers, _),) = receiver.received
    assert path == "/api/webhook?code=k1"
    assert headers["Content-Type"] == "application/json"
    assert headers["x-ms-dynamics-entity-name"] == "account"
    assert headers["x-ms-dynamics-request-name"] == "Update"
    assert headers["x-ms-dynamics-organization"] == application.environment["url"].removeprefix("https://")
    (context,) = receiver.contexts()
    assert headers["x-ms-correlation-request-id"] == context["CorrelationId"]
    assert (context["PrimaryEntityName"], context["PrimaryEntityId"]) == ("account", FABRIKAM)


@pytest.mark.parametrize(
    ("authtype", "authvalue", "path", "header"),
    [
        (5, ENDPOINT_SETTINGS, "/api/webhook", "k1"),
        (6, ENDPOINT_SETTINGS, "/api/webhook?x-key=k1", None),
    ],
)
def test_other_ways_to_send_the_key(
    application: Dataverse, receiver: Receiver, *, authtype: int, authvalue: str, path: str, header: str | None
) -> None:
    endpoint = register_webhook(application, receiver.url, authtype=authtype, authvalue=authvalue)
    register_step(application, endpoint, "Update", "account")
    change_name(application)
    assert (receiver.received[0][0], receiver.received[0][1].get("x-key")) == (path, header)


@pytest.mark.parametrize(("url", "authvalue"), [("http://127.0.0.1:1/", ENDPOINT_SETTINGS), (None, "not settings")])
def test_a_call_that_cannot_be_made_fails_the_job(
    application: Dataverse, receiver: Receiver, url: str | None, authvalue: str
) -> None:
    endpoint = register_webhook(application, url or receiver.url, authtype=5, authvalue=authvalue)
    register_step(application, endpoint, "Update", "account")
    change_name(application)
    (event,) = application.stand_in.control("GET", "events").json()
    assert (event["statuscode"], len(event["attempts"])) == (31, 1)
    assert event["attempts"][0]["error"]


@pytest.mark.parametrize(
    ("columns", "expected"), [({"name": "x"}, 1), ({"fax": "1"}, 0), ({"fax": "1", "telephone1": "2"}, 1)]
)
def test_filtering_attributes_are_compared_with_what_was_sent(
    application: Dataverse, receiver: Receiver, endpoint: str, columns: dict[str, object], expected: int
) -> None:
    register_step(application, endpoint, "Update", "account", filteringattributes="name,telephone1")
    application.update(f"accounts({FABRIKAM})", columns)
    application.quiet()
    assert len(receiver.received) == expected


def test_closing_an_opportunity_fires_its_update_steps(
    application: Dataverse, receiver: Receiver, endpoint: str
) -> None:
    register_step(application, endpoint, "Update", "opportunity", filteringattributes="statecode")
    row_id = application.create("opportunities", {"name": "Won"})
    close = {"opportunityid@odata.bind": f"/opportunities({row_id})"}
    application.call("POST", "WinOpportunity", {"Status": 3, "OpportunityClose": close})
    application.quiet()
    assert [context["PrimaryEntityId"] for context in receiver.contexts()] == [row_id]


@pytest.mark.parametrize(("message", "status"), [("Win", 3), ("Lose", 4)])
def test_closing_an_opportunity_fires_the_steps_on_its_own_message(
    application: Dataverse, receiver: Receiver, endpoint: str, message: str, status: int
) -> None:
    """Without a Target or a primary row: the activity names what it closes. Such a step can have no image."""
    step = register_step(application, endpoint, message, "opportunity")
    bind = {"sdkmessageprocessingstepid@odata.bind": f"/sdkmessageprocessingsteps({step})"}
    image = {"name": "x", "entityalias": "x", "imagetype": 0, "messagepropertyname": "Target", "attributes": "name"}
    assert application.call("POST", "sdkmessageprocessingstepimages", {**image, **bind}).status_code == 400
    row_id = application.create("opportunities", {"name": "Closed"})
    close = {"opportunityid@odata.bind": f"/opportunities({row_id})", "actualrevenue": 12.5, "subject": "done"}
    answer = application.call("POST", f"{message}Opportunity", {"Status": status, "OpportunityClose": close})
    assert answer.status_code == 204
    application.quiet()
    (context,) = receiver.contexts()
    assert (context["MessageName"], context["PrimaryEntityName"]) == (message, "opportunity")
    assert context["PrimaryEntityId"] == "00000000-0000-0000-0000-000000000000"
    given = {it["key"]: it["value"] for it in context["InputParameters"]}
    assert given["Status"]["Value"] == status
    columns = {it["key"]: it["value"] for it in given["OpportunityClose"]["Attributes"]}
    assert (columns["opportunityid"]["LogicalName"], columns["opportunityid"]["Id"]) == ("opportunity", row_id)
    assert (columns["actualrevenue"]["Value"], columns["subject"]) == (12.5, "done")


def test_steps_of_other_messages_and_tables_stay_silent(
    application: Dataverse, receiver: Receiver, endpoint: str
) -> None:
    register_step(application, endpoint, "Create", "account")
    register_step(application, endpoint, "Update", "contact")
    change_name(application)
    assert receiver.received == []


def test_a_disabled_step_stays_silent(application: Dataverse, receiver: Receiver, endpoint: str) -> None:
    step = register_step(application, endpoint, "Update", "account")
    application.update(f"sdkmessageprocessingsteps({step})", {"statecode": 1, "statuscode": 2})
    change_name(application)
    assert receiver.received == []


def test_our_own_step_can_be_bypassed(application: Dataverse, receiver: Receiver, endpoint: str) -> None:
    step = register_step(application, endpoint, "Update", "account")
    change_name(application, **{"MSCRM.BypassBusinessLogicExecutionStepIds": step})
    change_name(application, **{"MSCRM.BypassBusinessLogicExecutionStepIds": f'"{step}, {FABRIKAM}"'})
    change_name(application, **{"MSCRM.BypassBusinessLogicExecution": "CustomAsync"})
    assert receiver.received == []


def test_synchronous_steps_are_bypassed_by_the_older_header_too(
    application: Dataverse, receiver: Receiver, endpoint: str
) -> None:
    register_step(application, endpoint, "Update", "account", mode=0)
    change_name(application, **{"MSCRM.BypassCustomPluginExecution": "true"})
    assert receiver.received == []
    change_name(application, **{"MSCRM.BypassCustomPluginExecution": "false"})
    assert len(receiver.received) == 1


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("BypassBusinessLogicExecution", "Custom"),
        ("BypassBusinessLogicExecutionStepIds", "nonsense"),
        ("BypassBusinessLogicExecutionStepIds", ",".join(str(uuid.UUID(int=number)) for number in range(4))),
        ("BypassCustomPluginExecution", "maybe"),
    ],
)
def test_bypassing_what_is_not_there_is_refused(application: Dataverse, header: str, value: str) -> None:
    answer = application.call("PATCH", f"accounts({FABRIKAM})", {"fax": "1"}, **{f"MSCRM.{header}": value})
    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("answers", "attempts", "statuscode"),
    [
        ([200], 1, 30),
        ([202], 1, 30),
        ([503, 200], 2, 30),
        ([502, 504, 200], 2, 31),
        ([500, 200], 1, 31),
        ([429, 200], 1, 31),
        ([401], 1, 31),
    ],
)
def test_one_more_attempt_only_after_502_503_504(
    application: Dataverse, receiver: Receiver, endpoint: str, *, answers: list[int], attempts: int, statuscode: int
) -> None:
    """The repeated body is the same, byte for byte; any 2xx is success; the system job shows how it ended."""
    receiver.answers = list(answers)
    step = register_step(application, endpoint, "Update", "account", asyncautodelete=False)
    change_name(application)
    assert len(receiver.received) == attempts
    assert len({body for _, _, body in receiver.received}) == 1
    where = f"_owningextensionid_value eq {step}"
    (job,) = application.get(f"asyncoperations?$filter={where}&$select=statuscode,statecode,messagename")["value"]
    assert (job["statecode"], job["statuscode"], job["messagename"]) == (3, statuscode, "Update")
    assert receiver.contexts()[0]["OperationId"] == job["asyncoperationid"]


def test_a_late_answer_is_a_failure_without_another_attempt(
    application: Dataverse, receiver: Receiver, endpoint: str
) -> None:
    """The time limit is set to 1 s here; Dataverse waits 60 s."""
    receiver.pause = 1.5
    register_step(application, endpoint, "Update", "account")
    change_name(application)
    (event,) = application.stand_in.control("GET", "events").json()
    assert event["statuscode"] == 31
    assert [attempt["error"] for attempt in event["attempts"]] == ["TimeoutError: "]
    assert len(receiver.received) == 1


def test_successful_jobs_are_deleted_when_asked(application: Dataverse, receiver: Receiver, endpoint: str) -> None:
    step = register_step(application, endpoint, "Update", "account")
    change_name(application)
    assert application.get(f"asyncoperations?$filter=_owningextensionid_value eq {step}")["value"] == []
    (event,) = application.stand_in.control("GET", "events").json()
    assert (event["table"], event["message"], event["statuscode"], event["attempts"][0]["status"]) == (
        "account", "Update", 30, 200,
    )  # fmt: skip


def test_a_synchronous_step_is_called_before_the_commit_and_can_stop_it(
    application: Dataverse, receiver: Receiver, endpoint: str
) -> None:
    register_step(application, endpoint, "Update", "account", mode=0)
    before = application.get(f"accounts({FABRIKAM})?$select=name")["name"]
    receiver.answers = [500]
    refused = application.call("PATCH", f"accounts({FABRIKAM})", {"name": "Never"}, If_Match="*")
    assert refused.status_code == 400
    assert application.get(f"accounts({FABRIKAM})?$select=name")["name"] == before
    application.update(f"accounts({FABRIKAM})", {"name": "Fabrikam GmbH"})
    assert len(receiver.received) == 2, "the one that was rolled back was sent too"


def test_changes_of_one_row_wait_for_a_synchronous_step(
    application: Dataverse, receiver: Receiver, endpoint: str
) -> None:
    """Rows of other tables are written meanwhile."""
    receiver.pause = 0.3
    register_step(application, endpoint, "Update", "account", mode=0)
    started = time.monotonic()
    application.update(f"accounts({FABRIKAM})", {"fax": "2"})
    assert time.monotonic() - started >= 0.3


def test_a_kill_loses_no_row_and_no_job(start: Start, tmp_path: Path, receiver: Receiver) -> None:
    """What was committed before SIGKILL is there, and its event is still published."""
    options = ("--state", tmp_path, "--webhook-retry-delay", 30)
    stand_in = start("dataverse", *options, scheme="https", verify=tmp_path / "ca.pem")
    dataverse = sign_in(stand_in, "human")
    register_step(dataverse, register_webhook(dataverse, receiver.url), "Create", "account")
    receiver.answers = [503]
    row_id = dataverse.create("accounts", {"name": "Survivor"})
    while not receiver.received:
        time.sleep(0.02)
    stand_in.kill()
    stand_in.start_again()
    dataverse.quiet()
    assert dataverse.get(f"accounts({row_id})?$select=name")["name"] == "Survivor"
    first, again = receiver.contexts()
    assert first == again
    assert first["PrimaryEntityId"] == row_id


@pytest.mark.parametrize("stage", [10, 20, 40])
def test_a_context_says_in_which_stage_its_step_runs(
    application: Dataverse, receiver: Receiver, endpoint: str, stage: int
) -> None:
    """Before the main operation there is no row yet, so Create gives no id; steps run in order of stage."""
    register_step(application, endpoint, "Create", "account", mode=0, stage=40)
    if stage != 40:
        register_step(application, endpoint, "Create", "account", mode=0, stage=stage, rank=9)
    application.create("accounts", {"name": "Staged"})
    contexts = receiver.contexts()
    assert [context["Stage"] for context in contexts] == sorted({stage, 40})
    assert [bool(context["OutputParameters"]) for context in contexts] == [it["Stage"] == 40 for it in contexts]
