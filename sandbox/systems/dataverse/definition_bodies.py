"""Reads bodies that make or change definitions into the short form of schema.json; 400 for an impossible one.

Nothing in a body is passed over; see `definition_settings`.
"""

import re
from collections.abc import Collection
from decimal import Decimal
from typing import Any

from sandbox.systems.dataverse.definition_settings import (
    KEPT_OF_COLUMNS,
    KEPT_OF_SOME_COLUMNS,
    KEPT_OF_TABLES,
    REQUIRED_LEVELS,
    check_choice,
    check_properties,
    kept_settings,
)
from sandbox.systems.dataverse.definitions import (
    NAMESPACE,
    OF_VIRTUAL_TABLES,
    column_document,
    key_document,
    table_document,
)
from sandbox.systems.dataverse.errors import ODataError, bad_request, invalid_argument, not_simulated
from sandbox.systems.dataverse.schema import Column, Table
from sandbox.systems.dataverse.system_columns import key_column, system_columns
from sandbox.systems.dataverse.virtual_definitions import check_external, check_virtual, external_of

Definition = dict[str, Any]

INVALID = "0x80048d19"
DUPLICATE_ATTRIBUTE = "0x80047013"
"""DuplicateAttributeSchemaName."""
_CUSTOM_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]{1,7}_[A-Za-z0-9_]+")
_TYPE = re.compile(r"#?Microsoft\.Dynamics\.CRM\.(?:Complex)?(\w+)AttributeMetadata")
_CREATABLE = frozenset(
    {"String", "Memo", "Integer", "Decimal", "Double", "Money", "Boolean", "DateTime", "Picklist", "BigInt"}
)
_ELSEWHERE = frozenset({"Lookup", "MultiSelectPicklist", "File", "Image", "EntityName", "ManagedProperty", "Virtual"})
_KEPT = (
    "MaxLength",
    "MinValue",
    "MaxValue",
    "Precision",
    "Format",
    "FormatName",
    "DefaultValue",
    "DefaultFormValue",
    "ExternalName",
)
_LIMITS = {
    "MaxLength": (1, 1_048_576),
    "Precision": (0, 10),
    "MinValue": (-922_337_203_685_477, 922_337_203_685_477),
    "MaxValue": (-922_337_203_685_477, 922_337_203_685_477),
}
_BEHAVIORS = frozenset({"UserLocal", "DateOnly", "TimeZoneIndependent"})
_TAKEN_OF_COLUMNS = frozenset(
    {*_KEPT, *KEPT_OF_COLUMNS, *KEPT_OF_SOME_COLUMNS, "SchemaName", "LogicalName", "AttributeType", "DisplayName"}
    | {"Description", "RequiredLevel", "DateTimeBehavior", "OptionSet", "IsPrimaryName", "AttributeTypeName"}
)
_TAKEN_OF_TABLES = frozenset(
    {*KEPT_OF_TABLES, "SchemaName", "LogicalName", "DisplayName", "DisplayCollectionName", "Description", "Attributes"}
    | {"OwnershipType", "EntitySetName", "ChangeTrackingEnabled", "HasNotes", "HasActivities", *OF_VIRTUAL_TABLES}
)
_TAKEN_OF_KEYS = frozenset({"SchemaName", "LogicalName", "KeyAttributes", "DisplayName"})


def new_column(table: Table, body: Definition) -> Definition:
    """A column from a POST to `Attributes`."""
    definition = _column(table.name, body, table.columns)
    check_external(table, definition)
    _check_column(table, body, definition)
    return definition


