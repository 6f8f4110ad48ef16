"""A context as XML, as .NET's DataContractSerializer writes what DataContractJsonSerializer writes as JSON.

Made of the JSON form: `__type` becomes `i:type`, and text in the form of a date or a GUID gets that type. No capture of
such a message is public, so this follows .NET's documentation of the two serialisers.
"""

import re
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from xml.sax.saxutils import escape

_CONTRACTS = "http://schemas.microsoft.com/xrm/2011/Contracts"
_GENERIC = "http://schemas.datacontract.org/2004/07/System.Collections.Generic"
_INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"
_SCHEMA = "http://www.w3.org/2001/XMLSchema"
_SERIALIZATION = "http://schemas.microsoft.com/2003/10/Serialization/"
_ARRAYS = f"{_SERIALIZATION}Arrays"
_NAMESPACES = f'xmlns="{_CONTRACTS}" xmlns:i="{_INSTANCE}" xmlns:x="{_SCHEMA}"'
_DATE = re.compile(r"/Date\((-?\d+)(?:([+-])(\d\d)(\d\d))?\)/")
_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PAIRS = {
    **dict.fromkeys(
        ("Attributes", "InputParameters", "KeyAttributes", "OutputParameters", "SharedVariables"),
        "KeyValuePairOfstringanyType",
    ),
    **dict.fromkeys(("PostEntityImages", "PreEntityImages"), "KeyValuePairOfstringEntity"),
    "FormattedValues": "KeyValuePairOfstringstring",
    "RelatedEntities": "KeyValuePairOfRelationshipEntityCollection",
    "Entities": "Entity",
}
_STATES = {0: "Unchanged", 1: "Created", 2: "Changed"}
_ROLES = {0: "Referencing", 1: "Referenced"}
_LONG = 1 << 31


def dumps_xml(context: dict[str, Any]) -> str:
    """The document of a RemoteExecutionContext."""
    return f"<RemoteExecutionContext {_NAMESPACES}>{_members(context)}</RemoteExecutionContext>"


def _members(contract: dict[str, Any]) -> str:
    return "".join(_member(name, value) for name, value in contract.items() if name != "__type")


def _member(name: str, value: Any) -> str:
    """A member with a declared type, which is not written."""
    if value is None:
        return f'<{name} i:nil="true"/>'
    if name in _PAIRS:
        items = "".join(_item(_PAIRS[name], item) for item in value)
        return f'<{name} xmlns:b="{_GENERIC}">{items}</{name}>'
    if isinstance(value, dict):
        return f"<{name}>{_members(value)}</{name}>"
    if name == "EntityState":
        value = _STATES.get(value, value)
    if name == "PrimaryEntityRole":
        value = _ROLES.get(value, value)
    return f"<{name}>{_scalar(value)[1]}</{name}>"


def _item(kind: str, item: dict[str, Any]) -> str:
    if kind == "Entity":
        return f"<Entity>{_members(item)}</Entity>"
    return f"<{kind}><b:key>{escape(str(item['key']))}</b:key>{_slot('b:value', item['value'], kind)}</{kind}>"


def _slot(name: str, value: Any, kind: str) -> str:
    """A value: with its type where it is declared as object."""
    if value is None:
        return f'<{name} i:nil="true"/>'
    if kind == "KeyValuePairOfstringEntity":
        return f"<{name}>{_members(value)}</{name}>"
    if kind == "KeyValuePairOfstringstring":
        return f"<{name}>{escape(str(value))}</{name}>"
    if isinstance(value, dict):
        return f'<{name} i:type="{_kind(value)}">{_members(value)}</{name}>'
    if isinstance(value, list):
        return _collection(name, value)
    scalar, text = _scalar(value)
    more = f' xmlns:s="{_SERIALIZATION}"' if scalar == "s:guid" else ""
    return f'<{name} i:type="{scalar}"{more}>{text}</{name}>'


def _collection(name: str, items: list[Any]) -> str:
    kinds = {_kind(item) for item in items if isinstance(item, dict)}
    if kinds in ({"OptionSetValue"}, {"EntityReference"}):
        (kind,) = kinds
        inner = "".join(f"<{kind}>{_members(item)}</{kind}>" for item in items)
        return f'<{name} i:type="{kind}Collection">{inner}</{name}>'
    if kinds == {"KeyValuePairOfstringstring"}:
        inner = "".join(
            f"<b:KeyValuePairOfstringstring><b:key>{escape(item['key'])}</b:key><b:value>{escape(item['value'])}</b:value>"
            "</b:KeyValuePairOfstringstring>"
            for item in items
        )
        return f'<{name} i:type="b:ArrayOfKeyValuePairOfstringstring" xmlns:b="{_GENERIC}">{inner}</{name}>'
    if all(isinstance(item, str) for item in items):
        inner = "".join(f"<a:string>{escape(item)}</a:string>" for item in items)
        return f'<{name} i:type="a:ArrayOfstring" xmlns:a="{_ARRAYS}">{inner}</{name}>'
    inner = "".join(_slot("a:anyType", item, "") for item in items)
    return f'<{name} i:type="a:ArrayOfanyType" xmlns:a="{_ARRAYS}">{inner}</{name}>'


def _kind(contract: dict[str, Any]) -> str:
    return str(contract.get("__type", "")).partition(":")[0]


def _scalar(value: Any) -> tuple[str, str]:
    """The type and text of a scalar."""
    if isinstance(value, bool):
        return "x:boolean", "true" if value else "false"
    if isinstance(value, int):
        return "x:long" if abs(value) >= _LONG else "x:int", str(value)
    if isinstance(value, float):
        return "x:double", repr(value)
    if isinstance(value, Decimal):
        return "x:decimal", format(value, "f")
    if found := _DATE.fullmatch(value):
        return "x:dateTime", _time(found)
    return "s:guid" if _GUID.fullmatch(value) else "x:string", escape(value)


def _time(found: re.Match[str]) -> str:
    """In UTC with `Z`; with an offset, as a local clock of that offset shows it."""
    moment = _EPOCH + timedelta(milliseconds=int(found[1]))
    if found[2] is None:
        return moment.isoformat().replace("+00:00", "Z")
    minutes = (int(found[3]) * 60 + int(found[4])) * (1 if found[2] == "+" else -1)
    return moment.astimezone(timezone(timedelta(minutes=minutes))).isoformat()
