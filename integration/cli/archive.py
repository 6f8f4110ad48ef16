"""Finds the files of the archive that mention one record."""

import json
import zlib
from collections.abc import Iterable, Iterator

from azure.storage.blob import ContainerClient

_GZIP = 16 + zlib.MAX_WBITS


def blobs_about(container: ContainerClient, session_id: str, days: Iterable[str]) -> Iterator[str]:
    """The names of the files in these days' folders that have a line about the record."""
    for day in days:
        for blob in container.list_blob_names(name_starts_with=f"date={day}/"):
            if any(_subject(line) == session_id for line in _lines(container, blob)):
                yield blob


def _lines(container: ContainerClient, name: str) -> Iterator[bytes]:
    """The lines of a gzip file, unpacked piece by piece; the file may consist of several gzip members."""
    rest, unpack = b"", zlib.decompressobj(_GZIP)
    for chunk in container.download_blob(name).chunks():
        packed = chunk
        while packed:
            if unpack.eof:
                unpack = zlib.decompressobj(_GZIP)
            rest += unpack.decompress(packed)
            packed = unpack.unused_data
            *lines, rest = rest.split(b"\n")
            yield from lines
    if rest:
        yield rest


def _subject(line: bytes) -> str | None:
    try:
        content = json.loads(line)
    except ValueError:
        return None
    return content.get("subject") if isinstance(content, dict) else None
