"""Values as JSON and back: scalars as they are, everything else as a union tagged by its one key.

    {"decimal": "10.12"}    {"datetime": "2025-01-31T10:15:30Z"}    {"money": "1234.50"}
    {"choice": 3}    {"choices": [1, 2]}    {"lookup": {"table": "account", "id": "..", "name": null}}
    {"rows": {"table": "activityparty", "rows": [{..}], "ids": [".."]}}

Decimals are written as strings, so that no reader converts them to binary floating point. Arrays are arrays of values.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from integration.events.values import Choice, Choices, Lookup, Money, Rows, Value


def encode_values(values: dict[str, Value]) -> dict[str, Any]:
    """`values` as JSON."""
    return {name: value if type(value) in _PLAIN else _encode(value) for name, value in values.items()}


def decode_values(raw: object) -> dict[str, Value]:
    """The values from what `encode_values` made; ValueError, TypeError or KeyError for anything else."""
    return {_text(name): _decode(value) for name, value in _mapping(raw).items()}


def encode_time(moment: datetime) -> str:
    """ISO 8601 in UTC, with `Z`."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def decode_time(raw: object) -> datetime:
    """The time from what `encode_time` made; a time without an offset is refused."""
    moment = datetime.fromisoformat(_text(raw))
    if moment.tzinfo is None:
        raise ValueError("must have an offset")
    return moment.astimezone(UTC)


_PLAIN = frozenset({str, int, bool, type(None)})


def _encode(value: Value) -> Any:
    if type(value) in _PLAIN:
        return value
    return _ENCODERS[type(value)](value)


def _encode_lookup(value: Lookup) -> Any:
    return {"lookup": {"table": value.table, "id": value.id, "name": value.name}}


def _encode_rows(value: Rows) -> Any:
    rows = [encode_values(row) for row in value.rows]
    return {"rows": {"table": value.table, "rows": rows, "ids": list(value.ids)}}


_ENCODERS: dict[type, Callable[[Any], Any]] = {
    Decimal: lambda value: {"decimal": str(value)},
    datetime: lambda value: {"datetime": encode_time(value)},
    Money: lambda value: {"money": str(value.amount)},
    Choice: lambda value: {"choice": value.value},
    Choices: lambda value: {"choices": list(value.values)},
    Lookup: _encode_lookup,
    Rows: _encode_rows,
    tuple: lambda value: [_encode(item) for item in value],
}


def _decode(raw: Any) -> Value:
    if raw is None or isinstance(raw, (str, int)):
        return raw
    if isinstance(raw, list):
        return tuple(_decode(item) for item in raw)
    ((tag, inner),) = _mapping(raw).items()
    return _DECODERS[tag](inner)


def _decode_lookup(raw: Any) -> Lookup:
    return Lookup(_text(raw["table"]), _text(raw["id"]), _text_or_none(raw["name"]))


def _decode_rows(raw: Any) -> Rows:
    rows = tuple(decode_values(row) for row in raw["rows"])
    return Rows(_text_or_none(raw["table"]), rows, tuple(_text_or_none(row_id) for row_id in raw["ids"]))


def _decimal(raw: object) -> Decimal:
    number = Decimal(_text(raw))
    if not number.is_finite():
        raise ValueError("must be a number")
    return number


def _mapping(raw: object) -> dict[Any, Any]:
    if not isinstance(raw, dict):
        raise TypeError("must be an object")
    return raw


def _text(raw: object) -> str:
    if not isinstance(raw, str):
        raise TypeError("must be text")
    return raw


def _text_or_none(raw: object) -> str | None:
    return None if raw is None else _text(raw)


def _whole(raw: object) -> int:
    if not isinstance(raw, int) or isinstance(raw, bool):
        raise TypeError("must be a whole number")
    return raw


_DECODERS: dict[str, Callable[[Any], Value]] = {
    "decimal": _decimal,
    "datetime": decode_time,
    "money": lambda raw: Money(_decimal(raw)),
    "choice": lambda raw: Choice(_whole(raw)),
    "choices": lambda raw: Choices(tuple(_whole(item) for item in raw)),
    "lookup": _decode_lookup,
    "rows": _decode_rows,
}
