"""`$select`, `$filter` and `$expand` on definitions.

Source: "Query table definitions using the Web API" of Microsoft's documentation: any property can be selected, those of
primitive and enumeration types can be filtered, there are no pages, and MetadataId is always in the answer.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.systems.dataverse.definitions import LANGUAGE, Document
from sandbox.systems.dataverse.errors import bad_request, no_such_property, not_simulated
from sandbox.systems.dataverse.metadata_filter import Definitions
from sandbox.systems.dataverse.odata_tests import compile_expression
from sandbox.systems.dataverse.query import split

_ON_LISTS = frozenset({"$select", "$filter", "$expand", "$count", "LabelLanguages"})
_NESTED = frozenset({"$select", "$filter", "$expand"})
_EXPANSION = re.compile(r"(\w+)\s*(?:\((.*)\))?", re.DOTALL)


@dataclass(frozen=True)
class Expandable:
    """A navigation property of a document: what is behind it, and of which kind that is."""

    of: Callable[[Document], Any]
    kind: Callable[[Document], "Kind"]


@dataclass(frozen=True)
class Kind:
    """A metadata type: its name, its properties, and what can be expanded of a document."""

    name: str
    properties: frozenset[str]
    expandable: Mapping[str, Expandable]


def listed(documents: list[Document], kind: Kind, options: Mapping[str, str]) -> list[Document]:
    """The documents that pass the filter, as the options ask for them."""
    check_options(options, _ON_LISTS)
    if "$filter" in options:
        aliases = {name: text for name, text in options.items() if name.startswith("@")}
        test = compile_expression(options["$filter"], Definitions(kind.name, kind.properties, documents), aliases)
        documents = [each for each in documents if test(each)]
    return [_shown(each, kind, options) for each in documents]


def single(document: Document, kind: Kind, options: Mapping[str, str]) -> Document:
    """One document as the options ask for it."""
    check_options(options, _ON_LISTS - {"$filter", "$count"})
    return _shown(document, kind, options)


def check_options(options: Mapping[str, str], allowed: frozenset[str]) -> None:
    """400 for an option that is not allowed here, 501 for labels in other languages than English."""
    for name in options:
        if name not in allowed and not name.startswith("@"):
            raise bad_request(f"The query parameter {name} is not supported on definitions")
    if options.get("$count", "true").lower() not in {"true", "false"}:
        raise bad_request(f"Invalid value '{options['$count']}' for $count query option found.")
    if options.get("LabelLanguages", str(LANGUAGE)) != str(LANGUAGE):
        raise not_simulated(f"The language {options['LabelLanguages']} in labels")


def _shown(document: Document, kind: Kind, options: Mapping[str, str]) -> Document:
    shown = _selected(document, kind, options.get("$select"))
    for each in split(options.get("$expand", ""), ","):
        found = _EXPANSION.fullmatch(each)
        if found is None:
            raise bad_request(f"Term '{each}' is not valid in a $select or $expand expression.")
        shown[found[1]] = _expanded(document, kind, found[1], found[2] or "")
    return shown


def _expanded(document: Document, kind: Kind, name: str, inner: str) -> Any:
    if name not in kind.expandable:
        raise no_such_property(name, kind.name)
    options: dict[str, str] = {}
    for each in split(inner, ";"):
        option, equals, value = each.partition("=")
        if option.strip() not in _NESTED or not equals:
            raise bad_request(f"The nested option '{each}' is not supported in $expand on definitions.")
        options[option.strip()] = value.strip()
    behind, nested = kind.expandable[name].of(document), kind.expandable[name].kind(document)
    if isinstance(behind, list):
        return listed(behind, nested, options)
    return None if behind is None else single(behind, nested, options)


def _selected(document: Document, kind: Kind, select: str | None) -> Document:
    if select is None:
        return dict(document)
    for name in _names(select):
        if name not in kind.properties and not name.startswith("@"):
            raise no_such_property(name, kind.name)
    return _picked(document, select)


def _picked(document: Document, select: str) -> Document:
    """Annotations and MetadataId are always there; a property that this type of attribute does not have is left out."""
    wanted = {"MetadataId", *_names(select)}
    return {name: value for name, value in document.items() if name in wanted or name.startswith("@")}


def _names(select: str) -> list[str]:
    return [name.strip() for name in select.split(",") if name.strip()]
