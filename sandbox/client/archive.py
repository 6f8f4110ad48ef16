"""What the archive sink has written: gzipped JSON Lines in a blob container."""

import gzip
import json
from pathlib import Path
from typing import Any

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob import BlobServiceClient


class Archive:
    """The lines in `container`, each settled event once."""

    def __init__(self, connection_string: str, container: str = "integration-events") -> None:
        self._service = BlobServiceClient.from_connection_string(connection_string)
        self._container = self._service.get_container_client(container)
        self._read: dict[tuple[str, str], list[dict[str, Any]]] = {}
        self._downloaded: set[tuple[Path, str]] = set()

    def lines(self) -> list[dict[str, Any]]:
        """All lines; an event that was delivered twice counts once, by partition and sequence number."""
        found: dict[tuple[str, int], dict[str, Any]] = {}
        try:
            for blob in self._container.list_blobs():
                for document in self._documents(blob.name, str(blob.etag)):
                    found[document["partition"], document["sequenceNumber"]] = document
        except ResourceNotFoundError:
            return []
        return list(found.values())

    def download(self, folder: Path) -> None:
        """Write all files below `folder`, with their names; those that are there already only if they have changed."""
        for blob in self._container.list_blobs():
            path = folder / blob.name
            if (path, str(blob.etag)) in self._downloaded:
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(self._container.download_blob(blob.name).readall())
            self._downloaded.add((path, str(blob.etag)))

    def _documents(self, name: str, etag: str) -> list[dict[str, Any]]:
        """The lines of a blob, which is read once unless it changes."""
        if (name, etag) not in self._read:
            content = gzip.decompress(self._container.download_blob(name).readall())
            self._read[name, etag] = [json.loads(line) for line in content.splitlines()]
        return self._read[name, etag]

    def line_of(self, event_id: str) -> dict[str, Any] | None:
        """The line of one event; None while there is none."""
        return next((line for line in self.lines() if line.get("id") == event_id), None)
