"""Reads the columns in the body of a POST or PATCH."""

from collections.abc import Collection, Mapping
from typing import Any

from sandbox.systems.dataverse.addressing import reference
from sandbox.systems.dataverse.call import Call
from sandbox.systems.dataverse.errors import ODataError, bad_request, invalid_argument, undeclared_property
from sandbox.systems.dataverse.json_text import loads
from sandbox.systems.dataverse.schema import Schema, Table
from sandbox.systems.dataverse.store import Store, Values
from sandbox.systems.dataverse.values import read

BIND = "@odata.bind"
_NEVER_NULL = frozenset({"State", "Status", "Owner"})


def read_object(call: Call) -> dict[str, Any]:
    """The JSON object of a request; 400 otherwise."""
    try:
        body = loads(call.body.decode())
    except ValueError as wrong:
        raise bad_request(f"Invalid JSON. {wrong}", "0x80048d19") from wrong
    if not isinstance(body, dict):
        raise bad_request("The request body is not a JSON object.", "0x80048d19")
    return body


def check_names(operation: str, body: dict[str, Any], known: Collection[str]) -> None:
    """400 for a parameter that an operation does not have."""
    for name in body:
        if name not in known and "@" not in name:
            said = f"The parameter '{name}' in the request payload is not a valid parameter for the operation"
            raise bad_request(f"{said} '{operation}'.", "0x80048d19")


def read_parameters(
    action: str, body: dict[str, Any], needed: Mapping[str, type], optional: Mapping[str, type]
) -> dict[str, Any]:
    """The parameters of an action; 400 for one that it does not have, is missing or of the wrong type."""
    known = {**needed, **optional}
    check_names(action, body, known)
    for name, value in body.items():
        kind = known.get(name, object)
        if value is not None and (not isinstance(value, kind) or (kind is int and isinstance(value, bool))):
            raise bad_request(f"The parameter '{name}' of {action} has the wrong type.", "0x80048d19")
    missing = [name for name in needed if body.get(name) is None]
    if missing:
        raise bad_request(f"The action {action} needs the parameter {missing[0]}.", "0x80048d19")
    return body


def read_columns(table: Table, body: dict[str, Any], schema: Schema, store: Store) -> Values:
    """Stored values by column; 400 for a column that the table does not have."""
    columns: Values = {}
    check_type(table, body)
    for name, value in body.items():
        if name.endswith(BIND):
            column, target = _navigation(table, name.removesuffix(BIND))
            columns[column] = None if value is None else reference(target, value, schema, store)
        elif "@" in name:
            continue
        elif name in table.by_navigation and value is None:
            columns[table.by_navigation[name][0].name] = None
        elif name in table.columns and not table.columns[name].is_lookup:
            columns[name] = read(table.name, table.columns[name], value)
        elif name in table.by_property:
            raise bad_request(
                "CRM do not support direct update of Entity Reference properties, Use Navigation properties instead."
            )
        else:
            raise undeclared_property(name, table.name)
    for name, value in columns.items():
        if value is None and table.columns[name].type in _NEVER_NULL:
            raise invalid_argument(f"The column '{name}' of '{table.name}' cannot be null.")
    return columns


def check_type(table: Table, body: dict[str, Any]) -> None:
    """400 for a body that says of itself to be a row of another table."""
    stated = body.get("@odata.type")
    if stated is not None and str(stated).removeprefix("#") != f"Microsoft.Dynamics.CRM.{table.name}":
        raise bad_request(
            f"A resource with type '{stated}' was found, but it is not assignable to the expected type "
            f"'Microsoft.Dynamics.CRM.{table.name}'.",
            "0x80048d19",
        )


def _navigation(table: Table, name: str) -> tuple[str, str | None]:
    if name not in table.by_navigation:
        raise ODataError(
            400,
            "0x80048d19",
            f"Error identified in Payload provided by the user for Entity :'{table.set_name}', InnerException : "
            f"Microsoft.OData.ODataException: An undeclared property '{name}' which only has property annotations in "
            "the payload but no property value was found in the payload. In OData, only declared navigation "
            "properties and declared named streams can be represented as properties without values.",
        )
    column, target = table.by_navigation[name]
    return column.name, target
