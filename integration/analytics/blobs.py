"""Files of Blob Storage; whatever goes wrong is `Transient`, because storage judges no content."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from integration import blobs
from integration.errors import Transient

if TYPE_CHECKING:
    from azure.storage.blob import ContainerClient


def container_of(connect: "Callable[[], ContainerClient]", *, reason: str) -> "ContainerClient":
    """Connect to a container, and make it if it is not there."""
    with reached(reason):
        return blobs.container_of(connect)


def upload(
    container: "ContainerClient",
    name: str,
    content: bytes,
    *,
    content_type: str,
    reason: str,
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Write a file, or overwrite the one of this name."""
    with reached(reason):
        blobs.upload(container, name, content, content_type=content_type, metadata=metadata)


def reached(reason: str) -> AbstractContextManager[None]:
    """Raise `Transient`, with this reason, for an error of the SDK."""

    def failure(error: Exception) -> Transient:
        return Transient(f"Blob Storage did not do what was asked ({type(error).__name__})", reason=reason)

    return blobs.failing_as(failure)
