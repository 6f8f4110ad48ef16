"""`$filter` on definitions: properties of primitive and enumeration types, and those inside complex properties.

Source: "Query table definitions using the Web API" of Microsoft's documentation. Which type a property has is seen from
the definitions themselves; one that is null in all of them compares with anything.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any

from sandbox.systems.dataverse.definition_settings import REQUIRED_LEVELS
from sandbox.systems.dataverse.definitions import NAMESPACE, Document
from sandbox.systems.dataverse.errors import ODataError, bad_request, no_such_property
from sandbox.systems.dataverse.odata_syntax import Arguments, Token
from sandbox.systems.dataverse.odata_tests import Field, Subject

_ENUM = re.compile(r"Microsoft\.Dynamics\.CRM\.(\w+)'([^']*)'")
_ATTRIBUTE_TYPES = frozenset(
    {"BigInt", "Boolean", "CalendarRules", "Customer", "DateTime", "Decimal", "Double", "EntityName", "Integer"}
    | {"Lookup", "ManagedProperty", "Memo", "Money", "Owner", "PartyList", "Picklist", "State", "Status", "String"}
    | {"Uniqueidentifier", "Virtual"}
)
_ENUMERATIONS = {
    "OwnershipType": (
        "OwnershipTypes",
        frozenset({"None", "UserOwned", "TeamOwned", "BusinessOwned", "OrganizationOwned", "BusinessParented"}),
    ),
    "AttributeType": ("AttributeTypeCode", _ATTRIBUTE_TYPES),
    "EntityKeyIndexStatus": ("EntityKeyIndexStatus", frozenset({"Pending", "InProgress", "Active", "Failed"})),
    "RelationshipType": ("RelationshipType", frozenset({"OneToManyRelationship", "ManyToManyRelationship", "Default"})),
    "RequiredLevel/Value": ("AttributeRequiredLevel", REQUIRED_LEVELS),
}
"""Enumerations by property: their type, and its members."""
_FITTING = {bool: {"word"}, int: {"number"}, float: {"number"}, str: {"string", "guid", "enum", "time"}}


class Definitions:
    """Definitions as the subject of an expression; a path goes into complex properties (`IsCustomizable/Value`)."""

    def __init__(self, name: str, properties: frozenset[str], documents: list[Document]) -> None:
        self._name, self._properties, self._documents = name, properties, documents

    def field(self, path: str) -> Field[Document]:
        name, _, rest = path.partition("/")
        if name not in self._properties:
            raise no_such_property(name, self._name)
        sample = _first(each.get(name) for each in self._documents)
        if rest and isinstance(sample, dict):
            if rest not in sample:
                raise no_such_property(path, self._name)
            sample = _first((each.get(name) or {}).get(rest) for each in self._documents)
        elif rest and sample is not None:
            raise no_such_property(path, self._name)
        if isinstance(sample, dict | list):
            raise bad_request(f"The property '{path}' of {self._name} is neither primitive nor an enumeration.")

        def operand(document: Document) -> Any:
            value = document.get(name)
            return value.get(rest) if rest and isinstance(value, dict) else value

        return Field(path, operand, lambda token: _literal(path, sample, token), type(sample).__name__)

    def text_function(self, name: str, path: str, part: str) -> Callable[[Document], bool]:  # noqa: ARG002 -- the protocol's
        raise ODataError(501, "0x80060888", f'The "{name}" function isn\'t supported for Metadata Entities.')

    def query_function(self, name: str, arguments: Arguments) -> Callable[[Document], bool]:  # noqa: ARG002 -- the same
        raise bad_request(f"The function {NAMESPACE}{name} isn't supported for Metadata Entities.")

    def collection(self, path: str) -> tuple[Subject[Any], Callable[[Document], list[Any]]]:
        raise bad_request(f"The collection {path} cannot be filtered by on Metadata Entities.")


def _first(values: Iterable[Any]) -> Any:
    return next((value for value in values if value is not None), None)


def _literal(path: str, sample: Any, token: Token) -> Any:
    """The value of a literal, if it fits a property with values such as `sample`; members of enumerations are text."""
    if sample is not None and token.kind not in _FITTING[type(sample)]:
        raise bad_request(
            "A binary operator with incompatible types was detected. Found operand types do not fit property "
            f"'{path}' and '{token.text}'."
        )
    if token.kind == "enum":
        return _member(path, token.text)
    if token.kind == "number":
        return float(token.text) if "." in token.text else int(token.text)
    if token.kind == "word":
        return {"true": True, "false": False}[token.text]
    return token.value.lower() if token.kind == "guid" else token.value


def _member(path: str, text: str) -> str:
    found = _ENUM.fullmatch(text)
    kind, members = _ENUMERATIONS.get(path, ("", frozenset()))
    if found is None or found[1] != kind or found[2] not in members:
        raise bad_request(f"The string '{text}' is not a valid enumeration type constant of '{path}'.")
    return found[2]
