"""A container of Blob Storage in memory, for tests of what writes files."""

from collections.abc import Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError, ServiceRequestError

WRITTEN = datetime(2026, 11, 20, 19, 5, tzinfo=UTC)
"""When every file was written last."""


class MemoryContainer:
    """What `ContainerClient` does of it; called, it connects. While it is `away`, or after `takes` files, it fails."""

    def __init__(self, *, exists: bool = False, away: bool = False) -> None:
        self.exists, self.away = exists, away
        self.takes: int | None = None
        self.connected = self.made = 0
        self.blobs: dict[str, bytes] = {}
        self.content_types: list[str] = []
        self.metadata: dict[str, dict[str, str]] = {}

    def __call__(self) -> Any:
        self.connected += 1
        return self

    def create_container(self) -> None:
        self._reach()
        self.made += 1
        if self.exists:
            raise ResourceExistsError

    def upload_blob(
        self, name: str, content: bytes, *, overwrite: bool, content_settings: Any, metadata: dict[str, str]
    ) -> None:
        self._reach()
        if self.takes is not None:
            self.takes -= 1
            if self.takes < 0:
                raise ServiceRequestError("nobody is there any more")
        if name in self.blobs and not overwrite:
            raise ResourceExistsError
        self.blobs[name] = content
        self.metadata[name] = metadata
        self.content_types.append(content_settings.content_type)

    def list_blobs(self, *, name_starts_with: str, include: list[str]) -> Iterator[Any]:
        self._reach()
        for name in sorted(self.blobs):
            if name.startswith(name_starts_with):
                metadata = self.metadata[name] if "metadata" in include else None
                yield SimpleNamespace(name=name, metadata=metadata, last_modified=WRITTEN)

    def walk_blobs(self, *, delimiter: str) -> Iterator[Any]:
        self._reach()
        folders = {name.partition(delimiter)[0] + delimiter for name in self.blobs}
        return iter([SimpleNamespace(name=folder) for folder in sorted(folders)])

    def download_blob(self, name: str) -> Any:
        self._reach()
        if name not in self.blobs:
            raise ResourceNotFoundError
        return SimpleNamespace(readall=lambda: self.blobs[name])

    def delete_blob(self, name: str) -> None:
        self._reach()
        if self.blobs.pop(name, None) is None:
            raise ResourceNotFoundError

    def _reach(self) -> None:
        if self.away:
            raise ServiceRequestError("nobody is there")
