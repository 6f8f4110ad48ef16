"""Writing and reading composite types, the dataclasses of `sandbox.azure.amqp.performatives`.

`encode_composite` always writes every field, nulls included: azure-eventhub 5.15 and azure-servicebus before 7.15 read
the fields of a frame by index without checking how many there are. `read_composite` checks the type of every field, so
that nothing has to check it later.
"""

from collections.abc import Callable
from dataclasses import fields
from typing import Any, NamedTuple

from sandbox.azure.amqp.codec import NULL, decode, encode, encode_list
from sandbox.azure.amqp.errors import ProtocolError
from sandbox.azure.amqp.performatives import (
    Accepted,
    Attach,
    Begin,
    Close,
    Detach,
    Disposition,
    End,
    Error,
    Flow,
    Modified,
    Open,
    Received,
    Rejected,
    Released,
    SaslInit,
    SaslMechanisms,
    SaslOutcome,
    Source,
    Target,
    Transfer,
)
from sandbox.azure.amqp.types import Array, Described, Raw, Symbol, UByte, UInt, ULong, UShort


class _Kind(NamedTuple):
    """How one field is written and what it may hold when read."""

    encode: Callable[[Any], bytes]
    accepts: tuple[type, ...]
    required: bool = False


def _number(width: Callable[[int], Any]) -> _Kind:
    return _Kind(lambda value: encode(width(value)), (int,))


_UBYTE, _USHORT, _UINT, _ULONG = _number(UByte), _number(UShort), _number(UInt), _number(ULong)
_STRING, _BOOLEAN, _BINARY = _Kind(encode, (str,)), _Kind(encode, (bool,)), _Kind(encode, (bytes,))
_SYMBOL = _Kind(lambda value: encode(Symbol(value)), (str,))
_MAP = _Kind(encode, (dict,))


def _encode_symbols(value: Any) -> bytes:
    """A field of several symbols: an array, or one symbol alone."""
    return encode(Array(Symbol, value) if isinstance(value, list) else Symbol(value))


_SYMBOLS = _Kind(_encode_symbols, (list, str))


def encode_composite(value: Any) -> bytes:
    """`value`, a dataclass of `performatives`, with all its fields. A `Described` or None is encoded as it is."""
    layout = _BY_TYPE.get(type(value))
    if layout is None:
        return encode(value)
    parts = [
        NULL if (item := getattr(value, spec.name)) is None else kind.encode(item)
        for spec, kind in zip(fields(value), layout.kinds, strict=True)
    ]
    return layout.prefix + (encode_list(parts) if parts else b"\xc0\x01\x00")


def _composite(*kinds: type) -> _Kind:
    return _Kind(encode_composite, kinds)


def _required(kind: _Kind) -> _Kind:
    return kind._replace(required=True)


class _Layout(NamedTuple):
    type: type[Any]
    code: int
    kinds: tuple[_Kind, ...]
    defaults: tuple[Any, ...]
    prefix: bytes


_BY_TYPE: dict[type, _Layout] = {}
_BY_DESCRIPTOR: dict[int | str, _Layout] = {}


def _define(kind: type[Any], code: int, name: str, *kinds: _Kind) -> None:
    defaults = tuple(item.default for item in fields(kind))
    layout = _Layout(kind, code, kinds, defaults, bytes((0x00, 0x53, code)))
    _BY_TYPE[kind] = _BY_DESCRIPTOR[code] = _BY_DESCRIPTOR[f"amqp:{name}"] = layout