def changed_column(table: Table, column: Column, body: Definition) -> Definition:
    """The whole new definition of a column from a PUT; names and type stay."""
    named = column.type != "Uniqueidentifier" and {"@odata.type", "AttributeType"} & body.keys()
    kind = _column_type(body) if named else column.type
    if kind not in {column.type, _lookup_kind(column)}:
        raise bad_request(f"The type of the column {column.name} cannot be changed.", INVALID)
    dropped = {*_KEPT, *KEPT_OF_COLUMNS, *KEPT_OF_SOME_COLUMNS, "RequiredLevel", "Description"}
    kept = {name: value for name, value in column.definition.items() if name not in dropped}
    changed = _column_settings(column.type, body)
    if "OptionSet" in column.definition and "OptionSet" not in changed:
        changed["OptionSet"] = column.definition["OptionSet"]
    definition = kept | changed
    check_external(table, definition)
    _check_column(table, body, definition)
    return definition


def new_key(table: Table, body: Definition) -> Definition:
    """An alternate key from a POST to `Keys`."""
    columns, name = body.get("KeyAttributes") or [], _schema_name(body)
    if not isinstance(columns, list) or not all(isinstance(each, str) for each in columns):
        raise bad_request("KeyAttributes is a list of logical names of columns.", INVALID)
    unknown = [each for each in columns if each not in table.columns]
    if not columns or unknown:
        raise bad_request(f"An alternate key of {table.name} needs columns that exist; not there: {unknown}")
    if len(set(columns)) != len(columns):
        raise bad_request(f"An alternate key of {table.name} names a column twice: {columns}", INVALID)
    if any(name.lower() == key["LogicalName"] for key in table.key_definitions):
        said = f"An entity key with the name {name} already exists on entity {table.name}."
        raise ODataError(400, "0x80060893", said)  # EntityKeyNameExists
    if tuple(columns) in table.keys:
        said = "An entity key with the selected attributes already exists on entity."
        raise ODataError(400, "0x80060894", said)  # EntityKeyWithSelectedAttributesExists
    definition = {"SchemaName": name, "LogicalName": name.lower(), "KeyAttributes": list(columns)}
    definition |= {"DisplayName": text} if (text := label_text(body, "DisplayName")) else {}
    check_properties(body, key_document(table, definition), "EntityKeyMetadata", _TAKEN_OF_KEYS)
    return definition


def new_table(body: Definition, taken: set[str]) -> Definition:
    """A table from a POST to `EntityDefinitions` or `CreateEntities`, with the columns that every table has."""
    name = _schema_name(body)
    logical = name.lower()
    if logical in taken:
        said = f"An entity with the specified name {logical} already exists."
        raise ODataError(400, "0x80047010", said)  # DuplicateName
    listed = body.get("Attributes")
    if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
        raise bad_request("A table needs Attributes, with its primary name column among them.", INVALID)
    primary = [each for each in listed if each.get("IsPrimaryName")]
    if len(primary) != 1 or _column_type(primary[0]) != "String":
        raise bad_request("A table needs one column of type String with IsPrimaryName.", INVALID)
    ownership = body.get("OwnershipType", "UserOwned")
    if ownership not in {"UserOwned", "OrganizationOwned"}:
        raise bad_request(f"'{ownership}' is not an OwnershipType that can be created.", INVALID)
    external = external_of(body)
    given = [key_column(logical)] if external else system_columns(logical, ownership)
    columns: dict[str, Definition] = {each["LogicalName"]: each for each in given}
    for each in listed:
        column = _column(logical, each, columns)
        columns[column["LogicalName"]] = column
    texts = {key: label_text(body, key) for key in ("DisplayName", "DisplayCollectionName", "Description")}
    definition = (
        {
            "LogicalName": logical,
            "EntitySetName": body.get("EntitySetName") or _plural(logical),
            "SchemaName": name,
            "PrimaryIdAttribute": f"{logical}id",
            "PrimaryNameAttribute": str(primary[0]["SchemaName"]).lower(),
            "OwnershipType": ownership,
            "IsOptimisticConcurrencyEnabled": not external,
            "ChangeTrackingEnabled": bool(body.get("ChangeTrackingEnabled", False)),
            "HasEvents": True,
            "HasNotes": bool(body.get("HasNotes", False)),
            "HasActivities": bool(body.get("HasActivities", False)),
            "IsCustomEntity": True,
            "Attributes": list(columns.values()),
            "Keys": [],
        }
        | {key: text for key, text in texts.items() if text}
        | kept_settings(body, KEPT_OF_TABLES)
        | external
    )
    check_virtual(definition)
    table = Table.load(definition)
    check_properties(body, table_document(table), "EntityMetadata", _TAKEN_OF_TABLES)
    for each in listed:
        check_external(table, columns[each["SchemaName"].lower()])
        _check_column(table, each, columns[each["SchemaName"].lower()])
    return definition


