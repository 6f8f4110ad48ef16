"""Answers about definitions: lists, single ones, their properties, columns as their own type, and relationships."""

import re
from typing import Any

from aiohttp import web

from sandbox.systems.dataverse.addressing import Segment
from sandbox.systems.dataverse.answers import json_answer, value_answer
from sandbox.systems.dataverse.call import Call
from sandbox.systems.dataverse.definition_keys import named, not_found
from sandbox.systems.dataverse.definitions import (
    METADATA_TYPES,
    NAMESPACE,
    RELATIONS,
    Document,
    column_document,
    key_document,
    metadata_type,
    option_sets,
    relationship_documents,
    table_document,
)
from sandbox.systems.dataverse.errors import no_such_segment
from sandbox.systems.dataverse.metadata_query import Expandable, Kind, check_options, listed, single
from sandbox.systems.dataverse.schema import Column, Schema, Table

_CAST = re.compile(r"Microsoft\.Dynamics\.CRM\.(\w+)AttributeMetadata")
_RELATIONSHIP_TYPES = frozenset(f"{NAMESPACE}{kind}RelationshipMetadata" for kind in ("OneToMany", "ManyToMany"))
_OPTION_SET_TYPES = frozenset({"Picklist", "State", "Status", "Boolean"})


def column_kind(table: Table, cast: str | None) -> Kind:
    """The type of a table's columns; after a cast their own type, which option sets can be expanded of."""
    columns = [column for column in table.columns.values() if cast in {None, metadata_type(column)}]
    names = {name for column in columns for name in column_document(table, column)}
    common = {name for column in table.columns.values() if column.type == "Uniqueidentifier"
              for name in column_document(table, column)}  # fmt: skip
    expandable: dict[str, Expandable] = {}
    if cast in _OPTION_SET_TYPES:
        expandable = {name: _option_set(table, name) for name in ("OptionSet", "GlobalOptionSet")}
    return Kind(f"{cast or ''}AttributeMetadata", frozenset(names | common), expandable)


def _option_set(table: Table, name: str) -> Expandable:
    def of(document: Document) -> Any:
        return option_sets(table, table.columns[document["LogicalName"]])[name]

    return Expandable(of, lambda document: Kind("OptionSetMetadata", frozenset(of(document) or ()), {}))


def table_kind(schema: Schema) -> Kind:
    """The type of tables, of which columns, keys and relationships can be expanded."""

    def of(document: Document) -> Table:
        return schema[document["LogicalName"]]

    def expandable(name: str) -> Expandable:
        return Expandable(lambda d: related(schema, of(d), name), lambda _: RELATIONSHIP)

    parts = {
        "Attributes": Expandable(
            lambda d: [column_document(of(d), column) for column in of(d).columns.values()],
            lambda d: column_kind(of(d), None),
        ),
        "Keys": Expandable(lambda d: [key_document(of(d), key) for key in of(d).key_definitions], lambda _: KEY),
    }
    any_table = next(iter(schema))
    parts |= {name: expandable(name) for name in RELATIONS}
    return Kind("EntityMetadata", frozenset(table_document(any_table)), parts)


def related(schema: Schema, table: Table, name: str) -> list[Document]:
    """The relationships of a table, by the property that lists them."""
    if name == "ManyToManyRelationships":
        return []
    end = "ReferencedEntity" if name == "OneToManyRelationships" else "ReferencingEntity"
    return [each for each in relationship_documents(schema) if each[end] == table.name]


def relationships(call: Call, segment: Segment, documents: list[Document]) -> web.Response:
    """Relationships, after a cast those of one type, or the one with that key."""
    if segment.rest is not None:
        if segment.rest not in _RELATIONSHIP_TYPES:
            raise no_such_segment(segment.rest)
        documents = [each for each in documents if each["@odata.type"] == f"#{segment.rest}"]
    if segment.key is None:
        return many(call, segment.name, documents, RELATIONSHIP)
    name, value = named(segment.key)
    found = next((each for each in documents if each.get(name) == value), None)
    if found is None:
        raise not_found("a relationship", segment.key)
    return one(call, segment.name, found, RELATIONSHIP)


