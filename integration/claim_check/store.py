"""Where the contents of events are kept."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

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
        from azure.core.exceptions import ResourceExistsError  # noqa: PLC0415 -- slow to import, and seldom needed

        container = self._connect()
        with suppress(ResourceExistsError):
            container.create_container()
        return container

    def put(self, name: str, contents: bytes) -> None:
        from azure.storage.blob import ContentSettings  # noqa: PLC0415 -- as above

        with _reached():
            self._container.upload_blob(
                name, contents, overwrite=True, content_settings=ContentSettings(content_type="application/json")
            )

    def get(self, name: str) -> bytes | None:
        from azure.core.exceptions import ResourceNotFoundError  # noqa: PLC0415 -- as above

        with _reached(), suppress(ResourceNotFoundError):
            return self._container.download_blob(name).readall()
        return None

    def remove(self, name: str) -> bool:
        from azure.core.exceptions import ResourceNotFoundError  # noqa: PLC0415 -- as above

        with _reached(), suppress(ResourceNotFoundError):
            self._container.delete_blob(name)
            return True
        return False

    def kept(self, folder: str = "") -> Iterator[Kept]:
        with _reached():
            for blob in self._container.list_blobs(name_starts_with=folder):
                yield Kept(str(blob.name), blob.last_modified)


@contextmanager
def _reached() -> Iterator[None]:
    from azure.core.exceptions import AzureError  # noqa: PLC0415 -- as above

    try:
        yield
    except AzureError as error:
        raise Outage(
            f"Blob Storage did not do what was asked ({type(error).__name__})", reason="contents-unavailable"
        ) from error
