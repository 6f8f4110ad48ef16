"""Containers of Blob Storage. Its SDK is imported with the first use: it is slow to import, and few events need it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from integration.errors import IntegrationError

if TYPE_CHECKING:
    from azure.core.exceptions import AzureError
    from azure.storage.blob import ContainerClient


def container_of(connect: "Callable[[], ContainerClient]") -> "ContainerClient":
    """Connect to a container, and make it if it is not there. Raises what the SDK raises."""
    from azure.core.exceptions import ResourceExistsError  # noqa: PLC0415 -- see the module's docstring

    container = connect()
    with suppress(ResourceExistsError):
        container.create_container()
    return container


def upload(
    container: "ContainerClient",
    name: str,
    content: bytes,
    *,
    content_type: str,
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Write a blob, in place of the one of this name. Raises what the SDK raises."""
    from azure.storage.blob import ContentSettings  # noqa: PLC0415 -- as above

    kind = ContentSettings(content_type=content_type)
    container.upload_blob(name, content, overwrite=True, content_settings=kind, metadata=dict(metadata or {}))


def read(container: "ContainerClient", name: str) -> bytes | None:
    """The content of a blob; None where there is none. Raises what else the SDK raises."""
    from azure.core.exceptions import ResourceNotFoundError  # noqa: PLC0415 -- as above

    with suppress(ResourceNotFoundError):
        return container.download_blob(name).readall()
    return None


def remove(container: "ContainerClient", name: str) -> bool:
    """Delete a blob; whether there was one. Raises what else the SDK raises."""
    from azure.core.exceptions import ResourceNotFoundError  # noqa: PLC0415 -- as above

    with suppress(ResourceNotFoundError):
        container.delete_blob(name)
        return True
    return False


@contextmanager
def failing_as(failure: "Callable[[AzureError], IntegrationError]") -> Iterator[None]:
    """Raise what `failure` makes of an error of the SDK."""
    from azure.core.exceptions import AzureError  # noqa: PLC0415 -- as above

    try:
        yield
    except AzureError as error:
        raise failure(error) from error
