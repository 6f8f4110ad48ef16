"""Definitions as Web API metadata shows them: EntityMetadata, the types of AttributeMetadata, keys, relationships.

schema.json and the stored definitions are short: labels are text, requirement levels are words. Here they get the shape
of Microsoft's metadata types. A MetadataId follows from the full name of what it belongs to, so it is the same in every
sandbox and different for the same column of two tables.
"""

import uuid
from typing import Any

from sandbox.systems.dataverse.definition_settings import (
    KEPT_OF_COLUMNS,
    KEPT_OF_SOME_COLUMNS,
    KEPT_OF_TABLES,
    shown_settings,
)
from sandbox.systems.dataverse.privileges import privileges_of, shown_privileges
from sandbox.systems.dataverse.relations import collection_name
from sandbox.systems.dataverse.schema import Column, Schema, Table

Document = dict[str, Any]

NAMESPACE = "Microsoft.Dynamics.CRM."
LANGUAGE = 1033
_ID_SPACE = uuid.UUID("d1e5f0aa-5b6e-5d3c-9f41-6a2c1f0e7b11")
_TYPE_NAMES = {"Customer": "Lookup", "Owner": "Lookup"}
"""The metadata type of a column type, if they have different names."""
METADATA_TYPES = frozenset(
    {"String", "Memo", "Integer", "BigInt", "Decimal", "Double", "Money", "Boolean", "DateTime", "Picklist", "State"}
    | {"Status", "Lookup", "UniqueIdentifier", "EntityName", "ManagedProperty", "MultiSelectPicklist", "File", "Image"}
)
"""`<name>AttributeMetadata`: the types that `Attributes` can be cast to."""
_TYPED = ("MaxLength", "MinValue", "MaxValue", "Precision", "Format", "DefaultValue", "DefaultFormValue")
_OBJECT_TYPE_CODES = {
    "account": 1,
    "contact": 2,
    "opportunity": 3,
    "lead": 4,
    "systemuser": 8,
    "privilege": 1023,
    "businessunit": 10,
    "incident": 112,
    "organization": 1019,
    "role": 1036,
    "task": 4212,
    "sdkmessage": 4606,
    "sdkmessagefilter": 4607,
    "sdkmessageprocessingstep": 4608,
    "sdkmessageprocessingstepimage": 4615,
    "serviceendpoint": 4618,
    "asyncoperation": 4700,
    "solution": 7100,
    "publisher": 7101,
    "solutioncomponent": 7103,
    "transactioncurrency": 9105,
    "entity": 9800,
}
"""ObjectTypeCode of the platform's tables; those of other tables are above 10,000."""
OF_VIRTUAL_TABLES = ("DataProviderId", "DataSourceId", "ExternalName", "ExternalCollectionName")
"""Properties that are null for all other tables."""
RELATIONS = ("OneToManyRelationships", "ManyToOneRelationships", "ManyToManyRelationships")


def table_id(table: Table) -> str:
    """The MetadataId of a table."""
    return _metadata_id("entity", table.name)


def column_id(table: Table, column: str) -> str:
    """The MetadataId of a column."""
    return _metadata_id("attribute", table.name, column)


def key_id(table: Table, key: Document) -> str:
    """The MetadataId of an alternate key."""
    return _metadata_id("key", table.name, key["LogicalName"])


def table_document(table: Table) -> Document:
    """One EntityMetadata without its attributes and keys."""
    given = table.definition
    name = str(given["SchemaName"])
    custom = bool(given.get("IsCustomEntity", False))
    return {
        "MetadataId": table_id(table),
        "LogicalName": table.name,
        "SchemaName": name,
        "ObjectTypeCode": entity_code(table),
        "EntitySetName": table.set_name,
        "LogicalCollectionName": table.set_name,
        "CollectionSchemaName": f"{name}s",
        "PrimaryIdAttribute": table.id_column,
        "PrimaryNameAttribute": table.name_column,
        "OwnershipType": given["OwnershipType"],
        "TableType": "Virtual" if table.is_virtual else "Standard",
        "DisplayName": label(given.get("DisplayName") or name),
        "DisplayCollectionName": label(given.get("DisplayCollectionName") or f"{given.get('DisplayName') or name}s"),
        "Description": label(given.get("Description") or ""),
        "IsCustomEntity": custom,
        "IsManaged": not custom,
        "IsPrivate": False,
        "IsIntersect": False,
        "IsActivity": False,
        "HasActivities": bool(given.get("HasActivities", False)),
        "HasNotes": bool(given.get("HasNotes", False)),
        "IsOptimisticConcurrencyEnabled": table.optimistic_concurrency,
        "ChangeTrackingEnabled": table.change_tracking,
        "CanChangeTrackingBeEnabled": managed(
            "canchangetrackingbeenabled", value=table.has_events and not table.is_virtual
        ),
        "IsCustomizable": managed("iscustomizable", value=True),
        **{name: given.get(name) for name in OF_VIRTUAL_TABLES},
        "Privileges": shown_privileges(privileges_of(table)),
    } | shown_settings(given, KEPT_OF_TABLES)


def entity_code(table: Table) -> int:
    """The ObjectTypeCode of a table."""
    return _OBJECT_TYPE_CODES.get(table.name) or _custom_code(table.name)


def entity_row(table: Table) -> Document:
    """The row of the table `entity` for a table, which assignments to catalogs refer to."""
    return {
        "entityid": table_id(table),
        "name": str(table.definition["SchemaName"]),
        "logicalname": table.name,
        "entitysetname": table.set_name,
    }


