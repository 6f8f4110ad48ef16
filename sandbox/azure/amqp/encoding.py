"""Writing AMQP 1.0 types; see `sandbox.azure.amqp.codec`."""

import struct
import uuid
from collections.abc import Callable
from typing import Any

from sandbox.azure.amqp.errors import EncodeError
from sandbox.azure.amqp.types import Array, Described, Int, Raw, Symbol, Timestamp, UByte, UInt, ULong, UShort

_U16, _U32, _U64 = struct.Struct(">H"), struct.Struct(">I"), struct.Struct(">Q")
_I8, _I32, _I64, _F64 = struct.Struct(">b"), struct.Struct(">i"), struct.Struct(">q"), struct.Struct(">d")

NULL = b"\x40"
TRUE = b"\x41"
FALSE = b"\x42"


def encode(value: Any) -> bytes:
    """`value` as AMQP bytes; see `sandbox.azure.amqp.types` for the choice of widths."""
    encoder = _ENCODERS.get(type(value))
    if encoder is None:
        raise EncodeError(f"{type(value).__name__} has no AMQP encoding")
    try:
        return encoder(value)
    except (struct.error, UnicodeEncodeError, OverflowError) as error:
        raise EncodeError(f"{value!r} does not fit its AMQP type: {error}") from error


def encode_list(fields: list[bytes]) -> bytes:
    """A list of already encoded fields."""
    return _compound(b"".join(fields), len(fields), 0xC0, 0xD0)


def encode_map(entries: list[bytes]) -> bytes:
    """A map of already encoded keys and values, in turn."""
    return _compound(b"".join(entries), len(entries), 0xC1, 0xD1)


def _compound(body: bytes, count: int, short: int, long: int) -> bytes:
    if len(body) < 255 and count < 256:
        return bytes((short, len(body) + 1, count)) + body
    return bytes((long,)) + _U32.pack(len(body) + 4) + _U32.pack(count) + body


def _bytes_like(short: int, long: int, data: bytes) -> bytes:
    if len(data) < 256:
        return bytes((short, len(data))) + data
    return bytes((long,)) + _U32.pack(len(data)) + data


def _encode_int(value: int) -> bytes:
    return b"\x55" + _I8.pack(value) if -128 <= value < 128 else b"\x81" + _I64.pack(value)


def _encode_int32(value: int) -> bytes:
    return b"\x54" + _I8.pack(value) if -128 <= value < 128 else b"\x71" + _I32.pack(value)


def _unsigned(zero: bytes, small: int, wide: int, layout: struct.Struct) -> Callable[[int], bytes]:
    def encoder(value: int) -> bytes:
        if value == 0:
            return zero
        return bytes((small, value)) if 0 < value < 256 else bytes((wide,)) + layout.pack(value)

    return encoder


def _encode_ubyte(value: int) -> bytes:
    if not 0 <= value < 256:
        raise OverflowError("ubyte")
    return bytes((0x50, value))


def _encode_dict(value: dict[Any, Any]) -> bytes:
    return encode_map([encode(item) for pair in value.items() for item in pair])


def _encode_sequence(value: list[Any] | tuple[Any, ...]) -> bytes:
    return encode_list([encode(item) for item in value])


def _encode_array(value: Array) -> bytes:
    code, item_encoder = _ARRAY_ITEMS[value.kind]
    body = bytes((code,)) + b"".join(item_encoder(item) for item in value.items)
    return b"\xf0" + _U32.pack(len(body) + 4) + _U32.pack(len(value.items)) + body


def _long_bytes(data: bytes) -> bytes:
    return _U32.pack(len(data)) + data


_ARRAY_ITEMS: dict[type, tuple[int, Callable[[Any], bytes]]] = {
    int: (0x81, _I64.pack),
    Timestamp: (0x83, _I64.pack),
    uuid.UUID: (0x98, lambda item: bytes(item.bytes)),
    str: (0xB1, lambda item: _long_bytes(item.encode())),
    Symbol: (0xB3, lambda item: _long_bytes(item.encode("ascii"))),
}

_ENCODERS: dict[type, Callable[[Any], bytes]] = {
    type(None): lambda _: NULL,
    bool: lambda value: TRUE if value else FALSE,
    str: lambda value: _bytes_like(0xA1, 0xB1, value.encode()),
    Symbol: lambda value: _bytes_like(0xA3, 0xB3, value.encode("ascii")),
    bytes: lambda value: _bytes_like(0xA0, 0xB0, value),
    bytearray: lambda value: _bytes_like(0xA0, 0xB0, bytes(value)),
    memoryview: lambda value: _bytes_like(0xA0, 0xB0, bytes(value)),
    int: _encode_int,
    Int: _encode_int32,
    UByte: _encode_ubyte,
    UShort: lambda value: b"\x60" + _U16.pack(value),
    UInt: _unsigned(b"\x43", 0x52, 0x70, _U32),
    ULong: _unsigned(b"\x44", 0x53, 0x80, _U64),
    Timestamp: lambda value: b"\x83" + _I64.pack(value),
    float: lambda value: b"\x82" + _F64.pack(value),
    uuid.UUID: lambda value: b"\x98" + value.bytes,
    dict: _encode_dict,
    list: _encode_sequence,
    tuple: _encode_sequence,
    Array: _encode_array,
    Described: lambda value: b"\x00" + encode(value.descriptor) + encode(value.value),
    Raw: bytes,
}
