"""The files of an export: in a folder, or in a container of a storage account; OneLake answers like one."""

import codecs
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

from integration.blobs import failing_as
from integration.errors import ConfigurationError, Outage

_EMULATED: Final = frozenset({"127.0.0.1", "localhost"})


class Files(Protocol):
    """Names have slashes, and begin below the place of the export."""

    place: str

    def names(self, below: str = "") -> list[str]:
        """All files below a folder, in the order of their names."""
        ...

    def chunks(self, name: str) -> Iterator[bytes]:
        """The content of a file, piece by piece; raises `Outage` where it cannot be read."""
        ...

    def local(self, name: str) -> AbstractContextManager[Path]:
        """A file of this machine with this content, while the block lasts; raises as `chunks` does."""
        ...

    def delta(self, folder: str) -> tuple[str, dict[str, str]]:
        """A folder as the library `deltalake` names it, and the options with which it reaches it."""
        ...


class LocalFiles:
    """A folder of this machine, such as a copy or a mounted lake."""

    def __init__(self, folder: Path) -> None:
        self.place = str(folder)
        self._folder = folder

    def names(self, below: str = "") -> list[str]:
        """See `Files`."""
        found = (it for it in (self._folder / below).rglob("*") if it.is_file())
        return sorted(it.relative_to(self._folder).as_posix() for it in found)

    def chunks(self, name: str) -> Iterator[bytes]:
        """See `Files`."""
        with (self._folder / name).open("rb") as file:
            while piece := file.read(1 << 20):
                yield piece

    @contextmanager
    def local(self, name: str) -> Iterator[Path]:
        """See `Files`; it is the file itself."""
        yield self._folder / name

    def delta(self, folder: str) -> tuple[str, dict[str, str]]:
        """See `Files`."""
        return str(self._folder / folder), {}


class BlobFiles:
    """Blobs of a container, below `prefix`; `container` is the client of Microsoft's SDK."""

    def __init__(self, container: Any, prefix: str, place: str) -> None:
        self.place = place
        self._container = container
        self._prefix = f"{prefix}/" if prefix else ""

    def names(self, below: str = "") -> list[str]:
        """See `Files`."""
        start = self._prefix + (f"{below}/" if below else "")
        with _read(self.place):
            found = [str(it.name) for it in self._container.list_blobs(name_starts_with=start)]
        return sorted(it.removeprefix(self._prefix) for it in found)

    def chunks(self, name: str) -> Iterator[bytes]:
        """See `Files`."""
        with _read(self.place):
            yield from self._container.download_blob(self._prefix + name).chunks()

    @contextmanager
    def local(self, name: str) -> Iterator[Path]:
        """See `Files`; a copy, as it is read at several places."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "copy"
            with path.open("wb") as file:
                file.writelines(self.chunks(name))
            yield path

    def delta(self, folder: str) -> tuple[str, dict[str, str]]:
        """See `Files`."""
        parts = urlsplit(self._container.url)
        account = str(self._container.account_name)
        options = {"azure_storage_account_name": account}
        options |= {"azure_storage_sas_key": parts.query} if parts.query else {"azure_use_azure_cli": "true"}
        if parts.hostname in _EMULATED:
            options |= {"azure_storage_endpoint": f"{parts.scheme}://{parts.netloc}/{account}", "allow_http": "true"}
        elif str(parts.hostname).startswith("onelake."):
            options |= {"azure_use_fabric_endpoint": "true"}
        return f"az://{self._container.container_name}/{self._prefix}{folder}".rstrip("/"), options


def open_files(place: str) -> Files:
    """The files at a place: a folder, or `https://<account>.blob.core.windows.net/<container>[/<folder>]`.

    A URL may bring a shared access signature; without one, whoever is signed in to the Azure CLI reads. Raises
    `ConfigurationError` where there is neither, or where what reads blobs is not installed.
    """
    parts = urlsplit(place)
    if parts.scheme not in {"http", "https"}:
        folder = Path(place)
        if not folder.is_dir():
            raise ConfigurationError(f"{place} is neither a folder nor a URL")
        return LocalFiles(folder)
    try:
        from azure.storage.blob import ContainerClient  # noqa: PLC0415 -- commands do without it otherwise
    except ImportError as error:
        raise ConfigurationError(
            "Blobs are read with a library that is not installed: pip install '.[app,exports]'"
        ) from error
    container, prefix = _split(parts.path, parts.netloc)
    url = f"{parts.scheme}://{parts.netloc}{container}" + (f"?{parts.query}" if parts.query else "")
    client = ContainerClient.from_container_url(url, credential=None if parts.query else _azure_cli())
    return BlobFiles(client, prefix, f"{parts.scheme}://{parts.netloc}{parts.path}")


def lines(chunks: Iterable[bytes], encoding: str) -> Iterator[str]:
    """The text line by line, each with its end; a line feed within quotes ends one too, as csv expects."""
    decoder = codecs.getincrementaldecoder(encoding)()
    left = ""
    for piece in chunks:
        *whole, left = (left + decoder.decode(piece)).split("\n")
        yield from (f"{line}\n" for line in whole)
    left += decoder.decode(b"", final=True)
    if left:
        yield left


def _split(path: str, host: str) -> tuple[str, str]:
    """The container and the folder in it; on an emulator the account comes first."""
    names = [it for it in path.split("/") if it]
    first = 1 if host.partition(":")[0] in _EMULATED else 0
    if len(names) <= first:
        raise ConfigurationError(f"{host}{path} names no container")
    return "/" + "/".join(names[: first + 1]), "/".join(names[first + 1 :])


def _azure_cli() -> Any:
    from azure.identity import AzureCliCredential  # noqa: PLC0415 -- slow to import, and needed without a signature only

    return AzureCliCredential()


def _read(place: str) -> AbstractContextManager[None]:
    """Names the place in errors of the SDK."""

    def failure(error: Exception) -> Outage:
        said = str(error).partition("\n")[0]
        return Outage(f"{place} cannot be read: {said}", reason="export-unavailable")

    return failing_as(failure)
