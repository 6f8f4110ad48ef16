"""Reading AMQP 1.0 types; see `sandbox.azure.amqp.codec`."""

import struct
import uuid
from collections.abc import Callable
from typing import Any

from sandbox.azure.amqp.errors import ProtocolError
from sandbox.azure.amqp.types import Described, Raw, Symbol, Timestamp, ULong

_U16, _U32, _U64 = struct.Struct(">H"), struct.Struct(">I"), struct.Struct(">Q")
_I8, _I16, _I32, _I64 = struct.Struct(">b"), struct.Struct(">h"), struct.Struct(">i"), struct.Struct(">q")
_F32, _F64 = struct.Struct(">f"), struct.Struct(">d")

_BROKEN = (IndexError, KeyError, struct.error, UnicodeDecodeError, TypeError, ValueError, OverflowError, RecursionError)
_MAX_ZERO_WIDTH_ITEMS = 65536  # an array of nulls takes no bytes: without a limit five bytes could ask for 2^32 items

_Decoder = Callable[[bytes, int], tuple[Any, int]]


def decode(buffer: bytes, position: int = 0) -> tuple[Any, int]:
    """The value at `position` and the position after it."""
    try:
        value, end = _decode(buffer, position)
    except _BROKEN as error:
        raise ProtocolError(f"not an AMQP value at byte {position}: {error}") from error
    if end > len(buffer):
        raise ProtocolError(f"the value at byte {position} ends beyond the data")
    return value, end


def _decode(buffer: bytes, position: int) -> tuple[Any, int]:
    return _DECODERS[buffer[position]](buffer, position + 1)


def _constant(value: Any) -> _Decoder:
    return lambda _, position: (value, position)


def _fixed(layout: struct.Struct, kind: Callable[[Any], Any] | None = None) -> _Decoder:
    unpack, size = layout.unpack_from, layout.size
    if kind is None:
        return lambda buffer, position: (unpack(buffer, position)[0], position + size)
    return lambda buffer, position: (kind(unpack(buffer, position)[0]), position + size)


def _opaque(size: int) -> _Decoder:
    return lambda buffer, position: (bytes(buffer[position : position + size]), position + size)


def _byte(buffer: bytes, position: int) -> tuple[int, int]:
    return buffer[position], position + 1


def _uuid(buffer: bytes, position: int) -> tuple[uuid.UUID, int]:
    return uuid.UUID(bytes=bytes(buffer[position : position + 16])), position + 16


def _short_length(buffer: bytes, position: int) -> tuple[int, int]:
    return position + 1, position + 1 + buffer[position]


def _long_length(buffer: bytes, position: int) -> tuple[int, int]:
    return position + 4, position + 4 + int(_U32.unpack_from(buffer, position)[0])


def _variable(extent: Callable[[bytes, int], tuple[int, int]], kind: Callable[[bytes], Any]) -> _Decoder:
    def decoder(buffer: bytes, position: int) -> tuple[Any, int]:
        start, end = extent(buffer, position)
        return kind(bytes(buffer[start:end])), end

    return decoder


def _char(code: int) -> str:
    if 0xD800 <= code <= 0xDFFF:
        raise ValueError("a surrogate is not a character")
    return chr(code)


def _text(data: bytes) -> str:
    return data.decode("utf-8")


def _symbol(data: bytes) -> Symbol:
    return Symbol(data.decode("ascii"))


def _described(buffer: bytes, position: int) -> tuple[Described, int]:
    descriptor, position = _decode(buffer, position)
    value, position = _decode(buffer, position)
    return Described(ULong(descriptor) if type(descriptor) is int else descriptor, value), position


def _compound_head(buffer: bytes, position: int, code: int) -> tuple[int, int, int]:
    """Item count, position of the first item, end of the compound whose constructor was `code`."""
    if code in {0xC0, 0xC1, 0xE0}:
        end = position + 1 + buffer[position]
        count, start = buffer[position + 1], position + 2
    else:
        end = position + 4 + _U32.unpack_from(buffer, position)[0]
        count, start = _U32.unpack_from(buffer, position + 4)[0], position + 8
    if end > len(buffer) or start > end:
        raise ValueError("a compound ends beyond the data")
    return count, start, end


def _list(code: int) -> _Decoder:
    def decoder(buffer: bytes, position: int) -> tuple[list[Any], int]:
        count, position, end = _compound_head(buffer, position, code)
        items = []
        for _ in range(count):
            item, position = _DECODERS[buffer[position]](buffer, position + 1)
            items.append(item)
        if position != end:
            raise ValueError("a list is not as long as it says")
        return items, end

    return decoder


