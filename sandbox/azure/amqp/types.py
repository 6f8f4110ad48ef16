"""AMQP 1.0 types for which Python has none.

Decoding gives plain `int`, `float`, `bool`, `str`, `bytes`, `uuid.UUID`, `list`, `dict` and `None` wherever the width
of a number does not matter; symbols, timestamps and described values keep their own type. Encoding a plain `int` gives
an AMQP long; the classes below choose another width.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


class Symbol(str):
    """An AMQP symbol: ASCII text from a fixed vocabulary (error conditions, annotation keys)."""

    __slots__ = ()


class Timestamp(int):
    """Milliseconds since 1970-01-01 UTC."""

    __slots__ = ()


class UByte(int):
    """0 .. 2^8-1."""

    __slots__ = ()


class UShort(int):
    """0 .. 2^16-1."""

    __slots__ = ()


class UInt(int):
    """0 .. 2^32-1."""

    __slots__ = ()


class ULong(int):
    """0 .. 2^64-1."""

    __slots__ = ()


class Int(int):
    """-2^31 .. 2^31-1 (a plain `int` is encoded as a 64-bit long)."""

    __slots__ = ()


class Raw(bytes):
    """Bytes that are already an encoded AMQP value: encoding passes them through unchanged."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Described:
    """A value with the descriptor (`ULong` or `Symbol`) that says what it means."""

    descriptor: Any
    value: Any


@dataclass(frozen=True, slots=True)
class Array:
    """A homogeneous array, for encoding. `kind` is `int` (long), `str`, `Symbol`, `Timestamp` or `uuid.UUID`.

    Decoding an array gives a plain list.
    """

    kind: type
    items: Sequence[Any]
