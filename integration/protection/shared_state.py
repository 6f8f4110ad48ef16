"""Small documents that all instances of the app share."""

import json
from collections.abc import Mapping
from typing import Any, Protocol

from integration.errors import Conflict

Document = Mapping[str, Any]
"""A JSON object."""


class SharedState(Protocol):
    """A store of small documents with optimistic concurrency."""

    async def read(self, key: str) -> tuple[Document | None, str | None]:
        """The document under `key` and its ETag; `None, None` if there is none."""
        ...

    async def write(self, key: str, value: Document, etag: str | None) -> str:
        """Write the document if it still has this ETag (None: if there is none yet); returns the new ETag.

        Raises `Conflict` if another instance has written meanwhile.
        """
        ...


class MemoryState:
    """A store for one process: for tests, and for an app that runs as one instance only."""

    def __init__(self) -> None:
        self._documents: dict[str, tuple[str, int]] = {}

    async def read(self, key: str) -> tuple[Document | None, str | None]:
        if key not in self._documents:
            return None, None
        text, number = self._documents[key]
        return json.loads(text), str(number)

    async def write(self, key: str, value: Document, etag: str | None) -> str:
        _, current = self._documents.get(key, ("", 0))
        if etag != (str(current) if current else None):
            raise Conflict(f"'{key}' has changed since it was read")
        number = current + 1
        self._documents[key] = json.dumps(value), number
        return str(number)
