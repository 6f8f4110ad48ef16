"""Which partition a partition key belongs to: Bob Jenkins' lookup3, as Event Hubs and its SDKs compute it.

Clients that buffer events compute the partition themselves, so this has to agree with
`azure.eventhub._buffered_producer._partition_resolver`; a test compares the two.
"""

from collections.abc import Sequence

_MASK = 0xFFFFFFFF
_SEED = 0xDEADBEEF


def partition_of(key: str, partitions: int) -> int:
    """The index of the key's partition."""
    if not key:
        return 0
    first, second = _lookup3([ord(character) for character in key])
    folded = (first ^ second) & 0xFFFF
    signed = folded - 0x10000 if folded >= 0x8000 else folded
    return signed % partitions


def _rotate(value: int, bits: int) -> int:
    return ((value << bits) | (value >> (32 - bits))) & _MASK


def _lookup3(codes: Sequence[int]) -> tuple[int, int]:
    a = b = c = (_SEED + len(codes)) & _MASK
    position = 0
    while len(codes) - position > 12:
        x, y, z = _words(codes, position)
        a, b, c = _mix((a + x) & _MASK, (b + y) & _MASK, (c + z) & _MASK)
        position += 12
    x, y, z = _words(codes, position)
    return _final((a + x) & _MASK, (b + y) & _MASK, (c + z) & _MASK)


def _words(codes: Sequence[int], position: int) -> tuple[int, int, int]:
    """Twelve codes as three little-endian words, zeros behind the end."""
    x, y, z = (
        sum(code << 8 * index for index, code in enumerate(codes[start : start + 4]))
        for start in (position, position + 4, position + 8)
    )
    return x, y, z


def _mix(a: int, b: int, c: int) -> tuple[int, int, int]:
    a = ((a - c) & _MASK) ^ _rotate(c, 4)
    c = (c + b) & _MASK
    b = ((b - a) & _MASK) ^ _rotate(a, 6)
    a = (a + c) & _MASK
    c = ((c - b) & _MASK) ^ _rotate(b, 8)
    b = (b + a) & _MASK
    a = ((a - c) & _MASK) ^ _rotate(c, 16)
    c = (c + b) & _MASK
    b = ((b - a) & _MASK) ^ _rotate(a, 19)
    a = (a + c) & _MASK
    c = ((c - b) & _MASK) ^ _rotate(b, 4)
    b = (b + a) & _MASK
    return a, b, c


def _final(a: int, b: int, c: int) -> tuple[int, int]:
    c = ((c ^ b) - _rotate(b, 14)) & _MASK
    a = ((a ^ c) - _rotate(c, 11)) & _MASK
    b = ((b ^ a) - _rotate(a, 25)) & _MASK
    c = ((c ^ b) - _rotate(b, 16)) & _MASK
    a = ((a ^ c) - _rotate(c, 4)) & _MASK
    b = ((b ^ a) - _rotate(a, 14)) & _MASK
    c = ((c ^ b) - _rotate(b, 24)) & _MASK
    return c, b
