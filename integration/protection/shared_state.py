"""Small documents that all instances of the app share."""

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from integration.errors import Conflict, Transient

_TRIES: Final = 5

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


async def change(
    shared: SharedState,
    key: str,
    changed: Callable[[dict[str, Any]], dict[str, Any]],
    *,
    pause: Callable[[], float] = lambda: 0.0,
) -> dict[str, Any]:
    """Read the document, write what `changed` makes of it, and return that.

    If another instance writes first, this begins again after `pause` seconds, up to five times; then it raises
    `Transient`. Raises what the store and `changed` raise.
    """
    for _ in range(_TRIES):
        document, etag = await shared.read(key)
        written = changed(dict(document or {}))
        try:
            await shared.write(key, written, etag)
        except Conflict:
            await asyncio.sleep(pause())
        else:
            return written
    raise Transient(f"'{key}' changes faster than it can be written", reason="ledger-unavailable")


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
