"""Custom APIs as events of one's own, and the catalog that shows them: made as the documentation makes them."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from tests.contract.sandbox.systems.dataverse_client import (
    Dataverse,
    Receiver,
    register_step,
    register_webhook,
    remove_registrations,
)

FABRIKAM = "a0000000-0000-4000-8000-000000000001"
CRM = "Microsoft.Dynamics.CRM."
TYPES = ["Boolean", "DateTime", "Decimal", "Entity", "EntityCollection", "EntityReference", "Float", "Integer", "Money"]
TYPES += ["Picklist", "String", "StringArray", "Guid"]
CONTRACTS = "http://schemas.microsoft.com/xrm/2011/Contracts"


def an_api(name: str, **changes: object) -> dict[str, object]:
    """A custom API for an external event, with one parameter of each type."""
    parameters = [
        {"uniquename": kind, "name": f"{name}.{kind}", "displayname": kind, "description": kind, "type": number}
        | {"isoptional": kind != "String"}
        for number, kind in enumerate(TYPES)
    ]
    body: dict[str, object] = {"uniquename": name, "name": name, "displayname": name, "description": "An event"}
    body |= {"bindingtype": 0, "isfunction": False, "isprivate": False, "allowedcustomprocessingsteptype": 1}
    return body | {"CustomAPIRequestParameters": parameters} | changes


@pytest.fixture
def name(application: Dataverse) -> Iterator[str]:
    """A name; a custom API of this name is deleted afterwards."""
    one = f"new_Event{uuid.uuid4().hex[:8]}"
    yield one
    remove_registrations(application)
    application.call("DELETE", f"customapis(uniquename='{one}')")


def test_a_custom_api_is_made_with_its_parameters_and_read_back(application: Dataverse, name: str) -> None:
    """As a comparison with a declaration reads it."""
    made = application.create("customapis", an_api(name))
    expand = (
        "CustomAPIRequestParameters($select=uniquename,type,isoptional),CustomAPIResponseProperties($select=uniquename)"
    )
    found = application.get(f"customapis({made})?$select=uniquename,isfunction,iscustomizable&$expand={expand}")
    assert found["uniquename"] == name
    assert {each["uniquename"] for each in found["CustomAPIRequestParameters"]} == set(TYPES)
    assert found["CustomAPIResponseProperties"] == []
    one = {"uniquename": "More", "name": "more", "displayname": "More", "description": "x", "type": 10}
    application.create("customapirequestparameters", one | {"CustomAPIId@odata.bind": f"customapis({made})"})
    application.update(f"customapis({made})", {"displayname": "Renamed"})
    assert application.call("DELETE", f"customapis({made})").status_code == 204
    left = application.get(f"customapirequestparameters?$filter=_customapiid_value eq {made}")["value"]
    assert left == [], "its parameters go with it"
    assert application.get(f"sdkmessages?$filter=name eq '{name}'")["value"] == []


def test_calling_it_fires_its_steps_with_its_parameters(application: Dataverse, receiver: Receiver, name: str) -> None:
    """In the shapes that were captured, at the top level, for no table."""
    application.create("customapis", an_api(name))
    register_step(application, register_webhook(application, receiver.url), name, "none")
    row = {"@odata.type": f"{CRM}account", "accountid": FABRIKAM, "name": "Given", "revenue": 5}
    sent: dict[str, Any] = {
        "Boolean": True,
        "DateTime": "2026-11-20T09:00:00Z",
        "Decimal": 1.25,
        "Entity": row,
        "EntityCollection": [row],
        "EntityReference": {"@odata.type": f"{CRM}account", "accountid": FABRIKAM},
        "Float": 0.5,
        "Integer": 7,
        "Money": 3.5,
        "Picklist": 2,
        "String": "text",
        "StringArray": ["a", "b"],
        "Guid": FABRIKAM,
    }
    assert application.call("POST", f"{name}?tag=own", sent).status_code == 204
    application.quiet()
    [context] = receiver.contexts()
    assert (context["MessageName"], context["PrimaryEntityName"]) == (name, "none")
    assert context["PrimaryEntityId"] == str(uuid.UUID(int=0))
    assert {"key": "tag", "value": "own"} in context["SharedVariables"]
    given = {each["key"]: each["value"] for each in context["InputParameters"]}
    assert list(given) == TYPES
    assert given["DateTime"] == "/Date(1795165200000)/"
    assert given["Money"] == {"__type": f"Money:{CONTRACTS}", "Value": 3.5}
    assert given["Picklist"] == {"__type": f"OptionSetValue:{CONTRACTS}", "Value": 2}
    assert (given["EntityReference"]["LogicalName"], given["EntityReference"]["Id"]) == ("account", FABRIKAM)
    attributes = {each["key"]: each["value"] for each in given["Entity"]["Attributes"]}
    assert attributes["revenue"] == {"__type": f"Money:{CONTRACTS}", "Value": 5}
    assert given["EntityCollection"]["EntityName"] == "account"
    assert "__type" not in given["EntityCollection"]["Entities"][0]
    assert (given["StringArray"], given["Guid"], given["Integer"]) == (["a", "b"], FABRIKAM, 7)


def test_what_is_not_sent_is_not_there(application: Dataverse, receiver: Receiver, name: str) -> None:
    application.create("customapis", an_api(name))
    register_step(application, register_webhook(application, receiver.url), name, None)
    assert application.call("POST", name, {"String": "alone"}).status_code == 204
    application.quiet()
    [context] = receiver.contexts()
    assert context["InputParameters"] == [{"key": "String", "value": "alone"}]


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, {}),
        (400, {"String": "x", "Other": 1}),
        (400, {"String": 5}),
        (400, {"String": "x", "Integer": "5"}),
        (400, {"String": "x", "Guid": "no"}),
        (400, {"String": "x", "EntityReference": {"accountid": FABRIKAM}}),
        (400, {"String": "x", "Entity": {"@odata.type": f"{CRM}account", "other": 1}}),
        (400, {"String": "x", "StringArray": [1]}),
        (400, {"String": "x", "DateTime": "soon"}),
    ],
    ids=str,
)
def test_wrong_parameters_are_refused(application: Dataverse, name: str, status: int, body: dict[str, object]) -> None:
    application.create("customapis", an_api(name))
    assert application.call("POST", name, body).status_code == status
    assert application.call("GET", name).status_code == 405


@pytest.mark.parametrize(
    ("status", "change"),
    [
        (400, {"uniquename": "WithoutPrefix"}),
        (400, {"bindingtype": None}),
        (501, {"bindingtype": 2, "boundentitylogicalname": "account"}),
        (501, {"isfunction": True}),
        (400, {"CustomAPIRequestParameters": [{"uniquename": "P", "name": "p", "type": 99}]}),
    ],
    ids=str,
)
def test_what_cannot_be_made_is_refused(
    application: Dataverse, name: str, status: int, change: dict[str, object]
) -> None:
    assert application.call("POST", "customapis", an_api(name, **change)).status_code == status


def test_what_is_fixed_stays_as_it_is(application: Dataverse, receiver: Receiver, name: str) -> None:
    """The name, the binding, and which steps are allowed; and it cannot be deleted while a step needs it."""
    made = application.create("customapis", an_api(name))
    assert application.call("POST", "customapis", an_api(name)).status_code == 412
    for fixed in ({"uniquename": "new_Other"}, {"allowedcustomprocessingsteptype": 2}):
        assert application.call("PATCH", f"customapis({made})", fixed, If_Match="*").status_code == 400
    register_step(application, register_webhook(application, receiver.url), name, "none")
    assert application.call("DELETE", f"customapis({made})").status_code == 400


@pytest.mark.parametrize("case", [(0, 1, 400), (1, 0, 400), (1, 1, 204), (2, 0, 204)], ids=str)
def test_only_the_steps_that_it_allows(
    application: Dataverse, receiver: Receiver, name: str, case: tuple[int, int, int]
) -> None:
    """None, asynchronous ones, or both."""
    allowed, mode, status = case
    application.create("customapis", an_api(name, allowedcustomprocessingsteptype=allowed))
    message = application.get(f"sdkmessages?$filter=name eq '{name}'&$select=sdkmessageid")["value"][0]["sdkmessageid"]
    body = {"name": "step", "stage": 40, "mode": mode, "sdkmessageid@odata.bind": f"sdkmessages({message})"}
    body["eventhandler_serviceendpoint@odata.bind"] = f"serviceendpoints({register_webhook(application, receiver.url)})"
    assert application.call("POST", "sdkmessageprocessingsteps", body).status_code == status


def test_one_that_is_bound_to_a_table_is_called_on_a_row(application: Dataverse, receiver: Receiver, name: str) -> None:
    """Its steps get the row as Target; without a row, or on another table, there is no such action."""
    bound = {"bindingtype": 1, "boundentitylogicalname": "account", "CustomAPIRequestParameters": []}
    application.create("customapis", an_api(name, **bound))
    register_step(application, register_webhook(application, receiver.url), name, "account")
    assert application.call("POST", f"accounts({FABRIKAM})/{CRM}{name}", {}).status_code == 204
    application.quiet()
    (context,) = receiver.contexts()
    assert (context["PrimaryEntityName"], context["PrimaryEntityId"]) == ("account", FABRIKAM)
    (target,) = context["InputParameters"]
    assert (target["key"], target["value"]["LogicalName"], target["value"]["Id"]) == ("Target", "account", FABRIKAM)
    for path in (name, f"contacts(b0000000-0000-4000-8000-000000000001)/{CRM}{name}"):
        assert application.call("POST", path, {}).status_code == 404
    unknown = f"accounts({uuid.uuid4()})/{CRM}{name}"
    assert application.call("POST", unknown, {}).status_code == 404
    nowhere = an_api(f"{name}2", **{**bound, "boundentitylogicalname": "nothing"})
    assert application.call("POST", "customapis", nowhere).status_code == 400


def test_the_catalog_has_two_levels_and_assignments(application: Dataverse, name: str) -> None:
    """Of custom APIs and of tables; nothing is deleted while it is used."""
    made = application.create("customapis", an_api(name))
    catalog: dict[str, object] = {"name": name, "uniquename": f"{name}Catalog", "displayname": "C", "description": "C"}
    root = application.create("catalogs", catalog)
    below = {"ParentCatalogId@odata.bind": f"/catalogs({root})"}
    category = application.create("catalogs", catalog | {"uniquename": f"{name}Category"} | below)
    third = catalog | {"uniquename": f"{name}Third", "ParentCatalogId@odata.bind": f"/catalogs({category})"}
    assert application.call("POST", "catalogs", third).status_code == 400
    assigned: dict[str, object] = {"name": name, "CatalogId@odata.bind": f"/catalogs({category})"}
    table = application.get("EntityDefinitions(LogicalName='account')?$select=MetadataId")["MetadataId"]
    ids = [
        application.create("catalogassignments", assigned | {"CustomAPIId@odata.bind": f"/customapis({made})"}),
        application.create("catalogassignments", assigned | {"EntityId@odata.bind": f"/entities({table})"}),
    ]
    assert application.call("POST", "catalogassignments", assigned).status_code == 400, "an assignment of nothing"
    expand = "$expand=CustomAPIId($select=uniquename)"
    found = application.get(f"catalogassignments({ids[0]})?{expand}")
    assert found["CustomAPIId"]["uniquename"] == name
    for used in (f"catalogs({category})", f"catalogs({root})", f"customapis({made})"):
        assert application.call("DELETE", used).status_code == 400, used
    for path in (*(f"catalogassignments({each})" for each in ids), f"catalogs({category})", f"catalogs({root})"):
        assert application.call("DELETE", path).status_code == 204, path
