"""What the declared entity sets require of an environment: a data source, and a virtual table for each set.

A table has the columns that the app's `$metadata` has, so those that its ERP has a field for. Types: "OData v4 Data
Provider configuration, requirements, and best practices" in Microsoft's documentation.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from integration.registration.declaration import Declaration, Values, VirtualTableOptions
from integration.registration.endpoints import KEY_HEADER
from integration.registration.items import Item
from integration.registration.plan import Problem
from integration.registration.reading_virtual_tables import SWITCHES
from integration.registration.served_metadata import ServedProperty, ServedType
from integration.virtual_tables.edm import Edm
from integration.virtual_tables.entity_set import Column, EntitySet

KINDS: Final = frozenset({"data-source", "virtual-table", "virtual-column", "virtual-events"})
"""Kinds of items that are written here."""
_CLIENT_SIDE: Final = 0
_LONGEST_TEXT: Final = 4000
"""Characters of a column of type String; a longer one is a Memo."""
_TYPES: Final = {
    Edm.BOOLEAN: "Boolean",
    Edm.INT32: "Integer",
    Edm.INT64: "BigInt",
    Edm.DECIMAL: "Decimal",
    Edm.DOUBLE: "Double",
    Edm.DATE_TIME_OFFSET: "DateTime",
}
_MOST_DECIMALS: Final = 10


def virtual_items(
    sets: Collection[EntitySet], served: Mapping[str, ServedType], declaration: Declaration, values: Values
) -> Iterator[Item]:
    """The data source, then the tables, their columns and their events."""
    options, prefix = declaration.virtual_tables, values.publisher_prefix
    yield _data_source(options, values)
    shown = [it for it in sets if it.name in served and (options.sets is None or it.name in options.sets)]
    for each in shown:
        yield _table(each, served[each.name], options, prefix)
        yield from _columns(each, served[each.name], prefix)
    for each in shown if options.events else ():
        table = table_name(served[each.name], prefix)
        switches = dict.fromkeys(SWITCHES, True)
        yield Item("virtual-events", table, switches, f"Changes of {each.name} in the ERP")


def differences(sets: Collection[EntitySet], served: Mapping[str, ServedType]) -> Iterator[Problem]:
    """Where the declared sets and the app's `$metadata` do not agree: Dataverse would read nothing, or errors."""
    by_case = {it.casefold(): it for it in served}
    for each in sets:
        there = by_case.get(each.name.casefold())
        if there is not None and there != each.name:
            text = f"the app calls the set {there}: names are case-sensitive"
            yield Problem(f"virtual-table.{each.name}", text)
        elif there is not None:
            yield from (Problem(f"virtual-table.{each.name}", it) for it in _of_type(each, served[there]))


def table_name(served: ServedType, prefix: str) -> str:
    """The logical name of the table of a set."""
    return f"{prefix}_{served.name}".lower()


def _of_type(declared: EntitySet, served: ServedType) -> Iterator[str]:
    if served.key != declared.key:
        yield f"its key is {declared.key}, and the app calls it {served.key}: names are case-sensitive"
    columns = {it.name: it for it in declared.columns}
    by_case = {it.casefold(): it for it in columns}
    for name, found in served.properties.items():
        column = columns.get(name)
        if column is None:
            meant = by_case.get(name.casefold())
            yield (
                f"the app has a column {name}, which is not declared: deploy the version that is registered"
                if meant is None
                else f"the app calls the column {meant} {name}: names are case-sensitive"
            )
        elif (found.edm, found.required) != (column.edm.value, column.required):
            has, wants = _said(found.edm, found.required), _said(column.edm.value, column.required)
            yield f"the column {name} is {wants}, and the app says {has}: deploy the version that is registered"


def _said(edm: str, required: bool) -> str:
    return f"{edm}, {'never null' if required else 'perhaps null'}"


def _data_source(options: VirtualTableOptions, values: Values) -> Item:
    fields = {
        "msdyn_uri": str(values.virtual_tables_url).rstrip("/"),
        "msdyn_timeout": options.timeout,
        "msdyn_paginationtype": _CLIENT_SIDE,
        "msdyn_returninlinecount": True,
        "msdyn_parameter1name": KEY_HEADER,
        "msdyn_isparameter1header": True,
    }
    return Item("data-source", options.data_source, fields)


def _table(declared: EntitySet, served: ServedType, options: VirtualTableOptions, prefix: str) -> Item:
    fields = {
        "label": declared.label or declared.name,
        "source": options.data_source,
        "external": served.name,
        "collection": declared.name,
        "key": served.key,
        "primary": f"{prefix}_{declared.title}",
    }
    return Item("virtual-table", table_name(served, prefix), fields, declared.label, f"{prefix}_{served.name}")


def _columns(declared: EntitySet, served: ServedType, prefix: str) -> Iterator[Item]:
    """GUIDs beside the key have none: Dataverse maps them to lookups, and has none between two virtual tables."""
    for column in declared.columns:
        found = served.properties.get(column.name)
        if found is not None and column.edm is not Edm.GUID:
            name = f"{prefix}_{column.name}"
            fields = _fields(column, found)
            yield Item("virtual-column", f"{table_name(served, prefix)}.{name}", fields, column.label, name)


def _fields(column: Column, found: ServedProperty) -> dict[str, Any]:
    """A column as it is compared."""
    fields: dict[str, Any] = {
        "label": column.label or column.name,
        "external": column.name,
        "required": column.required,
        "type": _TYPES.get(column.edm, "String"),
    }
    if column.edm is Edm.STRING:
        length = found.length or column.length
        fields |= {"type": "String" if length <= _LONGEST_TEXT else "Memo", "MaxLength": length}
    elif column.edm in {Edm.DECIMAL, Edm.DOUBLE}:
        fields["Precision"] = min(column.scale if found.scale is None else found.scale, _MOST_DECIMALS)
    elif column.edm is Edm.DATE_TIME_OFFSET:
        behavior = "TimeZoneIndependent" if column.day else "UserLocal"
        fields |= {"Format": "DateOnly" if column.day else "DateAndTime", "DateTimeBehavior": behavior}
    return fields
