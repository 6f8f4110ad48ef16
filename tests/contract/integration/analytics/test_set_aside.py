"""Rows that are set aside, in a real Blob Storage API: listed with their reasons, read as they were, and removed."""

from datetime import UTC, datetime

from azure.storage.blob import BlobServiceClient

from integration.analytics.row import Row
from integration.analytics.set_aside import SetAside
from integration.analytics.sink import REFUSED, UNREADABLE, Refused

AT = datetime(2026, 11, 20, 19, 5, tzinfo=UTC)


async def test_rows_are_listed_by_their_reason_and_read_as_they_were(storage: str) -> None:
    """Whatever their bytes are, and whatever stands beside them; what is not there is no failure."""
    kept = SetAside(
        lambda: BlobServiceClient.from_connection_string(storage).get_container_client("set-aside-contract")
    )
    before = datetime.now(UTC)
    refused = [
        Refused(Row.read("3", 12, AT, b'{"id": "e-12"}'), REFUSED, "It is not liked."),
        Refused(Row.read("3", 13, AT, b"\xff\x00"), UNREADABLE),
    ]
    await kept.put("lake", refused)
    await kept.put("archive", refused[1:])
    assert sorted(await kept.sinks()) == ["archive", "lake"]

    listed, more = await kept.listed("lake")
    assert ([it.reason for it in listed], more) == ([REFUSED, UNREADABLE], False)
    assert all(abs((it.since - before).total_seconds()) < 600 for it in listed)
    assert [await kept.read("lake", it.row_id) for it in listed] == refused

    ids = [it.row_id for it in listed]
    await kept.remove("lake", [*ids, ids[0], "../archive"])
    assert await kept.listed("lake") == ([], False)
    assert await kept.read("lake", ids[0]) is None
    assert len((await kept.listed("archive"))[0]) == 1
