"""InsertOptionValue and UpdateOptionValue: the options of a choice, which a PUT of its column does not change.

Source: the pages of these actions in Microsoft's Web API reference. Global choices are not simulated.
"""

from typing import Any

from sandbox.systems.dataverse.body import read_parameters
from sandbox.systems.dataverse.definition_bodies import label_text
from sandbox.systems.dataverse.errors import ODataError, bad_request, no_such_row
from sandbox.systems.dataverse.schema import Column, Schema, Table

INSERT, UPDATE = ACTIONS = ("InsertOptionValue", "UpdateOptionValue")
_NEEDED: dict[str, dict[str, type]] = {
    INSERT: {"EntityLogicalName": str, "AttributeLogicalName": str, "Label": dict},
    UPDATE: {"EntityLogicalName": str, "AttributeLogicalName": str, "Value": int, "Label": dict, "MergeLabels": bool},
}
_OPTIONAL: dict[str, dict[str, type]] = {INSERT: {"Value": int, "SolutionUniqueName": str}, UPDATE: {}}


def changed(action: str, body: dict[str, Any], schema: Schema) -> tuple[dict[str, Any], int]:
    """The table's whole new definition, and the value of the option; 400 for what is not possible."""
    given = read_parameters(action, body, _NEEDED[action], _OPTIONAL[action])
    table, column = _choice(given, schema)
    options = list(column.definition["OptionSet"]["Options"])
    text = label_text(given, "Label")
    wanted = given.get("Value")
    value = int(max(column.options, default=0) + 1 if wanted is None else wanted)
    if action == INSERT:
        if value in column.options:
            said = f"The value {value} is already an option of {table.name}.{column.name}."
            raise ODataError(400, "0x8004801a", said)
        options.append({"Value": value, "Label": text})
    elif value not in column.options:
        raise bad_request(f"{value} is not an option of {table.name}.{column.name}.")
    else:
        options = [{**each, "Label": text} if each["Value"] == value else each for each in options]
    return table.with_column(column.definition | {"OptionSet": {"Options": options}}), value


def _choice(given: dict[str, Any], schema: Schema) -> tuple[Table, Column]:
    table = schema.get(given["EntityLogicalName"])
    column = table.columns.get(given["AttributeLogicalName"]) if table else None
    if table is None or column is None:
        raise no_such_row(given["EntityLogicalName"], given["AttributeLogicalName"])
    if column.type != "Picklist":
        raise bad_request(f"{table.name}.{column.name} is not a choice of its own.")
    return table, column
