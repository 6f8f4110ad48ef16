"""How the Web API describes itself: the service document, and `$metadata` in CSDL (OData 4.0)."""

from typing import Any
from xml.etree import ElementTree as ET

from aiohttp import web

from sandbox.systems.dataverse.relations import collections
from sandbox.systems.dataverse.schema import LOOKUP_TYPES, Column, Schema, Table
from sandbox.systems.dataverse.values import EDM_TYPES, MANAGED

EDMX = "http://docs.oasis-open.org/odata/ns/edmx"
EDM = "http://docs.oasis-open.org/odata/ns/edm"
NAMESPACE, ALIAS = "Microsoft.Dynamics.CRM", "mscrm"
BASE, PRINCIPAL = "crmbaseentity", "principal"
_TYPES = EDM_TYPES | dict.fromkeys(LOOKUP_TYPES, "Edm.Guid") | {MANAGED: f"{ALIAS}.BooleanManagedProperty"}


def service_document(root: str, schema: Schema) -> dict[str, Any]:
    """The entity sets, as `GET /api/data/v9.2/` lists them."""
    sets = [{"name": table.set_name, "kind": "EntitySet", "url": table.set_name} for table in schema]
    return {"@odata.context": f"{root}$metadata", "value": sorted(sets, key=lambda each: each["name"])}


def csdl(schema: Schema) -> web.Response:
    """The `$metadata` document: entity types with their keys and navigation properties, and the entity sets."""
    ET.register_namespace("edmx", EDMX)
    document = ET.Element(f"{{{EDMX}}}Edmx", {"Version": "4.0"})
    services = ET.SubElement(document, f"{{{EDMX}}}DataServices")
    described = ET.SubElement(services, "Schema", {"xmlns": EDM, "Namespace": NAMESPACE, "Alias": ALIAS})
    ET.SubElement(described, "EntityType", {"Name": BASE, "Abstract": "true"})
    ET.SubElement(described, "EntityType", {"Name": PRINCIPAL, "BaseType": f"{ALIAS}.{BASE}"})
    managed = ET.SubElement(described, "ComplexType", {"Name": "BooleanManagedProperty"})
    for name, kind in (
        ("Value", "Edm.Boolean"),
        ("CanBeChanged", "Edm.Boolean"),
        ("ManagedPropertyLogicalName", "Edm.String"),
    ):
        ET.SubElement(managed, "Property", {"Name": name, "Type": kind})
    container = ET.Element("EntityContainer", {"Name": "System"})
    for table in schema:
        _entity_type(described, table, schema)
        entity_set = ET.SubElement(
            container, "EntitySet", {"Name": table.set_name, "EntityType": _qualified(table.name)}
        )
        for navigation, (_, target) in table.by_navigation.items():
            bound = schema.get(target or "")
            if bound is not None:
                binding = {"Path": navigation, "Target": bound.set_name}
                ET.SubElement(entity_set, "NavigationPropertyBinding", binding)
    described.append(container)
    body = ET.tostring(document, encoding="utf-8", xml_declaration=True)
    return web.Response(body=body, content_type="application/xml")


def _entity_type(described: ET.Element, table: Table, schema: Schema) -> None:
    entity = ET.SubElement(described, "EntityType", {"Name": table.name, "BaseType": f"{ALIAS}.{BASE}"})
    key = ET.SubElement(entity, "Key")
    ET.SubElement(key, "PropertyRef", {"Name": table.id_column})
    for column in table.columns.values():
        _property(entity, column, table)
    for navigation, (column, target) in table.by_navigation.items():
        kind = target if target is not None and schema.get(target) is not None else PRINCIPAL
        given = {
            "Name": navigation,
            "Type": _qualified(kind),
            "Nullable": "false" if column.type == "Owner" else "true",
        }
        element = ET.SubElement(entity, "NavigationProperty", given)
        constraint = {"Property": column.property_name, "ReferencedProperty": f"{kind}id"}
        ET.SubElement(element, "ReferentialConstraint", constraint)
    for name, relationship in collections(schema, table).items():
        kind = f"Collection({_qualified(relationship.table.name)})"
        partner = relationship.column.navigation[table.name]
        ET.SubElement(entity, "NavigationProperty", {"Name": name, "Type": kind, "Partner": partner})


def _property(entity: ET.Element, column: Column, table: Table) -> None:
    kind = "Edm.Date" if column.date_only else _TYPES.get(column.type, "Edm.String")
    given = {"Name": column.property_name, "Type": kind}
    if column.name == table.id_column:
        given["Nullable"] = "false"
    if kind == "Edm.Decimal":
        given["Scale"] = "Variable"
    if kind == "Edm.String":
        given["Unicode"] = "false"
    ET.SubElement(entity, "Property", given)


def _qualified(name: str) -> str:
    return f"{ALIAS}.{name}"
