"""`$select`, `$filter` and `$expand` on definitions.

Source: "Query table definitions using the Web API" of Microsoft's documentation: any property can be selected, those of
primitive and enumeration types can be filtered, there are no pages, and MetadataId is always in the answer.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.systems.dataverse.definitions import LANGUAGE, NAMESPACE, Document
from sandbox.systems.dataverse.errors import ODataError, bad_request, no_such_property, not_simulated
from sandbox.systems.dataverse.odata_syntax import Arguments, Field, Subject, Token, compile_expression

_ON_LISTS = frozenset({"$select", "$filter", "$expand", "$count", "LabelLanguages"})
_EXPANSION = re.compile(r"\s*(\w+)\s*(?:\(([^()]*)\))?\s*(?:,|$)")
_ENUM = re.compile(r"Microsoft\.Dynamics\.CRM\.\w+'([^']*)'")


@dataclass(frozen=True)
class Kind:
    """A metadata type: its name, its properties, and what can be expanded of a document."""

    name: str
    properties: frozenset[str]
    expandable: Mapping[str, Callable[[Document], Any]]


def listed(documents: list[Document], kind: Kind, options: Mapping[str, str]) -> list[Document]:
    """The documents that pass the filter, as the options ask for them."""
    check_options(options, _ON_LISTS)
    if "$filter" in options:
        aliases = {name: text for name, text in options.items() if name.startswith("@")}
        test = compile_expression(options["$filter"], _Definitions(kind), aliases)
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
    if options.get("LabelLanguages", str(LANGUAGE)) != str(LANGUAGE):
        raise not_simulated(f"The language {options['LabelLanguages']} in labels")


def _shown(document: Document, kind: Kind, options: Mapping[str, str]) -> Document:
    shown = _selected(document, kind, options.get("$select"))
    text, at = options.get("$expand", ""), 0
    while at < len(text):
        found = _EXPANSION.match(text, at)
        if found is None or found.end() == at:
            raise bad_request(f"Term '{text}' is not valid in a $select or $expand expression.")
        shown[found[1]] = _expanded(document, kind, found[1], found[2] or "")
        at = found.end()
    return shown


def _expanded(document: Document, kind: Kind, name: str, inner: str) -> Any:
    if name not in kind.expandable:
        raise no_such_property(name, kind.name)
    value = kind.expandable[name](document)
    if not inner.strip():
        return value
    option, _, names = inner.partition("=")
    if option.strip() != "$select" or ";" in names:
        raise not_simulated(f"The nested option {inner.strip()} of $expand on definitions")
    if isinstance(value, list):
        return [_picked(each, names) for each in value]
    return None if value is None else _picked(value, names)


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


class _Definitions:
    """Definitions as the subject of an expression; a path goes into complex properties (`IsCustomizable/Value`)."""

    def __init__(self, kind: Kind) -> None:
        self._kind = kind

    def field(self, path: str) -> Field[Document]:
        name, _, rest = path.partition("/")
        if name not in self._kind.properties:
            raise no_such_property(name, self._kind.name)

        def operand(document: Document) -> Any:
            value = document.get(name)
            if rest:
                value = value.get(rest) if isinstance(value, dict) else None
            return value

        return Field(path, operand, _literal)

    def text_function(self, name: str, path: str, part: str) -> Callable[[Document], bool]:  # noqa: ARG002 -- the protocol's
        raise ODataError(501, "0x80060888", f'The "{name}" function isn\'t supported for Metadata Entities.')

    def query_function(self, name: str, arguments: Arguments) -> Callable[[Document], bool]:  # noqa: ARG002 -- the same
        raise bad_request(f"The function {NAMESPACE}{name} isn't supported for Metadata Entities.")

    def collection(self, path: str) -> tuple[Subject[Any], Callable[[Document], list[Any]]]:
        raise bad_request(f"The collection {path} cannot be filtered by on Metadata Entities.")


def _literal(token: Token) -> Any:
    """The value of a literal; members of enumerations are text here."""
    if token.kind == "enum":
        found = _ENUM.fullmatch(token.text)
        return found[1] if found else token.text
    if token.kind == "number":
        return float(token.text) if "." in token.text else int(token.text)
    if token.kind == "word":
        return {"true": True, "false": False}[token.text]
    return token.value
