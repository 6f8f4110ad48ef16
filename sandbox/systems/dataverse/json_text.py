"""JSON as Dataverse writes it: decimals keep their digits, and contexts are escaped by DataContractJsonSerializer."""

import json
import re
from decimal import Decimal
from json.encoder import encode_basestring
from typing import Any

_SHORT_ESCAPES = {"n": "\\u000a", "r": "\\u000d", "t": "\\u0009", "b": "\\u0008", "f": "\\u000c"}
_ESCAPE = re.compile(r"\\(.)|/")


def dumps(value: object) -> str:
    """Compact JSON; `Decimal` becomes a number with all its digits, non-ASCII text stays as it is."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str):
        return encode_basestring(value)
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, dict):
        return "{" + ",".join(f"{encode_basestring(key)}:{dumps(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(dumps, value)) + "]"
    raise TypeError(f"{type(value).__name__} has no JSON form")


def dumps_data_contract(value: object) -> str:
    r"""As `dumps`, with `\/` for every slash and `\u000a` for control characters (.NET's serialiser)."""
    return _ESCAPE.sub(_escape, dumps(value))


def loads(text: str) -> Any:
    """Parse JSON; numbers with a point become `Decimal`."""
    return json.loads(text, parse_float=Decimal)


def _escape(found: re.Match[str]) -> str:
    if found[0] == "/":
        return "\\/"
    return _SHORT_ESCAPES.get(found[1], found[0])