def changed_table(table: Table, body: Definition) -> Definition:
    """The whole new definition of a table from a PUT, which changes labels, settings and change tracking."""
    changed = {key: label_text(body, key) for key in ("DisplayName", "DisplayCollectionName", "Description")}
    found: Definition = {key: text for key, text in changed.items() if text} | kept_settings(body, KEPT_OF_TABLES)
    for flag in ("HasNotes", "HasActivities"):
        if body.get(flag) is not None:
            found[flag] = bool(body[flag])
    if "ChangeTrackingEnabled" in body:
        if table.change_tracking and not body["ChangeTrackingEnabled"]:
            raise bad_request(
                f"Change tracking of the table {table.name} cannot be disabled once it is enabled.", INVALID
            )
        found["ChangeTrackingEnabled"] = bool(body["ChangeTrackingEnabled"])
    for fixed in ("OwnershipType", "PrimaryIdAttribute", "PrimaryNameAttribute", "LogicalName", "EntitySetName"):
        if body.get(fixed, table.definition[fixed]) != table.definition[fixed]:
            raise bad_request(f"{fixed} of the table {table.name} cannot be changed.", INVALID)
    definition = table.whole() | found | (external_of(body) if table.is_virtual else {})
    if bool(body.get("DataProviderId", definition.get("DataProviderId"))) != table.is_virtual:
        raise bad_request(f"The table {table.name} cannot become virtual, or stop being it.", INVALID)
    check_virtual(definition)
    check_properties(body, table_document(Table.load(definition)), "EntityMetadata", _TAKEN_OF_TABLES)
    return definition


def label_text(holder: Definition, name: str) -> str:
    """The text of a Label in a body; empty without one."""
    found = holder.get(name)
    if found is None:
        return ""
    labels = found.get("LocalizedLabels") if isinstance(found, dict) else None
    if not isinstance(labels, list) or not all(isinstance(each, dict) and "Label" in each for each in labels):
        raise bad_request(f"{name} is not a Label with LocalizedLabels.", INVALID)
    return str(labels[0]["Label"]) if labels else ""


def _column(table_name: str, body: Definition, taken: Collection[str]) -> Definition:
    name, kind = _schema_name(body), _column_type(body)
    if name.lower() in taken:
        said = f"An attribute with the specified name {name} already exists for entity {table_name}"
        raise ODataError(400, DUPLICATE_ATTRIBUTE, said)
    given = {"LogicalName": name.lower(), "SchemaName": name, "AttributeType": kind, "IsCustomAttribute": True}
    return given | _column_settings(kind, body)


def _check_column(table: Table, body: Definition, definition: Definition) -> None:
    """Raise for what a body says of a column and its definition does not."""
    check_properties(body, column_document(table, Column.load(definition)), "AttributeMetadata", _TAKEN_OF_COLUMNS)


