"""Endpoints, steps and images are registered, found and removed as in Dataverse, and refused where it refuses them."""

from typing import Any
from urllib.parse import quote

import pytest

from tests.contract.sandbox.systems.dataverse_client import (
    Dataverse,
    Receiver,
    register_image,
    register_step,
    register_webhook,
)

FABRIKAM = "a0000000-0000-4000-8000-000000000001"


def test_secrets_can_be_written_and_not_read(application: Dataverse, endpoint: str) -> None:
    row = application.get(f"serviceendpoints({endpoint})?$select=authvalue,isauthvalueset")
    assert (row["authvalue"], row["isauthvalueset"]) == (None, True)


def test_the_steps_of_a_message_are_found_as_the_documentation_finds_them(
    application: Dataverse, endpoint: str
) -> None:
    """To bypass them: by the Web API and by FetchXML."""
    step = register_step(application, endpoint, "Create", "account")
    nested = "$select=name;$filter=statecode eq 0 and customizationlevel eq 1 and iscustomizable/Value eq true"
    where = "$filter=primaryobjecttypecode eq 'account' and sdkmessageid/name eq 'Create'"
    expand = f"$expand=sdkmessagefilterid_sdkmessageprocessingstep({nested})"
    [found] = application.get(f"sdkmessagefilters?$select=sdkmessagefilterid&{where}&{expand}")["value"]
    listed = found["sdkmessagefilterid_sdkmessageprocessingstep"]
    assert [each["sdkmessageprocessingstepid"] for each in listed] == [step]
    query = (
        "<fetch><entity name='sdkmessageprocessingstep'><attribute name='name'/><filter>"
        "<condition attribute='customizationlevel' operator='eq' value='1'/>"
        "<condition attribute='iscustomizable' operator='eq' value='1'/></filter></entity></fetch>"
    )
    rows = application.get(f"sdkmessageprocessingsteps?fetchXml={quote(query, safe='')}")["value"]
    assert [each["sdkmessageprocessingstepid"] for each in rows] == [step]
    code = application.call("GET", "EntityDefinitions(LogicalName='account')/ObjectTypeCode/$value")
    assert code.text == "1"


@pytest.mark.parametrize(
    "wrong",
    [
        {"mode": 1, "stage": 20},
        {"filteringattributes": "nonsense"},
        {"SdkMessageId@odata.bind": "/sdkmessages(d0000000-0000-4000-8000-000000000002)"},
    ],
)
def test_what_cannot_be_registered_is_refused(
    application: Dataverse, receiver: Receiver, endpoint: str, wrong: dict[str, Any]
) -> None:
    """Among others: navigation properties are lower case here."""
    with pytest.raises(AssertionError, match="0x80"):
        register_step(application, endpoint, "Update", "account", **wrong)


def test_a_create_has_no_pre_image(application: Dataverse, endpoint: str) -> None:
    step = register_step(application, endpoint, "Create", "account")
    with pytest.raises(AssertionError, match="PreImage is not supported"):
        register_image(application, step, 0, "name", of="Id")


def test_an_endpoint_in_use_cannot_be_deleted(application: Dataverse, endpoint: str) -> None:
    step = register_step(application, endpoint, "Update", "account")
    assert application.call("DELETE", f"serviceendpoints({endpoint})").status_code == 400
    assert application.call("DELETE", f"sdkmessageprocessingsteps({step})").status_code == 204
    assert application.call("DELETE", f"serviceendpoints({endpoint})").status_code == 204


def test_what_an_image_or_step_cannot_be_is_refused(application: Dataverse, endpoint: str) -> None:
    """Columns that are not there, other stages, and images of what the stage does not have yet."""
    early = register_step(application, endpoint, "Update", "account", mode=0, stage=20)
    late = register_step(application, endpoint, "Update", "account")
    image = {"name": "I", "entityalias": "I", "messagepropertyname": "Target", "imagetype": 1}
    for step, changes in ((late, {"attributes": "name,nonsense"}), (early, {"attributes": "name"})):
        bind = {"sdkmessageprocessingstepid@odata.bind": f"/sdkmessageprocessingsteps({step})"}
        answer = application.call("POST", "sdkmessageprocessingstepimages", image | changes | bind)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "0x80040203")
    with pytest.raises(AssertionError, match="stages 10"):
        register_step(application, endpoint, "Update", "account", mode=0, stage=30)


def test_a_step_is_registered_with_its_images_and_read_with_them(application: Dataverse, receiver: Receiver) -> None:
    """In one request each, as registration tools do it."""
    image = {"name": "Before", "entityalias": "Before", "imagetype": 0, "messagepropertyname": "Target"}
    nested: dict[str, Any] = {
        "sdkmessageprocessingstepid_sdkmessageprocessingstepimage": [image | {"attributes": "name"}]
    }
    endpoint = register_webhook(application, receiver.url)
    step = register_step(application, endpoint, "Update", "account", **nested)
    expand = "sdkmessageprocessingstepid_sdkmessageprocessingstepimage($select=entityalias)"
    path = f"serviceendpoints({endpoint})/serviceendpoint_sdkmessageprocessingstep?$select=name&$expand={expand}"
    (found,) = application.get(path)["value"]
    assert found["sdkmessageprocessingstepid"] == step
    images = found["sdkmessageprocessingstepid_sdkmessageprocessingstepimage"]
    assert [each["entityalias"] for each in images] == ["Before"]
    application.update(f"accounts({FABRIKAM})", {"fax": "1"})
    application.quiet()
    (context,) = receiver.contexts()
    assert [each["key"] for each in context["PreEntityImages"]] == ["Before"]


def test_registrations_say_what_components_of_a_solution_say(application: Dataverse, receiver: Receiver) -> None:
    """Managed properties have parts that can be set and filtered by; the platform's own columns cannot be set."""
    endpoint = register_webhook(application, receiver.url)
    step = register_step(application, endpoint, "Update", "account", canbebypassed=False, ismanaged=True)
    columns = "canbebypassed,iscustomizable,ishidden,ismanaged,solutionid,componentstate"
    found = application.get(f"sdkmessageprocessingsteps({step})?$select={columns}")
    assert (found["canbebypassed"], found["ismanaged"], found["componentstate"]) == (False, False, 0)
    assert found["iscustomizable"] == {
        "Value": True,
        "CanBeChanged": True,
        "ManagedPropertyLogicalName": "iscustomizable",
    }
    fixed: dict[str, object] = {"iscustomizable": {"Value": False, "CanBeChanged": False}}
    application.update(f"sdkmessageprocessingsteps({step})", fixed)
    wanted = "sdkmessageprocessingsteps?$select=name&$filter=iscustomizable/Value eq false"
    assert [row["sdkmessageprocessingstepid"] for row in application.get(wanted)["value"]] == [step]
    wrong = {"iscustomizable": True}
    assert application.call("PATCH", f"sdkmessageprocessingsteps({step})", wrong).status_code == 400
    application.update(f"serviceendpoints({endpoint})", {"sastoken": "secret", "schematype": 2})
    found = application.get(f"serviceendpoints({endpoint})?$select=sastoken,issastokenset,schematype,solutionnamespace")
    assert (found["sastoken"], found["issastokenset"], found["schematype"]) == (None, True, 2)
