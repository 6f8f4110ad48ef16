"""Checkpoints and partition ownership in blobs, named and filled as the .NET BlobCheckpointStore does.

Container `azure-webjobs-eventhub`; `{namespace}/{hub}/{group}/checkpoint/{partition}` with metadata `offset` and
`sequencenumber`, `{namespace}/{hub}/{group}/ownership/{partition}` with metadata `ownerid`.
Source: azure-sdk-for-net BlobCheckpointStoreInternal.cs.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from azure.core import MatchConditions
from azure.core.exceptions import ResourceExistsError, ResourceModifiedError, ResourceNotFoundError
from azure.storage.blob import ContainerClient

from sandbox.azure.host.triggers.blobs import BlobWork

CONTAINER = "azure-webjobs-eventhub"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Reading goes on after this event."""

    offset: str
    sequence_number: int


@dataclass(frozen=True, slots=True)
class Ownership:
    """Who reads a partition; the owner is empty after a release. `age` in seconds, by the storage account's clock."""

    partition: str
    owner: str
    etag: str
    age: float


class CheckpointStore:
    """Checkpoints and ownership of one consumer group of one hub."""

    def __init__(self, blobs: BlobWork, namespace: str, hub: str, group: str) -> None:
        self._blobs = blobs
        self._prefix = f"{namespace}/{hub}/{group}".lower()
        self._container: ContainerClient | None = None

    async def _client(self) -> ContainerClient:
        if self._container is None:
            self._container = await self._blobs.container(CONTAINER)
        return self._container

    async def checkpoint(self, partition: str) -> Checkpoint | None:
        """The last checkpoint; None for a partition that was never read."""
        blob = (await self._client()).get_blob_client(f"{self._prefix}/checkpoint/{partition}")
        try:
            metadata = (await self._blobs.run(blob.get_blob_properties)).metadata or {}
        except ResourceNotFoundError:
            return None
        if not metadata.get("offset"):
            return None
        return Checkpoint(metadata["offset"], int(metadata.get("sequencenumber", -1)))

    async def update(self, partition: str, checkpoint: Checkpoint) -> None:
        """Move the checkpoint."""
        blob = (await self._client()).get_blob_client(f"{self._prefix}/checkpoint/{partition}")
        metadata = {"offset": checkpoint.offset, "sequencenumber": str(checkpoint.sequence_number)}
        await self._blobs.run(blob.upload_blob, b"", overwrite=True, metadata=metadata)

    async def ownerships(self) -> list[Ownership]:
        """Who owns which partitions; a partition that nobody ever owned is not among them."""
        container = await self._client()
        prefix = f"{self._prefix}/ownership/"
        return await self._blobs.run(_list_ownerships, container, prefix)

    async def claim(self, partition: str, owner: str, etag: str | None) -> str | None:
        """Own `partition`, unless it has changed since `etag`; returns the new ETag, or None when it has."""
        blob = (await self._client()).get_blob_client(f"{self._prefix}/ownership/{partition}")
        try:
            if etag is None:
                answer = await self._blobs.run(blob.upload_blob, b"", metadata={"ownerid": owner})
            else:
                answer = await self._blobs.run(
                    blob.set_blob_metadata, {"ownerid": owner}, etag=etag, match_condition=MatchConditions.IfNotModified
                )
        except (ResourceExistsError, ResourceModifiedError, ResourceNotFoundError):
            return None
        return str(answer["etag"])


def _list_ownerships(container: ContainerClient, prefix: str) -> list[Ownership]:
    found = []
    now = datetime.now(UTC)
    for blob in container.list_blobs(name_starts_with=prefix, include=["metadata"]):
        owner = (blob.metadata or {}).get("ownerid", "")
        age = (now - blob.last_modified).total_seconds()
        found.append(Ownership(blob.name[len(prefix) :], owner, f'"{blob.etag.strip(chr(34))}"', age))
    return found
