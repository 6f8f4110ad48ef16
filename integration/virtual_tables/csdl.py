"""The service document and `$metadata` (CSDL 4.0): what Dataverse reads when a virtual table is set up."""

import json
from collections.abc import Sequence
from typing import Final
from xml.sax.saxutils import quoteattr

from integration.virtual_tables.edm import Edm
from integration.virtual_tables.entity_set import Column, ServedSet

NAMESPACE: Final = "Integration.VirtualTables"


def service_document(root: str, sets: Sequence[ServedSet]) -> str:
    """The sets with their addresses, relative to `root` (which ends with a slash)."""
    listed = [{"name": it.name, "kind": "EntitySet", "url": it.name} for it in sets]
    return json.dumps({"@odata.context": f"{root}$metadata", "value": listed})


def metadata(sets: Sequence[ServedSet]) -> str:
    """The types of all sets, each with its key, and the container."""
    types = "".join(_type(it) for it in sets)
    names = "".join(
        f"<EntitySet Name={quoteattr(it.name)} EntityType={quoteattr(f'{NAMESPACE}.{type_name(it)}')}/>" for it in sets
    )
    return (
        '<?xml version="1.0" encoding="utf-8"?>'
        '<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx"><edmx:DataServices>'
        f'<Schema Namespace="{NAMESPACE}" xmlns="http://docs.oasis-open.org/odata/ns/edm">{types}'
        f'<EntityContainer Name="Container">{names}</EntityContainer>'
        "</Schema></edmx:DataServices></edmx:Edmx>"
    )


def type_name(entity_set: ServedSet) -> str:
    """The name of the type of a set's rows: the set's own without the `s` of the plural."""
    return entity_set.name.removesuffix("s")


def _type(entity_set: ServedSet) -> str:
    key = entity_set.declared.key
    properties = "".join(_property(it) for it in entity_set.columns)
    return (
        f"<EntityType Name={quoteattr(type_name(entity_set))}><Key><PropertyRef Name={quoteattr(key)}/></Key>"
        f'<Property Name={quoteattr(key)} Type="{Edm.GUID.value}" Nullable="false"/>{properties}</EntityType>'
    )


def _property(column: Column) -> str:
    facets = "" if not column.required else ' Nullable="false"'
    if column.edm is Edm.STRING:
        facets += f' MaxLength="{column.length}"'
    if column.edm is Edm.DECIMAL:
        facets += f' Precision="28" Scale="{column.scale}"'
    if column.edm is Edm.DATE_TIME_OFFSET:
        facets += ' Precision="3"'
    return f'<Property Name={quoteattr(column.name)} Type="{column.edm.value}"{facets}/>'
