"""OData: addresses, quoting, exact numbers."""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote
from uuid import UUID

from integration.clock import iso
from integration.errors import Permanent

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*")


def name(text: str) -> str:
    """`text`, if it can be the name of an entity set, column or navigation property; otherwise `ValueError`."""
    if not _NAME.fullmatch(text):
        raise ValueError(f"'{text}' is not a name")
    return text


def record_id(text: str) -> str:
    """A record id as OData services write it: lower case, with dashes, no braces.

    Raises `Permanent` if it is not a GUID.
    """
    try:
        return str(UUID(text))
    except ValueError:
        raise Permanent("The record id is not a GUID", reason="record-id-invalid") from None


def quoted(text: str) -> str:
    """`text` as a string literal: each `'` is doubled. It still has to be URL-encoded."""
    return "'" + text.replace("'", "''") + "'"


def literal(text: str) -> str:
    """`text` as a string literal for a key or a filter in a URL, URL-encoded."""
    return quote(quoted(text), safe="")


def query(options: Mapping[str, str | None]) -> str:
    """A query string from system and custom options; those that are None are left out."""
    pairs = [f"{key}={quote(value, safe='$,();=')}" for key, value in options.items() if value is not None]
    return "?" + "&".join(pairs) if pairs else ""


def columns(names: Sequence[str]) -> str:
    """`$select` from column names."""
    return ",".join(map(name, names))


def encode(value: Any) -> str:
    """JSON with the exact digits of a `Decimal`, which the standard library's encoder does not write.

    An aware `datetime` becomes ISO 8601 in UTC. Raises `TypeError` for what JSON cannot hold.
    """
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise TypeError(f"{value} is not a JSON number")
        return format(value, "f")
    if isinstance(value, datetime):
        return json.dumps(iso(value))
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{json.dumps(key)}:{encode(part)}" for key, part in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(encode, value)) + "]"
    return json.dumps(value, allow_nan=False)
