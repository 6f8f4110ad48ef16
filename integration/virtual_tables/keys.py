"""The GUID of a row that has none in its system, made so that it can be read back.

Dataverse wants a GUID as the primary key, Finance & Operations knows its rows by numbers. A GUID of version 8
(RFC 9562) has 122 bits of our own: 2 say how the rest is to be read, 120 hold a number of up to 20 characters of a
set of 64, or of up to 15 bytes of UTF-8. Nothing has to be stored, no instance can disagree with another, and a
restored ledger loses nothing. A number that fits into neither gets a hash, and its row is looked for among all.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol
from uuid import UUID

_CHARACTERS: Final = " 0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-_./\\+*&#%@:;,()'\"!?=<>|~$^"
"""In the order of their codes here; a blank at the end fills up, and no number ends with one."""
_PLACES: Final = 20
_BYTES: Final = 15
_IN_CHARACTERS, _IN_BYTES, _HASHED = 0, 1, 2


class Key(Protocol):
    """How the GUID of a row is made, and how the row of a GUID is found again."""

    @property
    def field(self) -> str:
        """The field that the key is made of."""

    @property
    def is_text(self) -> bool:
        """Whether its literals are in quotation marks."""

    def of(self, row: Mapping[str, Any]) -> UUID:
        """The GUID of a row; raises `ValueError` where its field has no value."""

    def read(self, key: UUID) -> str | None:
        """The value of the field that a GUID stands for; None where it does not say; `ValueError` where it cannot."""


@dataclass(frozen=True, slots=True)
class RowId:
    """The system has a GUID of its own."""

    field: str = "id"
    is_text: bool = False

    def of(self, row: Mapping[str, Any]) -> UUID:
        return UUID(str(row[self.field]))

    def read(self, key: UUID) -> str | None:
        return str(key)


@dataclass(frozen=True, slots=True)
class Number:
    """The system has a number; upper and lower case are the same to it."""

    field: str
    is_text: bool = True

    def of(self, row: Mapping[str, Any]) -> UUID:
        return guid_of(str(row[self.field]))

    def read(self, key: UUID) -> str | None:
        return number_in(key)


def guid_of(number: str) -> UUID:
    """The GUID of a number; raises `ValueError` for an empty one."""
    number = number.strip().upper()
    if not number:
        raise ValueError("has no number")
    encoded = number.encode()
    if len(number) <= _PLACES and set(number) <= set(_CHARACTERS):
        bits = 0
        for character in number.ljust(_PLACES):
            bits = bits * 64 + _CHARACTERS.index(character)
        return _made(_IN_CHARACTERS, bits)
    if len(encoded) <= _BYTES:
        return _made(_IN_BYTES, int.from_bytes(encoded.ljust(_BYTES, b"\0"), "big"))
    return _made(_HASHED, int.from_bytes(hashlib.sha256(encoded).digest()[:_BYTES], "big"))


def number_in(key: UUID) -> str | None:
    """The number that a GUID was made of; None where it was hashed. Raises `ValueError` for any other GUID."""
    if key.variant != "specified in RFC 4122" or key.version != 8:
        raise ValueError("was not given by this service")
    value = key.int
    payload = (value >> 80 << 74) | (value >> 64 & 0xFFF) << 62 | value & (1 << 62) - 1
    how, bits = payload >> 120, payload & (1 << 120) - 1
    if how == _HASHED:
        return None
    if how == _IN_CHARACTERS:
        places = [_CHARACTERS[bits >> 6 * (_PLACES - 1 - place) & 63] for place in range(_PLACES)]
        number = "".join(places).rstrip()
    elif how == _IN_BYTES:
        number = bits.to_bytes(_BYTES, "big").rstrip(b"\0").decode(errors="replace")
    else:
        raise ValueError("was not given by this service")
    if not number or guid_of(number) != key:
        raise ValueError("was not given by this service")
    return number


def _made(how: int, bits: int) -> UUID:
    """48 bits, the version, 12 bits, the variant, 62 bits."""
    payload = how << 120 | bits
    value = payload >> 74 << 80 | 8 << 76 | (payload >> 62 & 0xFFF) << 64 | 2 << 62 | payload & (1 << 62) - 1
    return UUID(int=value)
