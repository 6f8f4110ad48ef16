"""How deep, and of how many parts, a body may be, whatever its size: small bodies can be made dear to read.

Dataverse sends none that comes near: its deepest, a context within eight others, has fewer than 50 levels, and 256 KB
hold some 20,000 values.
"""

import re
from typing import Final

from integration.errors import Fault, Rejected

MAX_DEPTH: Final = 500
MAX_XML_DEPTH: Final = 200
MAX_NODES: Final = 100_000

_STRINGS: Final = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)', re.DOTALL)
"""A text without an end goes on to the end of the body: so each character is looked at once."""
_BRACKETS: Final = re.compile(r"[\[\]{}]")


def check_json(text: str) -> None:
    """Raise `Rejected` (400, too-complex) for JSON that is too deep, or has too many values, before it is read.

    Few bodies have more brackets than may be nested, or more characters than values are allowed: only of those the
    text is taken out, and what is left is counted.
    """
    if len(text) <= MAX_NODES and text.count("[") + text.count("{") <= MAX_DEPTH:
        return
    bare = _STRINGS.sub("", text)
    depth = 0
    for bracket in _BRACKETS.finditer(bare):
        depth += 1 if bracket[0] in "[{" else -1
        if depth > MAX_DEPTH:
            raise too_deep(MAX_DEPTH)
    if bare.count("[") + bare.count("{") + bare.count(",") > MAX_NODES:
        raise too_many()


def too_deep(allowed: int) -> Rejected:
    """The refusal of a body with too many levels."""
    return _too_complex(f"The body is nested too deeply: {allowed} levels are allowed.")


def too_many() -> Rejected:
    """The refusal of a body with too many values."""
    return _too_complex(f"The body has too many values: {MAX_NODES} are allowed.")


def _too_complex(detail: str) -> Rejected:
    return Rejected(400, "The body is too complex", detail, faults=(Fault("", detail),), reason="too-complex")