def read_column(call: Call, table: Table, column: Column, rest: str | None) -> web.Response:
    """One column, as its own type after a cast, or one of its properties."""
    document, cast = column_document(table, column), None
    context = f"{context_of(table)}/Attributes"
    part = Segment.parse(rest) if rest else None
    if part is not None and part.name.startswith(NAMESPACE):
        cast = cast_type(part.name)
        if cast != metadata_type(column):
            raise not_found(f"an attribute of type {cast}AttributeMetadata", f"LogicalName='{column.name}'")
        part = Segment.parse(part.rest) if part.rest else None
    if part is None:
        return one(call, context, document, column_kind(table, cast))
    if (
        part.key is None
        and part.rest is None
        and cast is not None
        and part.name in (sets := option_sets(table, column))
    ):
        return web.Response(status=204) if sets[part.name] is None else json_answer(sets[part.name])
    if part.key is not None:
        raise no_such_segment(part.name)
    return one_property(call, document, part)


def cast_type(segment: str) -> str:
    """`String` of `Microsoft.Dynamics.CRM.StringAttributeMetadata`; 404 for no such type."""
    found = _CAST.fullmatch(segment)
    if found is None or found[1] not in METADATA_TYPES:
        raise no_such_segment(segment)
    return found[1]


def context_of(table: Table) -> str:
    """The definition of a table in an `@odata.context`."""
    return f"EntityDefinitions('{table.name}')"


def many(call: Call, context: str, documents: list[Document], kind: Kind) -> web.Response:
    """A list of definitions, filtered and selected as the request asks."""
    shown = listed(documents, kind, call.query)
    answer: dict[str, Any] = {"@odata.context": _context(call, context)}
    if call.query.get("$count", "").lower() == "true":
        answer["@odata.count"] = len(shown)
    return json_answer(answer | {"value": shown})


def one(call: Call, context: str, document: Document, kind: Kind) -> web.Response:
    """One definition, selected as the request asks."""
    shown = single(document, kind, call.query)
    return json_answer({"@odata.context": f"{_context(call, context)}/$entity"} | shown)


def one_property(call: Call, document: Document, part: Segment) -> web.Response:
    """One property of a definition, what is inside it, or its `$value`; 404 without it."""
    check_options(call.query, frozenset({"LabelLanguages"}))
    names, value = [part.name, *(part.rest or "").split("/")], document
    raw = names[-1] == "$value"
    for name in (each for each in names if each not in {"", "$value"}):
        if name.startswith("@") or not isinstance(value, dict) or name not in value:
            raise no_such_segment(name)
        value = value[name]
    if raw or value is None:
        return value_answer(value)
    return json_answer({"@odata.context": _context(call, part.name), "value": value})


def _context(call: Call, context: str) -> str:
    selected = f"({call.query['$select']})" if "$select" in call.query else ""
    return f"{call.root}$metadata#{context}{selected}"


def created(uri: str) -> web.Response:
    """204 with the address of what was made."""
    return web.Response(status=204, headers={"OData-EntityId": uri})


KEY = Kind(
    "EntityKeyMetadata",
    frozenset(
        {"MetadataId", "EntityLogicalName", "LogicalName", "SchemaName", "DisplayName", "KeyAttributes"}
        | {"EntityKeyIndexStatus", "AsyncJob", "IsManaged"}
    ),
    {},
)
RELATIONSHIP = Kind(
    "RelationshipMetadataBase",
    frozenset(
        {"MetadataId", "SchemaName", "RelationshipType", "ReferencedEntity", "ReferencedAttribute"}
        | {
            "ReferencingEntity",
            "ReferencingAttribute",
            "ReferencingEntityNavigationPropertyName",
            "ReferencedEntityNavigationPropertyName",
            "IsCustomRelationship",
        }
    ),
    {},
)
