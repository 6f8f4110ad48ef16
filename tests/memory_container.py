"""A container of Blob Storage in memory, for tests of what writes files."""

from typing import Any

from azure.core.exceptions import ResourceExistsError, ServiceRequestError


class MemoryContainer:
    """What `ContainerClient` does of it; called, it connects. While it is `away`, or after `takes` files, it fails."""

    def __init__(self, *, exists: bool = False, away: bool = False) -> None:
        self.exists, self.away = exists, away
        self.takes: int | None = None
        self.connected = self.made = 0
        self.blobs: dict[str, bytes] = {}
        self.content_types: list[str] = []

    def __call__(self) -> Any:
        self.connected += 1
        return self

    def create_container(self) -> None:
        self._reach()
        self.made += 1
        if self.exists:
            raise ResourceExistsError

    def upload_blob(self, name: str, content: bytes, *, overwrite: bool, content_settings: Any) -> None:
        self._reach()
        if self.takes is not None:
            self.takes -= 1
            if self.takes < 0:
                raise ServiceRequestError("nobody is there any more")
        if name in self.blobs and not overwrite:
            raise ResourceExistsError
        self.blobs[name] = content
        self.content_types.append(content_settings.content_type)

    def _reach(self) -> None:
        if self.away:
            raise ServiceRequestError("nobody is there")
