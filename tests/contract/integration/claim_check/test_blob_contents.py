"""What events carry beside their messages, on Azurite."""

import dataclasses
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from azure.storage.blob import BlobServiceClient, ContainerClient

from integration.claim_check import BlobContents, ClaimCheck
from integration.errors import Outage, Permanent
from tests.builders import event


@pytest.fixture
def container(storage: str) -> ContainerClient:
    """A container that is not there yet."""
    return BlobServiceClient.from_connection_string(storage).get_container_client(f"claims-{uuid.uuid4()}")


@pytest.fixture
def contents(container: ContainerClient) -> BlobContents:
    return BlobContents(lambda: container)


async def test_contents_are_kept_read_and_removed(contents: BlobContents) -> None:
    """The same again is the same blob, and what is not there can be removed."""
    contents.put("a/1/x", b"first")
    contents.put("a/1/x", b"second")
    contents.put("b/2/y", b"other")

    assert contents.get("a/1/x") == b"second"
    assert contents.get("a/1/z") is None
    [kept] = contents.kept("a/")
    assert kept.name == "a/1/x"
    assert abs(datetime.now(UTC) - kept.written) < timedelta(minutes=5)
    assert [contents.remove("a/1/x"), contents.remove("a/1/x")] == [True, False]
    assert [it.name for it in contents.kept()] == ["b/2/y"]


async def test_an_event_goes_round_and_a_changed_blob_is_noticed(
    contents: BlobContents, container: ContainerClient
) -> None:
    """The hash is in the message, which whoever writes to the container cannot change."""
    claim_check = ClaimCheck(contents, limit_bytes=16_384)
    it = dataclasses.replace(event(), parameters={"Text": "€" * 100_000})
    fitted, envelope = await claim_check.fitted(it)

    assert len(envelope) < 16_384
    assert await claim_check.redeemed(fitted) == it
    [blob] = container.list_blobs()
    container.upload_blob(str(blob.name), b"{}", overwrite=True)
    with pytest.raises(Permanent, match="was changed"):
        await claim_check.redeemed(fitted)
    await claim_check.forget(fitted)
    with pytest.raises(Permanent, match="not in Blob Storage"):
        await claim_check.redeemed(fitted)


async def test_a_storage_that_does_not_answer_is_an_outage() -> None:
    """No event is to blame for it, and none ages."""
    nobody = "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=aaaa;BlobEndpoint=http://127.0.0.1:9/a;"
    blobs = BlobServiceClient.from_connection_string(nobody, retry_total=0)
    contents = BlobContents(lambda: blobs.get_container_client("claims"))

    for call in (lambda: contents.put("a", b""), lambda: contents.get("a"), lambda: list(contents.kept())):
        with pytest.raises(Outage) as raised:
            call()
        assert raised.value.reason == "contents-unavailable"
