"""Hides what may be personal in texts of other systems, from those who may not see payloads."""

import re
from typing import Final

_PERSONAL: Final = re.compile(
    r"[\w.+-]+@[\w-]+\.[\w.]+"  # an email address
    r"|(?<![\w.-])\+?\d(?:[ ()/.-]{0,2}\d){8,}(?![\w-])"  # a telephone number, or the number of an account or a person
    r"|\"[^\"\n]{1,500}\"|(?<!\w)'[^'\n]{3,500}'(?!\w)|“[^”\n]{1,500}”"  # a value that a system quotes
)
MASK: Final = "•••"


def masked(text: str | None, seen: bool) -> str:
    """The text, without what may be personal unless it may be `seen`."""
    if not text:
        return ""
    return text if seen else _PERSONAL.sub(MASK, text)
