"""Column values: read from a Web API body, checked as Dataverse checks them, and shown formatted."""

import re
import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from sandbox.systems.dataverse.errors import ODataError, unreadable_value
from sandbox.systems.dataverse.schema import Column

MONEY_DIGITS = 4
EDM_TYPES = {
    "Integer": "Edm.Int32",
    "BigInt": "Edm.Int64",
    "Picklist": "Edm.Int32",
    "State": "Edm.Int32",
    "Status": "Edm.Int32",
    "Boolean": "Edm.Boolean",
    "Decimal": "Edm.Decimal",
    "Double": "Edm.Double",
    "Money": "Edm.Decimal",
    "DateTime": "Edm.DateTimeOffset",
    "Uniqueidentifier": "Edm.Guid",
}
"""Types of OData by those of columns; every other type is text."""
EXACT = frozenset({"Decimal", "Money", "Double"})
"""Types whose values are kept as text of digits."""
MANAGED = "ManagedProperty"
"""A type whose values say as well whether they can be changed; they are stored as they are shown."""
_CHOICES = frozenset({"Picklist", "State", "Status"})
_LOWEST, _HIGHEST = -2_147_483_648, 2_147_483_647
_GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)


def now() -> str:
    """The time as it is stored: UTC, whole seconds."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def is_guid(text: object) -> bool:
    """Whether a text is a GUID as the Web API writes it."""
    return isinstance(text, str) and _GUID.fullmatch(text) is not None


def new_guid() -> str:
    """A new primary key."""
    return str(uuid.uuid4())


def read(table: str, column: Column, value: Any) -> Any:
    """The stored form of a value from a body; 400 where Dataverse would refuse it."""
    reader = _READERS[column.type]
    return None if value is None else reader(table, column, value)


def literal(column: Column, value: Any) -> Any:
    """The form in which a stored value is compared and sorted."""
    if value is None:
        return None
    if column.is_lookup:
        return value["id"]
    if column.type == MANAGED:
        return value["Value"]
    if column.type in EXACT:
        return Decimal(value)
    return value.casefold() if isinstance(value, str) else value


def web(column: Column, value: Any) -> Any:
    """The form of a stored value in a Web API answer."""
    if value is None or column.is_secret:
        return None
    if column.is_lookup:
        return value["id"]
    return Decimal(value) if column.type in EXACT else value


def formatted(column: Column, value: Any, *, symbol: str = "") -> str | None:
    """The text a user sees (en-US, UTC); None for columns that have no formatted value of their own."""
    show = _FORMATTERS.get(column.type)
    if value is None or show is None:
        return None
    return (symbol if column.type == "Money" else "") + show(column, value)


def _text(table: str, column: Column, value: Any) -> str:
    text = _whole(_instance(column, value, str))
    limit = column.definition.get("MaxLength")
    if limit is not None and len(text) > limit:
        raise ODataError(
            400,
            "0x80044331",
            f"A validation error occurred.  The length of the '{column.name}' attribute of the '{table}' entity "
            f"exceeded the maximum allowed length of '{limit}'.",
        )
    return text


def _whole(text: str) -> str:
    """A text whose escapes may have left halves of characters: those become U+FFFD, as .NET writes them."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _number(table: str, column: Column, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise unreadable_value(column.name, value, EDM_TYPES[column.type])
    if column.type in _CHOICES:
        allowed = ",".join(map(str, column.options))
        fits = value in column.options
    else:
        low = column.definition.get("MinValue", _LOWEST)
        high = column.definition.get("MaxValue", _HIGHEST)
        allowed, fits = f"{low} to {high}", low <= value <= high
    if not fits:
        raise ODataError(
            400,
            "0x80044330",
            f"A validation error occurred. The value {value} of '{column.name}' on record of type '{table}' is outside "
            f"the valid range. Accepted Values: {allowed}",
        )
    return value


def _decimal(_: str, column: Column, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | Decimal | float):
        raise unreadable_value(column.name, value, "Edm.Decimal")
    digits = column.definition.get("Precision", MONEY_DIGITS)
    try:
        return format(Decimal(str(value)).quantize(Decimal(1).scaleb(-digits)), "f")
    except InvalidOperation as wrong:
        raise unreadable_value(column.name, value, "Edm.Decimal") from wrong


def _time(_: str, column: Column, value: Any) -> str:
    text: str = _instance(column, value, str)
    try:
        if column.date_only:
            return date.fromisoformat(text[:10]).isoformat()
        time = datetime.fromisoformat(text)
    except ValueError as wrong:
        raise unreadable_value(column.name, value, "Edm.DateTimeOffset") from wrong
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _shown_time(column: Column, value: str) -> str:
    if column.date_only:
        day = date.fromisoformat(value)
        return f"{day.month}/{day.day}/{day.year}"
    time = datetime.fromisoformat(value)
    return f"{time.month}/{time.day}/{time.year} {time:%I:%M %p}".replace(" 0", " ")


def _instance(column: Column, value: Any, expected: type) -> Any:
    if not isinstance(value, expected):
        raise unreadable_value(column.name, value, EDM_TYPES.get(column.type, "Edm.String"))
    return value


def _guid(_: str, column: Column, value: Any) -> str:
    if not is_guid(value):
        raise unreadable_value(column.name, value, "Edm.Guid")
    return str(value).lower()


def _boolean(_: str, column: Column, value: Any) -> bool:
    return bool(_instance(column, value, bool))


def _managed(_: str, column: Column, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict) or not isinstance(value.get("Value"), bool):
        raise unreadable_value(column.name, value, "Microsoft.Dynamics.CRM.BooleanManagedProperty")
    return {
        "Value": value["Value"],
        "CanBeChanged": bool(value.get("CanBeChanged", True)),
        "ManagedPropertyLogicalName": column.name,
    }


_READERS: dict[str, Callable[[str, Column, Any], Any]] = {
    "String": _text,
    "Memo": _text,
    "Boolean": _boolean,
    "Integer": _number,
    "BigInt": _number,
    "Picklist": _number,
    "MultiSelectPicklist": _text,
    "State": _number,
    "Status": _number,
    "Decimal": _decimal,
    "Double": _decimal,
    "Money": _decimal,
    "DateTime": _time,
    "Uniqueidentifier": _guid,
    MANAGED: _managed,
}
_FORMATTERS: dict[str, Callable[[Column, Any], str]] = {
    "Picklist": lambda column, value: column.options.get(value, str(value)),
    "State": lambda column, value: column.options.get(value, str(value)),
    "Status": lambda column, value: column.options.get(value, str(value)),
    "Boolean": lambda column, value: column.options.get(int(value), "Yes" if value else "No"),
    "Money": lambda _, value: f"{Decimal(value):,.2f}",
    "Decimal": lambda _, value: f"{Decimal(value):,f}",
    "Double": lambda _, value: f"{Decimal(value):,f}",
    "Integer": lambda _, value: f"{value:,}",
    "BigInt": lambda _, value: f"{value:,}",
    "DateTime": _shown_time,
}
