"""Entities as Azure Tables stores them, in the JSON of its REST interface.

Only text, 32-bit integers and booleans are written, because they need no type annotations. Times are stored as ISO 8601
text, larger numbers as text.
https://learn.microsoft.com/rest/api/storageservices/payload-format-for-table-service-operations
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from integration.tables.errors import TableRejected

Property: TypeAlias = str | int | bool
Entity: TypeAlias = dict[str, Property]

_LARGEST: Final = 2**31 - 1
_KEYS: Final = frozenset({"PartitionKey", "RowKey"})
_LONGEST_KEY: Final = 512
_NOT_IN_KEYS: Final = re.compile(r"[/\\#?\x00-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class Versioned:
    """An entity and its ETag, the version that a conditional write names."""

    entity: Entity
    etag: str


def checked_key(value: str) -> str:
    """A partition or row key; raises `TableRejected` for one that Tables does not accept.

    The service would answer such a key with a page of its web server, which looks like an answer of a gateway.
    https://learn.microsoft.com/rest/api/storageservices/understanding-the-table-service-data-model
    """
    if _NOT_IN_KEYS.search(value) or len(value) > _LONGEST_KEY:
        raise TableRejected("a key of a table is longer than 512 characters, or has / \\ # ? or a control character")
    return value


def encode(entity: Mapping[str, Property]) -> bytes:
    """`entity` as a request body.

    It is ASCII, because Azurite breaks characters that are split between two chunks of a large body. Raises
    `ValueError` for a value of another type or size, `TableRejected` for a key that Tables does not accept.
    """
    for name, value in entity.items():
        if name in _KEYS:
            checked_key(str(value))
        if not isinstance(value, str | int) or (isinstance(value, int) and abs(value) > _LARGEST):
            raise ValueError(f"property {name}: {type(value).__name__} of this size is not stored in a table")
    return json.dumps(entity, separators=(",", ":")).encode()


def decode(document: Mapping[str, Any]) -> Entity:
    """An entity from an answer, without what the service adds; entities written by others may have any JSON value."""
    return {name: value for name, value in document.items() if name != "Timestamp" and not name.startswith("odata.")}