def _map(code: int) -> _Decoder:
    def decoder(buffer: bytes, position: int) -> tuple[dict[Any, Any], int]:
        count, position, end = _compound_head(buffer, position, code)
        items = {}
        for _ in range(count // 2):
            key, position = _decode(buffer, position)
            items[key], position = _decode(buffer, position)
        if position != end:
            raise ValueError("a map is not as long as it says")
        return items, end

    return decoder


def _array(code: int) -> _Decoder:
    def decoder(buffer: bytes, position: int) -> tuple[list[Any], int]:
        count, position, end = _compound_head(buffer, position, code)
        if count == 0:
            return [], end
        described, constructor, position = False, buffer[position], position + 1
        descriptor: Any = None
        if constructor == 0:
            described = True
            descriptor, position = _decode(buffer, position)
            constructor, position = buffer[position], position + 1
        if constructor >> 4 == 4 and count > _MAX_ZERO_WIDTH_ITEMS:
            raise ValueError("an array of too many empty items")
        item_decoder = _DECODERS[constructor]
        items = []
        for _ in range(count):
            item, position = item_decoder(buffer, position)
            items.append(Described(descriptor, item) if described else item)
        if position != end:
            raise ValueError("an array is not as long as it says")
        return items, end

    return decoder


_DECODERS: dict[int, _Decoder] = {
    0x00: _described,
    0x40: _constant(None),
    0x41: _constant(True),
    0x42: _constant(False),
    0x43: _constant(0),
    0x44: _constant(0),
    0x45: lambda _, position: ([], position),
    0x50: _byte,
    0x51: _fixed(_I8),
    0x52: _byte,
    0x53: _byte,
    0x54: _fixed(_I8),
    0x55: _fixed(_I8),
    0x56: lambda buffer, position: (buffer[position] == 1, position + 1),
    0x60: _fixed(_U16),
    0x61: _fixed(_I16),
    0x70: _fixed(_U32),
    0x71: _fixed(_I32),
    0x72: _fixed(_F32),
    0x73: _fixed(_U32, _char),
    0x74: _opaque(4),
    0x80: _fixed(_U64, ULong),
    0x81: _fixed(_I64),
    0x82: _fixed(_F64),
    0x83: _fixed(_I64, Timestamp),
    0x84: _opaque(8),
    0x94: _opaque(16),
    0x98: _uuid,
    0xA0: _variable(_short_length, bytes),
    0xA1: _variable(_short_length, _text),
    0xA3: _variable(_short_length, _symbol),
    0xB0: _variable(_long_length, bytes),
    0xB1: _variable(_long_length, _text),
    0xB3: _variable(_long_length, _symbol),
    0xC0: _list(0xC0),
    0xC1: _map(0xC1),
    0xD0: _list(0xD0),
    0xD1: _map(0xD1),
    0xE0: _array(0xE0),
    0xF0: _array(0xF0),
}

_FIXED_WIDTHS = {0x4: 0, 0x5: 1, 0x6: 2, 0x7: 4, 0x8: 8, 0x9: 16}


def skip(buffer: bytes, position: int) -> int:
    """The position after the value at `position`."""
    try:
        code, position = buffer[position], position + 1
        while code == 0:  # a descriptor, then the value
            position = skip(buffer, position)
            code, position = buffer[position], position + 1
        family = code >> 4
        if family in _FIXED_WIDTHS:
            end = position + _FIXED_WIDTHS[family]
        elif family in {0xA, 0xC, 0xE}:
            end = position + 1 + buffer[position]
        elif family in {0xB, 0xD, 0xF}:
            end = position + 4 + _U32.unpack_from(buffer, position)[0]
        else:
            raise ProtocolError(f"0x{code:02x} is not an AMQP constructor")
    except _BROKEN as error:
        raise ProtocolError(f"not an AMQP value at byte {position}: {error}") from error
    if end > len(buffer):
        raise ProtocolError("a value ends beyond the data")
    return end


def split_list(buffer: bytes, position: int = 0) -> list[Raw]:
    """The fields of the encoded list at `position`, each still encoded."""
    code = _constructor(buffer, position)
    if code == 0x45:
        return []
    if code not in {0xC0, 0xD0}:
        raise ProtocolError(f"expected a list, found constructor 0x{code:02x}")
    return _split(buffer, position, code)


def split_map(buffer: bytes, position: int = 0) -> list[tuple[Any, Raw]]:
    """The entries of the encoded map at `position`: decoded key, still encoded value."""
    code = _constructor(buffer, position)
    if code not in {0xC1, 0xD1}:
        raise ProtocolError(f"expected a map, found constructor 0x{code:02x}")
    parts = _split(buffer, position, code)
    return [(decode(parts[index])[0], parts[index + 1]) for index in range(0, len(parts) - 1, 2)]


def _constructor(buffer: bytes, position: int) -> int:
    if position >= len(buffer):
        raise ProtocolError("a value ends beyond the data")
    return buffer[position]


def _split(buffer: bytes, position: int, code: int) -> list[Raw]:
    try:
        count, position, end = _compound_head(buffer, position + 1, code)
    except _BROKEN as error:
        raise ProtocolError(str(error)) from error
    parts = []
    for _ in range(count):
        behind = skip(buffer, position)
        parts.append(Raw(buffer[position:behind]))
        position = behind
    if position != end:
        raise ProtocolError("a compound is not as long as it says")
    return parts
