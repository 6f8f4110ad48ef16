"""Writing files to Blob Storage; whatever goes wrong is `Transient`, because storage judges no content."""

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from azure.core.exceptions import AzureError, ResourceExistsError

from integration.errors import Transient

if TYPE_CHECKING:
    from azure.storage.blob import ContainerClient


def container_of(connect: "Callable[[], ContainerClient]", *, reason: str) -> "ContainerClient":
    """Connect to a container, and make it if it is not there."""
    try:
        container = connect()
        with suppress(ResourceExistsError):
            container.create_container()
    except AzureError as error:
        raise _unavailable(error, reason) from error
    return container


def upload(container: "ContainerClient", name: str, content: bytes, *, content_type: str, reason: str) -> None:
    """Write a file, or overwrite the one of this name."""
    from azure.storage.blob import ContentSettings  # noqa: PLC0415 -- slow to import, and the intake has no use for it

    try:
        container.upload_blob(
            name, content, overwrite=True, content_settings=ContentSettings(content_type=content_type)
        )
    except AzureError as error:
        raise _unavailable(error, reason) from error


def _unavailable(error: AzureError, reason: str) -> Transient:
    return Transient(f"Blob Storage did not take a file ({type(error).__name__})", reason=reason)