def column_document(table: Table, column: Column) -> Document:
    """One AttributeMetadata of its own type; option sets are in `option_sets`, as they have to be expanded."""
    given = column.definition
    custom = bool(given.get("IsCustomAttribute", False))
    document: Document = {
        "@odata.type": f"#{NAMESPACE}{metadata_type(column)}AttributeMetadata",
        "MetadataId": column_id(table, column.name),
        "EntityLogicalName": table.name,
        "LogicalName": column.name,
        "SchemaName": given.get("SchemaName") or column.name,
        "AttributeType": column.type,
        "AttributeTypeName": {"Value": f"{column.type}Type"},
        "AttributeOf": None,
        "DisplayName": label(given.get("DisplayName") or column.name),
        "Description": label(given.get("Description") or ""),
        "RequiredLevel": {
            "Value": given.get("RequiredLevel") or "None",
            "CanBeChanged": True,
            "ManagedPropertyLogicalName": "canmodifyrequirementlevelsettings",
        },
        "IsPrimaryId": column.name == table.id_column,
        "IsPrimaryName": column.name == table.name_column,
        "IsCustomAttribute": custom,
        "IsManaged": not custom,
        "IsLogical": False,
        "IsSecured": column.is_secret,
        "ExternalName": column.external_name or None,
        "IsValidForCreate": column.writable("Create"),
        "IsValidForRead": True,
        "IsValidForUpdate": column.writable("Update") and column.name != table.id_column,
    }
    if column.is_lookup:
        document["Targets"] = list(column.navigation)
    document |= {name: given[name] for name in (*_TYPED, *sorted(KEPT_OF_SOME_COLUMNS)) if name in given}
    document |= shown_settings(given, KEPT_OF_COLUMNS)
    if column.type in {"String", "Memo"}:
        document["FormatName"] = given.get("FormatName") or {"Value": "Text"}
    if column.type == "DateTime":
        document["DateTimeBehavior"] = _value(given.get("DateTimeBehavior") or "UserLocal")
    return document


def option_sets(table: Table, column: Column) -> Document:
    """What `$expand=OptionSet,GlobalOptionSet` adds to a column; empty for columns without choices."""
    if not column.options:
        return {}
    common: Document = {"MetadataId": _metadata_id("optionset", table.name, column.name), "IsGlobal": False}
    common |= {
        "Name": f"{table.name}_{column.name}",
        "IsCustomOptionSet": bool(column.definition.get("IsCustomAttribute")),
    }
    options = [
        {"Value": value, "Label": label(text), "Description": label("")}
        | ({"State": column.states[value]} if value in column.states else {})
        for value, text in column.options.items()
    ]
    if column.type == "Boolean":
        by_value = {option["Value"]: option for option in options}
        found = common | {"OptionSetType": "Boolean", "TrueOption": by_value[1], "FalseOption": by_value[0]}
        kind = "BooleanOptionSetMetadata"
    else:
        found, kind = common | {"OptionSetType": column.type, "Options": options}, "OptionSetMetadata"
    return {"OptionSet": {"@odata.type": f"#{NAMESPACE}{kind}"} | found, "GlobalOptionSet": None}


def key_document(table: Table, key: Document) -> Document:
    """One EntityKeyMetadata; its index is there as soon as the key is."""
    return {
        "MetadataId": key_id(table, key),
        "EntityLogicalName": table.name,
        "LogicalName": key["LogicalName"],
        "SchemaName": key["SchemaName"],
        "DisplayName": label(key.get("DisplayName") or key["SchemaName"]),
        "KeyAttributes": list(key["KeyAttributes"]),
        "EntityKeyIndexStatus": "Active",
        "AsyncJob": None,
        "IsManaged": False,
    }


def relationship_documents(schema: Schema) -> list[Document]:
    """OneToManyRelationshipMetadata of every lookup and each table that it may refer to."""
    return [
        {
            "@odata.type": f"#{NAMESPACE}OneToManyRelationshipMetadata",
            "MetadataId": _metadata_id("relationship", table.name, column.name, target),
            "SchemaName": collection_name(table, column, target) or f"{target}_{table.name}_{column.name}",
            "RelationshipType": "OneToManyRelationship",
            "ReferencedEntity": target,
            "ReferencedAttribute": schema[target].id_column,
            "ReferencingEntity": table.name,
            "ReferencingAttribute": column.name,
            "ReferencingEntityNavigationPropertyName": navigation,
            "ReferencedEntityNavigationPropertyName": collection_name(table, column, target),
            "IsCustomRelationship": bool(column.definition.get("IsCustomAttribute", False)),
        }
        for table in schema
        for column in table.columns.values()
        for target, navigation in (column.navigation.items() if column.is_lookup else ())
        if schema.get(target) is not None
    ]


def metadata_type(column: Column) -> str:
    """`String` for StringAttributeMetadata."""
    if column.type == "Uniqueidentifier":
        return "UniqueIdentifier"
    return _TYPE_NAMES.get(column.type, column.type)


def label(text: str) -> Document:
    """A Label in the one language of the sandbox."""
    if not text:
        return {"LocalizedLabels": [], "UserLocalizedLabel": None}
    one = {
        "Label": text,
        "LanguageCode": LANGUAGE,
        "IsManaged": False,
        "MetadataId": _metadata_id("label", text),
        "HasChanged": None,
    }
    return {"LocalizedLabels": [one], "UserLocalizedLabel": one}


def managed(name: str, *, value: bool) -> Document:
    """A BooleanManagedProperty."""
    return {"Value": value, "CanBeChanged": True, "ManagedPropertyLogicalName": name}


def _value(given: Any) -> Document:
    return given if isinstance(given, dict) else {"Value": given}


def _custom_code(name: str) -> int:
    return 10_000 + uuid.uuid5(_ID_SPACE, name).int % 50_000


def _metadata_id(*names: str) -> str:
    return str(uuid.uuid5(_ID_SPACE, "/".join(names)))
