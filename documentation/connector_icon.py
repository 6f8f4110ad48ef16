"""The connector's icon: a row that goes out, and what comes back, drawn here as a PNG."""

import struct
import zlib
from functools import cache
from typing import Final

BRAND_COLOUR: Final = "#30507A"
SIZE: Final = 160
"""Pixels in each direction; custom connectors take square icons."""
_BACK: Final = tuple(int(BRAND_COLOUR[at : at + 2], 16) for at in (1, 3, 5))
_FRONT: Final = (255, 255, 255)
_FINE: Final = 3
"""Each pixel is looked at in so many places in each direction, so that edges are smooth."""


@cache
def png() -> bytes:
    """The file."""
    rows = b"".join(b"\0" + b"".join(bytes(_pixel(x, y)) for x in range(SIZE)) for y in range(SIZE))
    header = struct.pack(">IIBBBBB", SIZE, SIZE, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, content) for kind, content in parts)


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _pixel(x: int, y: int) -> tuple[int, ...]:
    places = [(x + (i + 0.5) / _FINE, y + (j + 0.5) / _FINE) for i in range(_FINE) for j in range(_FINE)]
    share = sum(_is_drawn(a, b) for a, b in places) / len(places)
    return tuple(round(back + (front - back) * share) for back, front in zip(_BACK, _FRONT, strict=True))


def _is_drawn(x: float, y: float) -> bool:
    """Two boxes, an arrow from the left one to the right one, and one back below it."""
    return (
        _in_frame(x, y, 26, 56)
        or _in_frame(x, y, 106, 136)
        or _in_arrow(x - 62, y - 70)
        or _in_arrow(98 - x, y - 92)  # the other way round
    )


def _in_frame(x: float, y: float, left: int, right: int) -> bool:
    outer = left <= x <= right and 48 <= y <= 112
    inner = left + 6 <= x <= right - 6 and 54 <= y <= 106
    return outer and not inner


def _in_arrow(x: float, y: float) -> bool:
    """From (0, 0) to (36, 0): a line, and a head at its end."""
    shaft = 0 <= x <= 26 and abs(y) <= 3
    head = 22 <= x <= 36 and abs(y) <= (36 - x) * 0.75
    return shaft or head
