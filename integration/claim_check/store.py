"""Where the contents of events are kept."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from integration import blobs
from integration.errors import Outage

if TYPE_CHECKING:
    from azure.storage.blob import ContainerClient


@dataclass(frozen=True, slots=True)
class Kept:
    """One blob, and when it was last written (UTC)."""

    name: str
    written: datetime


class ContentStore(Protocol):
    """Keeps bytes under names. Its methods block; they raise `Outage` (contents-unavailable)."""

    def put(self, name: str, contents: bytes) -> None:
        """Keep `contents`, in place of what has that name."""

    def get(self, name: str) -> bytes | None:
        """What has that name; None where there is nothing."""

    def remove(self, name: str) -> bool:
        """Remove what has that name; returns whether there was something."""

    def kept(self, folder: str = "") -> Iterator[Kept]:
        """All that is there and begins with `folder`."""


class BlobContents:
    """In one container of Blob Storage, which is created on first use."""

    def __init__(self, connect: "Callable[[], ContainerClient]") -> None:
        self._connect = connect

    @cached_property
    def _container(self) -> "ContainerClient":
        return blobs.container_of(self._connect)

    def put(self, name: str, contents: bytes) -> None:
        with _reached():
            blobs.upload(self._container, name, contents, content_type="application/json")

    def get(self, name: str) -> bytes | None:
        with _reached():
            return blobs.read(self._container, name)

    def remove(self, name: str) -> bool:
        with _reached():
            return blobs.remove(self._container, name)

    def kept(self, folder: str = "") -> Iterator[Kept]:
        with _reached():
            for blob in self._container.list_blobs(name_starts_with=folder):
                yield Kept(str(blob.name), blob.last_modified)


def _reached() -> AbstractContextManager[None]:
    def failure(error: Exception) -> Outage:
        said = f"Blob Storage did not do what was asked ({type(error).__name__})"
        return Outage(said, reason="contents-unavailable")

    return blobs.failing_as(failure)
