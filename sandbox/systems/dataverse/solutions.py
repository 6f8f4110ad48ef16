"""Components of solutions: they are added with the header of a request or by an action, and go with what they are.

Sources: "AddSolutionComponent", "RemoveSolutionComponent" and "RetrieveDependenciesForDelete" in Microsoft's Web API
reference; the numbers are those of the column componenttype of solutioncomponent.
"""

from typing import Any

from aiohttp import web

from sandbox.systems.dataverse.answers import json_answer
from sandbox.systems.dataverse.body import read_object, read_parameters
from sandbox.systems.dataverse.definitions import column_id, key_id, table_id
from sandbox.systems.dataverse.errors import ODataError, bad_request, no_such_row, not_simulated
from sandbox.systems.dataverse.operation import Operation
from sandbox.systems.dataverse.schema import Schema
from sandbox.systems.dataverse.store import Row, Store
from sandbox.systems.dataverse.values import new_guid, now

TABLE, COLUMN, KEY = 1, 2, 14
OF_ROWS = {"role": 20, "sdkmessageprocessingstep": 92, "sdkmessageprocessingstepimage": 93, "serviceendpoint": 95}
"""Types of the components that are rows, by their tables."""
ACTIONS = frozenset({"AddSolutionComponent", "RemoveSolutionComponent"})
_METADATA = frozenset({TABLE, COLUMN, KEY})
_STEP, _ENDPOINT = OF_ROWS["sdkmessageprocessingstep"], OF_ROWS["serviceendpoint"]


class Solutions:
    """The components of all solutions."""

    def __init__(self, store: Store, schema: Schema) -> None:
        self._store, self._schema = store, schema

    def require(self, name: str) -> Row:
        """The solution of that unique name; 404 without one."""
        found = self._store.find("solution", {"uniquename": name})
        if found is None:
            raise ODataError(404, "0x80040217", f"The solution with the unique name '{name}' does not exist.")
        return found

    def made(self, name: str | None, kind: int, object_id: str) -> None:
        """What a request has made that names a solution is a component of it."""
        if name is not None:
            self.add(name, kind, object_id)

    def forget(self, object_id: str) -> None:
        """What was deleted is no component any more."""
        for row in self._store.rows("solutioncomponent"):
            if row.values["objectid"] == object_id:
                self._store.remove("solutioncomponent", row.id)

    def add(self, name: str, kind: int, object_id: str) -> str:
        """Puts a component into a solution, once; gives the id of what says so."""
        solution = self.require(name)
        known = self._find(solution, kind, object_id)
        if known is not None:
            return known.id
        component_id, at = new_guid(), now()
        values: dict[str, Any] = {
            "solutioncomponentid": component_id,
            "componenttype": kind,
            "objectid": object_id,
            "solutionid": solution.reference,
            "rootcomponentbehavior": 0,
            "ismetadata": kind in _METADATA,
            "createdon": at,
            "modifiedon": at,
        }
        self._store.put("solutioncomponent", component_id, values)
        return component_id

    def act(self, operation: Operation, action: str) -> web.Response:
        """AddSolutionComponent or RemoveSolutionComponent: 200 with the id."""
        body = read_object(operation.call)
        context = f"{operation.call.root}$metadata#Microsoft.Dynamics.CRM.{action}Response"
        if action == "AddSolutionComponent":
            return json_answer({"@odata.context": context, "id": self._added(body)})
        return json_answer({"@odata.context": context, "id": self._removed(body)})

    def dependencies(self, object_id: str, kind: int) -> list[dict[str, Any]]:
        """What needs a component, so that it cannot be deleted: the steps of an endpoint."""
        endpoint = self._store.get("serviceendpoint", object_id) if kind == _ENDPOINT else None
        if endpoint is None:
            return []
        return [
            {
                "dependencyid": new_guid(),
                "dependencytype": 2,
                "dependentcomponentobjectid": row.id,
                "dependentcomponenttype": _STEP,
                "requiredcomponentobjectid": object_id,
                "requiredcomponenttype": kind,
            }
            for row in self._store.referring("sdkmessageprocessingstep", "eventhandler", endpoint)
        ]

    def _added(self, body: dict[str, Any]) -> str:
        optional = {"DoNotIncludeSubcomponents": bool, "IncludedComponentSettingsValues": list}
        wanted = {"ComponentId": str, "ComponentType": int, "SolutionUniqueName": str, "AddRequiredComponents": bool}
        given = read_parameters("AddSolutionComponent", body, wanted, optional)
        if given["AddRequiredComponents"] or given.get("IncludedComponentSettingsValues"):
            raise not_simulated("Adding required components, or some settings of a component,")
        object_id = given["ComponentId"].lower()
        self._check_exists(given["ComponentType"], object_id)
        return self.add(given["SolutionUniqueName"], given["ComponentType"], object_id)

    def _removed(self, body: dict[str, Any]) -> str:
        wanted = {"SolutionComponent": dict, "ComponentType": int, "SolutionUniqueName": str}
        given = read_parameters("RemoveSolutionComponent", body, wanted, {})
        object_id = str(given["SolutionComponent"].get("solutioncomponentid")).lower()
        found = self._find(self.require(given["SolutionUniqueName"]), given["ComponentType"], object_id)
        if found is None:
            raise no_such_row("solutioncomponent", object_id)
        self._store.remove("solutioncomponent", found.id)
        return object_id

    def _find(self, solution: Row, kind: int, object_id: str) -> Row | None:
        components = self._store.referring("solutioncomponent", "solutionid", solution)
        wanted = (kind, object_id)
        return next(
            (row for row in components if (row.values["componenttype"], row.values["objectid"]) == wanted), None
        )

    def _check_exists(self, kind: int, object_id: str) -> None:
        tables = [name for name, number in OF_ROWS.items() if number == kind]
        if tables:
            known = self._store.get(tables[0], object_id) is not None
        elif kind in _METADATA:
            known = object_id in self._ids_of_definitions(kind)
        else:
            raise not_simulated(f"A component of type {kind}")
        if not known:
            raise no_such_row("solutioncomponent", object_id)

    def _ids_of_definitions(self, kind: int) -> set[str]:
        if kind == TABLE:
            return {table_id(table) for table in self._schema}
        if kind == COLUMN:
            return {column_id(table, name) for table in self._schema for name in table.columns}
        return {key_id(table, key) for table in self._schema for key in table.key_definitions}


def check_number(name: str, text: str) -> int:
    """A parameter that is a whole number; 400 otherwise."""
    if not text.isdigit():
        raise bad_request(f"The parameter {name} is a whole number, and '{text}' is none.")
    return int(text)
