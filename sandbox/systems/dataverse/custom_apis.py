"""Custom APIs: the message of each, the parameters that it takes, and the steps that a call fires.

Sources: "Create and use custom APIs", "CustomAPI tables" and "Microsoft Dataverse business events" in Microsoft's
documentation. Without a plug-in nothing else happens than that steps on the message run; a call is answered with 204,
or with the response properties, which are then null. Actions are simulated, those that are bound to nothing or to rows.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from aiohttp import web

from sandbox.systems.dataverse.answers import json_answer
from sandbox.systems.dataverse.body import check_names, read_columns, read_object
from sandbox.systems.dataverse.change import NO_ROW, Change
from sandbox.systems.dataverse.context import Contexts
from sandbox.systems.dataverse.errors import ODataError, bad_request, invalid_argument, not_allowed
from sandbox.systems.dataverse.operation import Operation
from sandbox.systems.dataverse.organization_service import OrganizationService
from sandbox.systems.dataverse.schema import Column, Schema, Table
from sandbox.systems.dataverse.store import Row, Store
from sandbox.systems.dataverse.values import is_guid, read

NO_TABLE = Table.load(
    {
        "LogicalName": "none",
        "EntitySetName": "none",
        "SchemaName": "none",
        "PrimaryIdAttribute": "noneid",
        "PrimaryNameAttribute": "name",
        "OwnershipType": "None",
        "IsOptimisticConcurrencyEnabled": False,
        "ChangeTrackingEnabled": False,
        "Attributes": [],
        "Keys": [],
    }
)
"""What a message of no table is about."""
_ENTITY, _COLLECTION, _REFERENCE, _PICKLIST, _STRINGS = 3, 4, 5, 9, 11
_INVALID = "0x80048d19"


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, Decimal | float) or _is_whole(value)


_SCALARS: Mapping[int, tuple[str, Callable[[Any], bool]]] = {
    0: ("Boolean", lambda value: isinstance(value, bool)),
    1: ("DateTime", lambda value: isinstance(value, str)),
    2: ("Decimal", _is_number),
    6: ("Double", _is_number),
    7: ("Integer", _is_whole),
    8: ("Money", _is_number),
    _PICKLIST: ("Picklist", _is_whole),
    10: ("String", lambda value: isinstance(value, str)),
    12: ("Uniqueidentifier", is_guid),
}
"""Types of columns that parameters of simple types have, and whether a value is one."""


class CustomApis:
    """Calls them."""

    def __init__(self, store: Store, schema: Schema, service: OrganizationService, contexts: Contexts) -> None:
        self._store, self._schema, self._service, self._contexts = store, schema, service, contexts

    def find(self, name: str, bound_to: str | None = None) -> Row | None:
        """The custom API of that unique name that is bound to a table, or to nothing."""
        found = self._store.find("customapi", {"uniquename": name})
        if found is None or found.values["uniquename"] != name:
            return None
        return found if found.values.get("boundentitylogicalname") == bound_to else None

    def call(self, operation: Operation, api: Row, target: Row | None = None) -> web.Response:
        """POST the parameters, for a bound one to a row: the steps on its message run."""
        call = operation.call
        if call.method != "POST":
            raise not_allowed(call.method)
        if privilege := api.values.get("executeprivilegename"):
            self._service.access.check_named(operation.info.user, privilege)
        name, parameters = (
            api.values["uniquename"],
            self._store.referring("customapirequestparameter", "customapiid", api),
        )
        body = read_object(call) if call.body else {}
        known = {row.values["uniquename"]: row.values for row in parameters}
        check_names(name, body, known)
        missing = [key for key, it in known.items() if not it.get("isoptional") and body.get(key) is None]
        if missing:
            raise invalid_argument(f"The required parameter '{missing[0]}' of {name} is missing.")
        values = tuple((key, self._value(key, it["type"], body[key])) for key, it in known.items() if key in body)
        table, row_id = NO_TABLE, NO_ROW
        if target is not None:
            table, row_id = self._schema[target.table], target.id
            values = (("Target", self._contexts.reference(table, row_id)), *values)
        self._service.run(operation.unit, Change(name, table, row_id, operation.info, parameters=values))
        properties = self._store.referring("customapiresponseproperty", "customapiid", api)
        if not properties:
            return web.Response(status=204)
        context = f"{call.root}$metadata#Microsoft.Dynamics.CRM.{name}Response"
        return json_answer({"@odata.context": context} | {row.values["uniquename"]: None for row in properties})

    def _value(self, name: str, kind: int, value: Any) -> Any:
        """A parameter's value as contexts have it."""
        if value is None:
            return None
        if kind == _ENTITY:
            return self._contexts.typed_entity(*self._entity(name, value))
        if kind == _REFERENCE:
            table, row_id, _ = self._entity(name, value, keyed=True)
            return self._contexts.reference(table, row_id)
        if kind == _COLLECTION:
            if not isinstance(value, list):
                raise _wrong(name)
            return self._contexts.collection([self._entity(name, each) for each in value])
        if kind == _STRINGS:
            if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
                raise _wrong(name)
            return value
        column_type, fits = _SCALARS[kind]
        if not fits(value):
            raise _wrong(name)
        column = Column.load({"LogicalName": name, "AttributeType": column_type, "Precision": 10})
        return self._contexts.value(column, value if kind == _PICKLIST else read("none", column, value))

    def _entity(self, name: str, value: Any, *, keyed: bool = False) -> tuple[Table, str, dict[str, Any]]:
        """The table that `@odata.type` names, the primary key and the columns."""
        kind = str(value.get("@odata.type", "")).rpartition(".")[2] if isinstance(value, dict) else ""
        table = self._schema.get(kind)
        if table is None:
            raise _wrong(name)
        columns = read_columns(table, value, self._schema, self._store)
        row_id = columns.get(table.id_column)
        if keyed and row_id is None:
            raise _wrong(name)
        return table, row_id or NO_ROW, columns


def _wrong(name: str) -> ODataError:
    return bad_request(f"The value of the parameter '{name}' does not have its type.", _INVALID)