def _column_settings(kind: str, body: Definition) -> Definition:
    found: Definition = {"DisplayName": label_text(body, "DisplayName")}
    if text := label_text(body, "Description"):
        found["Description"] = text
    level = _worded(body.get("RequiredLevel"))
    check_choice(body, "RequiredLevel", level, REQUIRED_LEVELS)
    _check_limits(body)
    if level not in {None, "None"}:
        found["RequiredLevel"] = level
    found |= {key: body[key] for key in _KEPT if body.get(key) is not None}
    found |= kept_settings(body, KEPT_OF_COLUMNS) | kept_settings(body, KEPT_OF_SOME_COLUMNS)
    if kind == "DateTime":
        found["DateTimeBehavior"] = _worded(body.get("DateTimeBehavior")) or "UserLocal"
        check_choice(body, "DateTimeBehavior", found["DateTimeBehavior"], _BEHAVIORS)
        check_choice(body, "Format", body.get("Format"), frozenset({"DateOnly", "DateAndTime"}))
    if kind in {"Picklist", "Boolean"} and body.get("GlobalOptionSet@odata.bind"):
        raise not_simulated("A column with a global choice")
    if kind in {"Picklist", "Boolean"} and body.get("OptionSet") is not None:
        found["OptionSet"] = _option_set(kind, body["OptionSet"])
    elif kind == "Boolean":
        found["OptionSet"] = {"TrueOption": {"Value": 1, "Label": "Yes"}, "FalseOption": {"Value": 0, "Label": "No"}}
    return found


def _check_limits(body: Definition) -> None:
    for name, (low, high) in _LIMITS.items():
        limit = body.get(name)
        if limit is None:
            continue
        if isinstance(limit, bool) or not isinstance(limit, int | float | Decimal) or not low <= limit <= high:
            raise bad_request(f"The value '{limit}' of {name} is outside of {low} to {high}.", INVALID)
    if body.get("MinValue") is not None and body.get("MaxValue") is not None and body["MinValue"] > body["MaxValue"]:
        raise bad_request("MinValue is greater than MaxValue.", INVALID)


def _option_set(kind: str, given: Any) -> Definition:
    if not isinstance(given, dict):
        raise bad_request("OptionSet is not an object.", INVALID)
    if kind == "Boolean":
        return {name: _option(given.get(name)) for name in ("TrueOption", "FalseOption")}
    options = given.get("Options", [])
    if not isinstance(options, list):
        raise bad_request("Options is not a list.", INVALID)
    read = [_option(each) for each in options]
    if len({each["Value"] for each in read}) != len(read):
        raise bad_request("The values of the options are not unique.", INVALID)
    return {"Options": read}


def _option(given: Any) -> Definition:
    if not isinstance(given, dict) or not isinstance(given.get("Value"), int):
        raise bad_request("An option needs a Value that is a number, and a Label.", INVALID)
    return {"Value": given["Value"], "Label": label_text(given, "Label")}


def _schema_name(body: Definition) -> str:
    name = body.get("SchemaName")
    if not isinstance(name, str) or _CUSTOM_NAME.fullmatch(name) is None:
        raise invalid_argument(f"The SchemaName '{name}' needs a publisher prefix: new_Name.")
    return name


def _column_type(body: Definition) -> str:
    """The type from `@odata.type` or `AttributeType`; both must say the same."""
    annotation, stated = body.get("@odata.type"), body.get("AttributeType")
    found = _TYPE.fullmatch(annotation) if isinstance(annotation, str) else None
    if annotation is not None and found is None:
        raise bad_request(f"'{annotation}' is not a type of {NAMESPACE}AttributeMetadata.", INVALID)
    kind = found[1] if found else stated
    if found and stated not in {None, kind} and not (kind == "Lookup" and stated in {"Customer", "Owner"}):
        raise bad_request(f"AttributeType '{stated}' does not fit {annotation}.", INVALID)
    if kind in _ELSEWHERE:
        raise not_simulated(f"A new column of type {kind}")
    if kind not in _CREATABLE:
        raise bad_request(f"A column of type '{kind}' cannot be created.", INVALID)
    return str(kind)


def _lookup_kind(column: Column) -> str:
    return "Lookup" if column.is_lookup else column.type


def _worded(given: Any) -> Any:
    return given.get("Value") if isinstance(given, dict) else given


def _plural(name: str) -> str:
    if name.endswith("y"):
        return f"{name[:-1]}ies"
    return f"{name}es" if name.endswith(("s", "x", "z", "ch", "sh")) else f"{name}s"
