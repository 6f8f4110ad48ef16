"""A RemoteExecutionContext as .NET's DataContractSerializer writes it: XML, read into the form that its JSON has.

A service endpoint with the message format XML posts it. What is read here becomes the same event, with the same id, as
the JSON of the same context: `__type` from `i:type`, numbers with their digits, dates as `/Date(ms)/`. Namespaces are
not looked at, only local names. The format is that of .NET's documentation
(https://learn.microsoft.com/dotnet/framework/wcf/feature-details/data-contract-serializer); no capture of it is public.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from xml.parsers import expat

from integration.errors import Fault, Rejected
from integration.events.dates import looks_like_iso_date, milliseconds_of
from integration.events.limits import MAX_NODES, MAX_XML_DEPTH, too_deep, too_many
from integration.events.unread import UNREAD

_ROOT: Final = "RemoteExecutionContext"
_CONTRACTS: Final = "http://schemas.microsoft.com/xrm/2011/Contracts"


@dataclass(slots=True)
class _Node:
    name: str
    type: str | None = None
    is_nil: bool = False
    children: list["_Node"] = field(default_factory=list)
    text: list[str] = field(default_factory=list)


def parse_xml(body: bytes) -> dict[str, Any]:
    """The context in `body`. Raises `Rejected` (400) for everything else; a document type is refused unread."""
    root = _tree(body)
    if root.name != _ROOT:
        raise _rejected(f"The root element is {root.name[:60]}; it must be {_ROOT}.")
    return _members(root)


def _tree(body: bytes) -> _Node:
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    path = [_Node("")]
    count = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal count
        count += 1
        if len(path) > MAX_XML_DEPTH:
            raise too_deep(MAX_XML_DEPTH)
        if count > MAX_NODES:
            raise too_many()
        given = {_local(key): value for key, value in attributes.items()}
        declared = given.get("type")
        node = _Node(
            _local(name),
            declared.rpartition(":")[2] if declared else None,
            is_nil=given.get("nil") in ("true", "1"),
        )
        path[-1].children.append(node)
        path.append(node)

    def refuse(*_: object) -> None:
        raise _rejected("The body has a document type, which no context has.")

    def add(text: str) -> None:
        path[-1].text.append(text)

    parser.StartElementHandler = start
    parser.EndElementHandler = lambda _name: path.pop()
    parser.CharacterDataHandler = add
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(body, True)
    except expat.ExpatError as error:
        said = expat.errors.messages[error.code] if error.code else "unknown"
        raise _rejected(f"The body is not XML: {said} (line {error.lineno}, column {error.offset}).") from None
    return path[0].children[0]


def _local(name: str) -> str:
    return name.rpartition(" ")[2]


def _members(node: _Node, owner: str = "") -> dict[str, Any]:
    return {it.name: _member(it, owner) for it in node.children}


def _member(node: _Node, owner: str) -> Any:
    """A member of a data contract: its type is written only where it is declared as object.

    The entries of a list are pairs of key and value, or rows.
    """
    if node.name in _LISTS:
        return None if node.is_nil else [_members(it) for it in node.children]
    if node.is_nil or node.type is not None or node.children:
        return _value(node)
    convert = _DECLARED.get((owner, node.name)) or _DECLARED.get(("", node.name))
    return _converted(convert, node) if convert else "".join(node.text)


def _value(node: _Node) -> Any:
    if node.is_nil:
        return None
    kind = node.type
    if kind is None:
        return _members(node) if node.children else "".join(node.text)
    if kind in _SCALARS:
        return _converted(_SCALARS[kind], node)
    if kind in _COLLECTIONS or kind.startswith("ArrayOf"):
        return [_element(it, of_contracts=kind in _COLLECTIONS) for it in node.children]
    return {"__type": _declared_type(kind), **_members(node, kind)}


def _element(node: _Node, *, of_contracts: bool) -> Any:
    """An element of an array of scalars, which its name tells apart, or of a collection of contracts."""
    if node.is_nil:
        return None
    if of_contracts and node.type is None:
        return {"__type": _declared_type(node.name), **_members(node, node.name)}
    if node.type is None and node.name in _SCALARS:
        return _converted(_SCALARS[node.name], node)
    if node.type is None and node.name.startswith("KeyValuePairOf"):
        return {"__type": _declared_type(node.name), **_members(node)}
    return _value(node)


def _declared_type(kind: str) -> str:
    return f"{kind}:#System.Collections.Generic" if kind.startswith("KeyValuePairOf") else f"{kind}:{_CONTRACTS}"


def _converted(convert: Callable[[str], Any], node: _Node) -> Any:
    try:
        return convert("".join(node.text))
    except (ValueError, ArithmeticError):
        return UNREAD


def _number(text: str) -> Any:
    """As JSON's numbers are read: whole ones as int, the others as `Decimal`."""
    found = text.strip()
    return int(found) if found.lstrip("+-").isdigit() else _finite(Decimal(found))


