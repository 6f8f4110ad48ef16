"""The types of columns: those that the OData provider of Dataverse maps, as values, as literals in a URL and in JSON.

Source: "OData v4 Data Provider configuration, requirements, and best practices", Microsoft Learn.
"""

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import Any, Final, TypeAlias
from uuid import UUID

Value: TypeAlias = "str | bool | int | float | Decimal | datetime | UUID | None"

_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_MOMENT = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})(?:T(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,12}))?)?(Z|[+-]\d{2}:\d{2})?)?", re.IGNORECASE
)
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?")


class Edm(Enum):
    """A primitive type; the value is its name in `$metadata`."""

    STRING = "Edm.String"
    GUID = "Edm.Guid"
    BOOLEAN = "Edm.Boolean"
    INT32 = "Edm.Int32"
    INT64 = "Edm.Int64"
    DECIMAL = "Edm.Decimal"
    DOUBLE = "Edm.Double"
    DATE_TIME_OFFSET = "Edm.DateTimeOffset"

    @property
    def is_number(self) -> bool:
        """Whether values are compared by their size."""
        return self in _NUMBERS


_NUMBERS = frozenset({Edm.INT32, Edm.INT64, Edm.DECIMAL, Edm.DOUBLE})
_RANGES = {Edm.INT32: 2**31, Edm.INT64: 2**63}


@dataclass(frozen=True, slots=True)
class Literal:
    """A literal of an expression; `kind` is string, guid, time, number or word."""

    text: str
    kind: str


def value_of(literal: Literal, edm: Edm) -> Value:
    """The value that a literal means beside a column of this type; raises `ValueError` where it means none."""
    if literal.kind == "word" and literal.text == "null":
        return None
    reader = _READERS.get(edm)
    return reader(literal) if reader is not None else _number(literal, edm)


def from_json(value: Any, edm: Edm) -> Value:
    """The value of a property in a JSON body; raises `ValueError` where it is not of the type."""
    if value is None:
        return None
    if edm is Edm.BOOLEAN and isinstance(value, bool):
        return value
    if edm.is_number and isinstance(value, int | float | Decimal | str) and not isinstance(value, bool):
        return _number(Literal(str(value), "number"), edm)
    if isinstance(value, str) and edm is Edm.STRING:
        return value
    if isinstance(value, str) and edm in {Edm.GUID, Edm.DATE_TIME_OFFSET}:
        return value_of(Literal(value, "guid" if edm is Edm.GUID else "time"), edm)
    raise ValueError(f"is not {edm.value}")


def to_json(value: Value, *, numbers_as_text: bool = False) -> str:
    """A value as JSON; with `numbers_as_text` (`IEEE754Compatible=true`), Int64 and Decimal are strings.

    The caller says so only for columns of these two types.
    """
    if isinstance(value, bool) or value is None:
        return json.dumps(value)
    if isinstance(value, datetime):
        return json.dumps(moment_text(value))
    if isinstance(value, UUID):
        return json.dumps(str(value))
    if isinstance(value, Decimal):
        text = format(value, "f")
        return json.dumps(text) if numbers_as_text else text
    if isinstance(value, int):
        return json.dumps(str(value)) if numbers_as_text else str(value)
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def moment_text(moment: datetime) -> str:
    """A time in UTC; the fraction of the second only where there is one."""
    text = moment.astimezone(UTC).isoformat()
    return text.replace("+00:00", "Z")


def moment_of(text: str) -> datetime:
    """The time that a text means: a date is its first moment, a time without offset is in UTC; or `ValueError`."""
    found = _MOMENT.fullmatch(text)
    if found is None:
        raise ValueError("is not a time")
    year, month, day, hour, minute, second, fraction, offset = found.groups()
    zone: timezone = UTC
    if offset and offset.upper() != "Z":
        sign = -1 if offset[0] == "-" else 1
        zone = timezone(sign * timedelta(hours=int(offset[1:3]), minutes=int(offset[4:])))
    micro = int((fraction or "0")[:6].ljust(6, "0"))
    try:
        local = datetime(
            int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0), micro, zone
        )
        return local.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("is not a time") from None


def _text(literal: Literal) -> str:
    if literal.kind != "string":
        raise ValueError("is not a text in quotation marks")
    return literal.text


def _guid(literal: Literal) -> UUID:
    if literal.kind not in {"guid", "string"} or not _GUID.fullmatch(literal.text):
        raise ValueError("is not a GUID")
    return UUID(literal.text)


def _boolean(literal: Literal) -> bool:
    if literal.kind == "word" and literal.text in {"true", "false"}:
        return literal.text == "true"
    if literal.kind == "number" and literal.text in {"0", "1"}:
        return literal.text == "1"
    raise ValueError("is neither true nor false")


def _moment(literal: Literal) -> datetime:
    if literal.kind not in {"time", "string"}:
        raise ValueError("is not a time")
    return moment_of(literal.text)


def _number(literal: Literal, edm: Edm) -> int | float | Decimal:
    if literal.kind != "number" or not _NUMBER.fullmatch(literal.text) or len(literal.text) > _LONGEST_NUMBER:
        raise ValueError("is not a number")
    try:
        number = Decimal(literal.text)
    except InvalidOperation:
        raise ValueError("is not a number") from None
    if abs(number.adjusted()) > _LARGEST_EXPONENT:
        raise ValueError("is out of range")
    if edm is Edm.DECIMAL:
        return number
    if edm is Edm.DOUBLE:
        return float(number) if math.isfinite(float(number)) else 0.0
    if number != number.to_integral_value() or not -_RANGES[edm] <= number < _RANGES[edm]:
        raise ValueError(f"is out of the range of {edm.value}")
    return int(number)


_LONGEST_NUMBER = 64
_LARGEST_EXPONENT = 300


_READERS: Final[Mapping[Edm, Callable[[Literal], Value]]] = {
    Edm.STRING: _text,
    Edm.GUID: _guid,
    Edm.BOOLEAN: _boolean,
    Edm.DATE_TIME_OFFSET: _moment,
}
