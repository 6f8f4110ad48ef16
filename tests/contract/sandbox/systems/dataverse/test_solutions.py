"""Solutions and their components: what is made with the header of a solution is in it, and what depends on what."""

import uuid
from collections.abc import Iterator

import pytest

from tests.contract.sandbox.systems.dataverse_client import Dataverse, Receiver, register_step, register_webhook

CRM = "Microsoft.Dynamics.CRM."
ENDPOINT, STEP, TABLE, COLUMN, KEY = 95, 92, 1, 2, 14


@pytest.fixture
def solution(application: Dataverse) -> Iterator[str]:
    """The unique name of a solution of its own."""
    name = f"s{uuid.uuid4().hex[:8]}"
    publisher = application.get("publishers?$select=publisherid")["value"][0]["publisherid"]
    body: dict[str, object] = {"uniquename": name, "friendlyname": name, "version": "1.0.0.0"}
    made = application.create("solutions", body | {"publisherid@odata.bind": f"publishers({publisher})"})
    yield name
    application.call("DELETE", f"solutions({made})")


def components(dataverse: Dataverse, solution: str) -> set[tuple[int, str]]:
    where = f"$filter=solutionid/uniquename eq '{solution}'&$select=componenttype,objectid"
    return {(row["componenttype"], row["objectid"]) for row in dataverse.get(f"solutioncomponents?{where}")["value"]}


def test_what_is_made_with_the_header_is_a_component(application: Dataverse, receiver: Receiver, solution: str) -> None:
    header = {"MSCRM.SolutionUniqueName": solution}
    webhook = {"name": "in it", "url": receiver.url, "contract": 8, "authtype": 4, "authvalue": "k"}
    made = application.call("POST", "serviceendpoints", webhook, **header).headers["OData-EntityId"]
    endpoint = made.rpartition("(")[2].rstrip(")")
    column = {"@odata.type": f"{CRM}StringAttributeMetadata", "SchemaName": f"new_{solution}", "MaxLength": 10}
    path = "EntityDefinitions(LogicalName='lead')/Attributes"
    made = application.call("POST", path, column, **header).headers["OData-EntityId"]
    column_id = made.rpartition("(")[2].rstrip(")")
    assert components(application, solution) == {(ENDPOINT, endpoint), (COLUMN, column_id)}
    application.call("DELETE", f"serviceendpoints({endpoint})")
    application.call("DELETE", f"{path}(LogicalName='new_{solution}')")
    assert components(application, solution) == set(), "what is deleted is no component any more"


def test_tables_that_are_made_together_are_components_too(application: Dataverse, solution: str) -> None:
    """Their action names the solution in its address."""
    name = {"@odata.type": f"{CRM}StringAttributeMetadata", "SchemaName": "new_Name", "IsPrimaryName": True}
    table = {"SchemaName": f"new_{solution}", "Attributes": [name]}
    made = application.call("POST", f"CreateEntities?SolutionUniqueName={solution}", {"Entities": [table]})
    assert components(application, solution) == {(TABLE, table_id) for table_id in made.json()["EntityIds"]}
    application.call("DELETE", f"EntityDefinitions(LogicalName='new_{solution}')")
    assert components(application, solution) == set()


def test_components_are_added_and_removed(application: Dataverse, receiver: Receiver, solution: str) -> None:
    endpoint = register_webhook(application, receiver.url)
    adding = {"ComponentId": endpoint, "ComponentType": ENDPOINT, "SolutionUniqueName": solution}
    adding |= {"AddRequiredComponents": False}
    added = application.call("POST", "AddSolutionComponent", adding)
    assert added.status_code == 200
    assert added.json()["@odata.context"].endswith("AddSolutionComponentResponse")
    again = application.call("POST", "AddSolutionComponent", adding)
    assert again.json()["id"] == added.json()["id"], "it is in it once"
    account = application.get("EntityDefinitions(LogicalName='account')?$select=MetadataId")["MetadataId"]
    table = adding | {"ComponentId": account, "ComponentType": TABLE}
    assert application.call("POST", "AddSolutionComponent", table).status_code == 200
    assert components(application, solution) == {(ENDPOINT, endpoint), (TABLE, account)}
    component = {"@odata.type": f"{CRM}solutioncomponent", "solutioncomponentid": endpoint}
    removing = {"SolutionComponent": component, "ComponentType": ENDPOINT, "SolutionUniqueName": solution}
    assert application.call("POST", "RemoveSolutionComponent", removing).status_code == 200
    assert components(application, solution) == {(TABLE, account)}


def test_what_would_keep_a_component_from_being_deleted(application: Dataverse, receiver: Receiver) -> None:
    """An endpoint is needed by its steps, which is why it cannot be deleted."""
    endpoint = register_webhook(application, receiver.url)
    path = f"RetrieveDependenciesForDelete(ObjectId={endpoint},ComponentType={ENDPOINT})"
    assert application.get(path)["value"] == []
    step = register_step(application, endpoint, "Update", "account")
    [found] = application.get(
        f"RetrieveDependenciesForDelete(ObjectId=@i,ComponentType=@t)?@i={endpoint}&@t={ENDPOINT}"
    )["value"]
    assert (found["dependentcomponentobjectid"], found["dependentcomponenttype"]) == (step, STEP)
    assert (found["requiredcomponentobjectid"], found["requiredcomponenttype"]) == (endpoint, ENDPOINT)
    assert application.call("DELETE", f"serviceendpoints({endpoint})").status_code == 400


@pytest.mark.parametrize(
    ("status", "change"),
    [
        (404, {"SolutionUniqueName": "nothing"}),
        (404, {"ComponentId": str(uuid.UUID(int=1))}),
        (501, {"ComponentType": 60}),
        (400, {"ComponentType": "95"}),
        (400, {"Other": 1}),
        (400, {"AddRequiredComponents": None}),
        (501, {"AddRequiredComponents": True}),
    ],
    ids=str,
)
def test_what_cannot_be_added_is_refused(
    application: Dataverse, receiver: Receiver, solution: str, status: int, change: dict[str, object]
) -> None:
    endpoint = register_webhook(application, receiver.url)
    adding = {"ComponentId": endpoint, "ComponentType": ENDPOINT, "SolutionUniqueName": solution}
    body = adding | {"AddRequiredComponents": False} | change
    assert application.call("POST", "AddSolutionComponent", body).status_code == status
    assert application.call("POST", "solutioncomponents", {"objectid": endpoint}).status_code == 400
