"""How a C# value becomes a `TypedData`, and how a JSON body overwrites trigger metadata.

Sources: azure-functions-host GrpcMessageConversionExtensions.cs, WorkerFunctionInvoker.cs, Utility.cs.
"""

import base64
import json
import re
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sandbox.azure.host.workers.protos import Message, TypedData

Encoded = tuple[TypedData, dict[str, TypedData]]
"""A trigger's value and its metadata."""


class Text(tuple[str | None, ...]):
    """A C# `string[]`."""

    __slots__ = ()


class Longs(tuple[int, ...]):
    """A C# `long[]`."""

    __slots__ = ()


class UtcDateTime(datetime):
    """A C# `DateTime` of kind Utc, written with a Z. A naive datetime has kind Unspecified, an aware one an offset."""


_MAX_TIME = datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)
_ISO_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,7})?(Z|[+-]\d\d:\d\d)?")


def from_milliseconds(value: int) -> datetime:
    """An AMQP timestamp as an aware time; one after the year 9999 becomes `DateTimeOffset.MaxValue`."""
    try:
        return datetime.fromtimestamp(value / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return _MAX_TIME


def net_time(value: datetime) -> str:
    """As Newtonsoft writes it: up to seven decimals without trailing zeros, a zone only if the value has one."""
    naive = value.replace(tzinfo=None)
    text = naive.isoformat(timespec="microseconds").rstrip("0") if naive.microsecond else naive.isoformat()
    if isinstance(value, UtcDateTime):
        return text + "Z"
    return text if value.tzinfo is None else text + "+00:00"


def net_json(value: Any) -> str:
    """As Newtonsoft with Formatting.None writes it."""
    return json.dumps(value, default=_net_default, separators=(",", ":"), ensure_ascii=False)


def _net_default(value: Any) -> Any:
    if isinstance(value, datetime):
        return net_time(value)
    if isinstance(value, (bytes, bytearray)):
        return base64.b64encode(value).decode()
    if isinstance(value, uuid.UUID):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def typed(value: Any) -> TypedData:
    """`value.ToRpc()`.

    Empty strings in a `string[]` are dropped: the Python worker does not declare
    IncludeEmptyEntriesInMessagePayload.
    """
    if value is None:
        return TypedData()
    if isinstance(value, str):
        return TypedData(string=value)
    match value:
        case bytes():
            data = TypedData(bytes=value)
        case Text():
            data = TypedData(collection_string=Message(string=[item for item in value if item]))
        case Longs():
            data = TypedData(collection_sint64=Message(sint64=list(value)))
        case float():
            data = TypedData(double=value)
        case _:
            data = TypedData(json=net_json(value))
    return data


def typed_metadata(metadata: Mapping[str, Any]) -> dict[str, TypedData]:
    """Trigger metadata, encoded unless it is already; what is null is left out."""
    return {
        name: value if isinstance(value, TypedData) else typed(value)
        for name, value in metadata.items()
        if value is not None
    }


def bodies(items: Sequence[bytes], *, binary: bool) -> TypedData:
    """The bodies of a batch; as text, empty ones are dropped."""
    if binary:
        return TypedData(collection_bytes=Message(bytes=list(items)))
    return typed(Text(item.decode(errors="replace") for item in items))


def apply_binding_data(body: str, metadata: dict[str, Any]) -> None:
    """Overwrite `metadata` with the top-level properties of a JSON object, names compared in any case.

    This is a real, open defect of the host (azure-functions-dotnet-worker#991): a body with a property `messageId`
    replaces the message's id. Arrays and nulls are left alone, objects stay JSON, everything else becomes text.
    """
    text = body.strip()
    if not (text.startswith("{") and text.endswith("}")):
        return
    try:
        properties = json.loads(text)
    except ValueError:
        return
    names = {name.lower(): name for name in metadata}
    for name, value in properties.items():
        if value is not None and not isinstance(value, list):
            metadata[names.get(name.lower(), name)] = value if isinstance(value, dict) else _cast_to_string(value)


def _cast_to_string(value: Any) -> str:
    """`(string)JToken`: Newtonsoft has already made a date of every string that looks like one."""
    if isinstance(value, str) and _ISO_DATE.fullmatch(value):
        try:
            time = datetime.fromisoformat(value)
        except ValueError:
            return value
        return (time.astimezone(UTC) if time.tzinfo else time).strftime("%m/%d/%Y %H:%M:%S")
    return str(value)