def _finite(number: Decimal) -> Any:
    return number if number.is_finite() else UNREAD


def _flag(text: str) -> bool:
    found = text.strip()
    if found not in ("true", "false", "1", "0"):
        raise ValueError("must be true or false")
    return found in ("true", "1")


def _date(text: str) -> str:
    """As JSON has it: whole milliseconds, and the offset where the clock was a local one."""
    found = text.strip()
    if not looks_like_iso_date(found):
        raise ValueError("must be a date with time")
    moment = datetime.fromisoformat(found)
    offset = moment.utcoffset()
    shown = "" if offset is None or found.endswith("Z") else _offset(offset)
    return f"/Date({milliseconds_of(moment)}{shown})/"


def _offset(offset: timedelta) -> str:
    minutes = int(offset.total_seconds()) // 60
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}{abs(minutes) % 60:02}"


def _rejected(detail: str) -> Rejected:
    return Rejected(400, "The body cannot be read", detail, faults=(Fault("", detail),))


_SCALARS: Final[dict[str, Callable[[str], Any]]] = {
    **dict.fromkeys(("string", "guid", "char", "base64Binary", "duration"), str),
    **dict.fromkeys(("int", "long", "short", "byte", "unsignedInt", "unsignedShort", "unsignedByte"), int),
    **dict.fromkeys(("decimal", "double", "float", "unsignedLong"), _number),
    "boolean": _flag,
    "dateTime": _date,
}
_COLLECTIONS: Final = frozenset({"OptionSetValueCollection", "EntityReferenceCollection"})
"""What JSON shows as a bare array, whose elements have their type."""
_LISTS: Final = frozenset(
    {"Attributes", "FormattedValues", "KeyAttributes", "RelatedEntities", "Entities"}
    | {"InputParameters", "OutputParameters", "SharedVariables", "PreEntityImages", "PostEntityImages"}
)
_ENTITY_STATES: Final = {"Unchanged": 0, "Created": 1, "Changed": 2}
_ROLES: Final = {"Referencing": 0, "Referenced": 1}
_DECLARED: Final[dict[tuple[str, str], Callable[[str], Any]]] = {
    **{("", name): int for name in ("Depth", "IsolationMode", "Mode", "Stage", "TotalRecordCount")},
    **{("", name): _flag for name in ("IsExecutingOffline", "IsInTransaction", "IsOfflinePlayback")},
    **{("", name): _flag for name in ("MoreRecords", "TotalRecordCountLimitExceeded", "CanBeChanged")},
    ("", "OperationCreatedOn"): _date,
    ("", "EntityState"): lambda text: _ENTITY_STATES.get(text, text),
    ("", "PrimaryEntityRole"): lambda text: _ROLES.get(text, text),
    ("OptionSetValue", "Value"): int,
    ("Money", "Value"): _number,
    ("BooleanManagedProperty", "Value"): _flag,
}
"""Members that are neither text nor of a type that is written with them: by the contract that has them, or any."""