_define(Error, 0x1D, "error:list", _required(_SYMBOL), _STRING, _MAP)
_define(Received, 0x23, "received:list", _UINT, _ULONG)
_define(Accepted, 0x24, "accepted:list")
_define(Rejected, 0x25, "rejected:list", _composite(Error))
_define(Released, 0x26, "released:list")
_define(Modified, 0x27, "modified:list", _BOOLEAN, _BOOLEAN, _MAP)
_OUTCOME = _composite(Accepted, Rejected, Released, Modified, Described)
_TERMINUS = (_STRING, _UINT, _SYMBOL, _UINT, _BOOLEAN, _MAP)
_define(Source, 0x28, "source:list", *_TERMINUS, _SYMBOL, _MAP, _OUTCOME, _SYMBOLS, _SYMBOLS)
_define(Target, 0x29, "target:list", *_TERMINUS, _SYMBOLS)
_STATE = _composite(Received, Accepted, Rejected, Released, Modified, Described)
_define(
    Open,
    0x10,
    "open:list",
    _required(_STRING),
    _STRING,
    _UINT,
    _USHORT,
    _UINT,
    _SYMBOLS,
    _SYMBOLS,
    _SYMBOLS,
    _SYMBOLS,
    _MAP,
)
_define(
    Begin,
    0x11,
    "begin:list",
    _USHORT,
    _required(_UINT),
    _required(_UINT),
    _required(_UINT),
    _UINT,
    _SYMBOLS,
    _SYMBOLS,
    _MAP,
)
_define(
    Attach,
    0x12,
    "attach:list",
    _required(_STRING),
    _required(_UINT),
    _required(_BOOLEAN),
    _UBYTE,
    _UBYTE,
    _composite(Source),
    _composite(Target, Described),
    _MAP,
    _BOOLEAN,
    _UINT,
    _ULONG,
    _SYMBOLS,
    _SYMBOLS,
    _MAP,
)
_define(
    Flow,
    0x13,
    "flow:list",
    _UINT,
    _required(_UINT),
    _required(_UINT),
    _required(_UINT),
    _UINT,
    _UINT,
    _UINT,
    _UINT,
    _BOOLEAN,
    _BOOLEAN,
    _MAP,
)
_define(
    Transfer,
    0x14,
    "transfer:list",
    _required(_UINT),
    _UINT,
    _BINARY,
    _UINT,
    _BOOLEAN,
    _BOOLEAN,
    _UBYTE,
    _STATE,
    _BOOLEAN,
    _BOOLEAN,
    _BOOLEAN,
)
_define(Disposition, 0x15, "disposition:list", _required(_BOOLEAN), _required(_UINT), _UINT, _BOOLEAN, _STATE, _BOOLEAN)
_define(Detach, 0x16, "detach:list", _required(_UINT), _BOOLEAN, _composite(Error))
_define(End, 0x17, "end:list", _composite(Error))
_define(Close, 0x18, "close:list", _composite(Error))
_define(SaslMechanisms, 0x40, "sasl-mechanisms:list", _required(_SYMBOLS))
_define(SaslInit, 0x41, "sasl-init:list", _required(_SYMBOL), _BINARY, _STRING)
_define(SaslOutcome, 0x44, "sasl-outcome:list", _required(_UBYTE), _BINARY)


def read_composite(described: Any) -> Any:
    """The dataclass that a decoded `Described` stands for; anything unknown is returned unchanged."""
    if not isinstance(described, Described):
        return described
    descriptor = described.descriptor
    layout = _BY_DESCRIPTOR.get(descriptor) if isinstance(descriptor, int | str) else None
    if layout is None:
        return described
    if not isinstance(described.value, list) or len(described.value) > len(layout.kinds):
        raise ProtocolError(f"{layout.type.__name__} is not a list of at most {len(layout.kinds)} fields")
    return _build(layout, described.value)


def _build(layout: _Layout, values: list[Any]) -> Any:
    values.extend([None] * (len(layout.kinds) - len(values)))
    for index, (value, kind) in enumerate(zip(values, layout.kinds, strict=True)):
        if value is None:
            if kind.required:
                raise ProtocolError(f"{layout.type.__name__} lacks a field that it must have", "amqp:invalid-field")
            default = layout.defaults[index]
            values[index] = default if isinstance(default, int) else None
            continue
        if type(value) is Described:
            value = values[index] = read_composite(value)  # noqa: PLW2901 -- the described form is never needed again
        if not isinstance(value, kind.accepts):
            raise ProtocolError(f"{layout.type.__name__} has a field of the wrong type", "amqp:invalid-field")
    return layout.type(*values)


def decode_performative(buffer: bytes, position: int = 0) -> tuple[Any, int]:
    """The performative at `position` and the position after it (where a transfer's payload begins)."""
    described, position = decode(buffer, position)
    performative = read_composite(described)
    if isinstance(performative, Described) or not isinstance(described, Described):
        raise ProtocolError("a frame holds something that is not a performative")
    return performative, position


def encode_raw_transfer(handle: int, delivery_id: int, tag: bytes, message_format: int, settled: bool) -> bytes:
    """The first five fields of a transfer, encoded. Every message is sent with them, so they bypass the dataclasses."""
    return b"".join(
        (
            encode(UInt(handle)),
            encode(UInt(delivery_id)),
            encode(Raw(b"\xa0" + bytes((len(tag),)) + tag)),
            encode(UInt(message_format)),
            b"\x41" if settled else b"\x42",
        )
    )
