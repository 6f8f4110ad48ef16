"""Writing files to Blob Storage; whatever goes wrong is `Transient`, because storage judges no content."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from integration import blobs
from integration.errors import Transient

if TYPE_CHECKING:
    from azure.storage.blob import ContainerClient


def container_of(connect: "Callable[[], ContainerClient]", *, reason: str) -> "ContainerClient":
    """Connect to a container, and make it if it is not there."""
    with _reached(reason):
        return blobs.container_of(connect)


def upload(container: "ContainerClient", name: str, content: bytes, *, content_type: str, reason: str) -> None:
    """Write a file, or overwrite the one of this name."""
    with _reached(reason):
        blobs.upload(container, name, content, content_type=content_type)


def _reached(reason: str) -> AbstractContextManager[None]:
    def failure(error: Exception) -> Transient:
        return Transient(f"Blob Storage did not take a file ({type(error).__name__})", reason=reason)

    return blobs.failing_as(failure)
