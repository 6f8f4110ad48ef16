"""Steps on Assign and SetState: an Update of the owner or the state fires them too, with their parameters."""

from typing import Any

import pytest

from tests.contract.sandbox.systems.dataverse_client import Dataverse, Receiver, register_image, register_step


def parameters(context: dict[str, Any]) -> dict[str, Any]:
    return {it["key"]: it["value"] for it in context["InputParameters"]}


def test_a_step_on_assign_gets_the_row_and_its_new_owner(
    application: Dataverse, receiver: Receiver, endpoint: str
) -> None:
    """The images have the owner before and after; the row is named as it was."""
    account = application.create("accounts", {"name": "Contoso"})
    before = application.get(f"accounts({account})?$select=_ownerid_value")["_ownerid_value"]
    users = application.get("systemusers?$select=systemuserid")["value"]
    owner = next(it["systemuserid"] for it in users if it["systemuserid"] != before)
    step = register_step(application, endpoint, "Assign", "account")
    for kind in (0, 1):
        register_image(application, step, kind, "ownerid")
    application.update(f"accounts({account})", {"telephone1": "1"})
    application.update(f"accounts({account})", {"ownerid@odata.bind": f"/systemusers({owner})"})
    application.quiet()
    (context,) = receiver.contexts()
    assert (context["MessageName"], context["PrimaryEntityId"]) == ("Assign", account)
    given = parameters(context)
    assert {name: (it["LogicalName"], it["Id"]) for name, it in given.items()} == {
        "Target": ("account", account),
        "Assignee": ("systemuser", owner),
    }
    assert all(it["__type"].startswith("EntityReference:") for it in given.values())
    images = {it["key"]: it["value"] for part in ("PreEntityImages", "PostEntityImages") for it in context[part]}
    assert set(images) == {"PreImage", "PostImage", "AsynchronousStepPrimaryName"}
    owners = {
        alias: it["value"]["Id"]
        for alias in ("PreImage", "PostImage")
        for it in images[alias]["Attributes"]
        if it["key"] == "ownerid"
    }
    assert owners == {"PreImage": before, "PostImage": owner}


@pytest.mark.parametrize("message", ["SetState", "SetStateDynamicEntity"])
def test_a_step_on_setstate_gets_the_row_the_state_and_its_reason(
    application: Dataverse, receiver: Receiver, endpoint: str, message: str
) -> None:
    account = application.create("accounts", {"name": "Contoso"})
    register_step(application, endpoint, message, "account")
    application.update(f"accounts({account})", {"statecode": 1, "statuscode": 2})
    application.quiet()
    (context,) = receiver.contexts()
    given = parameters(context)
    assert (context["MessageName"], given["EntityMoniker"]["Id"]) == (message, account)
    assert (given["State"]["Value"], given["Status"]["Value"]) == (1, 2)
    assert given["State"]["__type"].startswith("OptionSetValue:")


def test_a_table_without_owner_or_state_does_not_have_these_messages(application: Dataverse) -> None:
    found = application.get(
        "sdkmessagefilters?$filter=primaryobjecttypecode eq 'role'&$expand=sdkmessageid($select=name)"
    )
    assert {it["sdkmessageid"]["name"] for it in found["value"]}.isdisjoint({"Assign", "SetState"})
