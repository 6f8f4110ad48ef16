"""The host's own storage account: blocking SDK calls in threads, and leases that make a singleton."""

import asyncio
import contextlib
import functools
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from azure.core.exceptions import HttpResponseError, ResourceExistsError
from azure.storage.blob import BlobClient, BlobLeaseClient, BlobServiceClient, ContainerClient

_Result = TypeVar("_Result")
_NAMES = uuid.UUID("3c1ea3c4-5b1e-4f0e-8a57-4a6f0f6d1c11")


class BlobWork:
    """Runs calls of the (synchronous) storage SDK in threads of their own, away from those of functions."""

    def __init__(self, connection_string: str) -> None:
        self.service: BlobServiceClient = BlobServiceClient.from_connection_string(
            connection_string, retry_total=2, connection_timeout=5, read_timeout=15
        )
        self._threads = ThreadPoolExecutor(max_workers=4, thread_name_prefix="blobs")

    async def run(self, call: Callable[..., _Result], *arguments: Any, **options: Any) -> _Result:
        """The result of `call`."""
        bound = functools.partial(call, *arguments, **options)
        return await asyncio.get_running_loop().run_in_executor(self._threads, bound)

    async def container(self, name: str) -> ContainerClient:
        """The container, which is made if it does not exist."""
        client = self.service.get_container_client(name)
        with contextlib.suppress(ResourceExistsError):
            await self.run(client.create_container)
        return client

    def close(self) -> None:
        """Release the threads."""
        self._threads.shutdown(wait=False)
        self.service.close()


class BlobLease:
    """A lease that one instance at a time holds.

    Its id follows from the instance's name: an instance that was killed and is started again has its lease at once.
    """

    LENGTH = 30
    """Seconds; an instance that does not renew it for longer has lost it."""

    def __init__(self, blobs: BlobWork, blob: BlobClient, instance: str) -> None:
        self._blobs = blobs
        self._blob = blob
        self._lease_id = str(uuid.uuid5(_NAMES, instance))
        self._lease = BlobLeaseClient(blob, lease_id=self._lease_id)

    async def acquire(self) -> bool:
        """Take the lease, or take it again; False while another instance has it."""
        with contextlib.suppress(ResourceExistsError, HttpResponseError):
            await self._blobs.run(self._blob.upload_blob, b"", overwrite=False)
        try:
            await self._blobs.run(self._lease.acquire, lease_duration=self.LENGTH)
        except HttpResponseError as error:
            if error.status_code == 409:
                return False
            raise
        return True

    async def release(self) -> None:
        """Give it up."""
        with contextlib.suppress(HttpResponseError):
            await self._blobs.run(self._lease.release)
