"""The envelope: CloudEvents outside, the normalised event inside, nothing lost on the way."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integration.errors import Unreadable
from integration.events import (
    Choice,
    Choices,
    IntegrationEvent,
    Lookup,
    Money,
    Rows,
    Value,
    from_envelope,
    to_envelope,
)
from integration.events.model import Claim
from tests.unit.integration.events.support import ACCEPTED, ROW, context, payload, read

GOLDEN = Path(__file__).parent / "envelopes"

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
names = st.text("abcdefghijklmnopqrstuvwxyz_", min_size=1, max_size=12)
guids = st.uuids().map(str)
times = st.datetimes(timezones=st.just(UTC))
decimals = st.decimals(allow_nan=False, allow_infinity=False)
int64s = st.integers(-(2**63), 2**63 - 1)
scalars = (
    st.none()
    | st.booleans()
    | int64s
    | texts
    | decimals
    | times
    | st.builds(Lookup, names, guids, st.none() | texts)
    | st.builds(Money, decimals)
    | st.builds(Choice, int64s)
    | st.builds(Choices, st.lists(int64s, max_size=3).map(tuple))
)


def containers(inner: st.SearchStrategy[Value]) -> st.SearchStrategy[Value]:
    rows = st.lists(st.dictionaries(names, inner, max_size=3), max_size=2).map(tuple)
    ids = st.lists(st.none() | guids, max_size=2).map(tuple)
    return st.lists(inner, max_size=3).map(tuple) | st.builds(Rows, st.none() | names, rows, ids)


values = st.dictionaries(texts, st.recursive(scalars, containers, max_leaves=6), max_size=4)
events = st.builds(
    IntegrationEvent,
    event_id=st.from_regex(r"\A[0-9]{12}-[0-9a-f]{32}\Z"),
    table=names,
    message=names,
    record_id=st.none() | guids,
    organisation=texts,
    correlation_id=guids,
    operation_time=times,
    accepted_time=times,
    user_id=st.none() | guids,
    initiating_user_id=st.none() | guids,
    changed_columns=st.none() | st.lists(names, max_size=3).map(tuple),
    values=values,
    parameters=values,
    pre_image=values,
    post_image=values,
    tag=st.none() | texts,
    trimmed=st.booleans(),
    unread=st.lists(texts, max_size=3).map(tuple),
    uncommitted=st.booleans(),
    expected=values,
    caller=st.none() | texts,
    traceparent=st.none() | texts,
    attempt=st.integers(1, 10_000),
    first_failed_at=st.none() | times,
    replay_of=st.none() | st.text("0123456789abcdef-", min_size=1, max_size=20),
    forced=st.booleans(),
    cause=st.none() | texts,
    row_version=st.none() | st.integers(0, 10**15),
    claim=st.none() | st.builds(Claim, st.from_regex(r"\A[0-9a-f]{64}\Z"), st.integers(0, 10**9)),
)


@given(events)
@settings(deadline=None)
def test_an_event_survives_the_envelope(event: IntegrationEvent) -> None:
    """Every value, to the last digit and microsecond."""
    assert from_envelope(to_envelope(event)) == event


@given(decimals)
def test_a_decimals_digits_survive(amount: Decimal) -> None:
    """Equality alone would let 1.0 become 1.00."""
    event = replace(read(context()), values={"revenue": Money(amount)})

    revenue = from_envelope(to_envelope(event)).values["revenue"]

    assert isinstance(revenue, Money)
    assert str(revenue.amount) == str(amount)


def test_the_outside_is_cloudevents() -> None:
    """Required attributes are there, extension names are lower-case letters and digits, none is null."""
    document = json.loads(to_envelope(read(payload("webhook_async_update_account_2019"))))
    data = document.pop("data")

    assert document == {
        "specversion": "1.0",
        "id": read(payload("webhook_async_update_account_2019")).event_id,
        "source": "/dataverse/a939603b-3dc7-46c5-a4c4-8406060c0af7",
        "type": "dataverse.account.Update",
        "subject": "account/aaa19cdd-88df-e311-b8e5-6c3be5a8b200",
        "time": "2019-01-12T02:11:30Z",
        "datacontenttype": "application/json",
        "correlationid": "d0103cd1-eb73-4c21-9841-217637786b1c",
        "acceptedtime": "2026-01-02T03:04:05Z",
        "attempt": 1,
        "contractversion": "1.4",
    }
    assert data["changedColumns"] == ["name"]
    assert data["values"]["modifiedon"] == {"datetime": "2019-01-12T02:11:30Z"}


def test_an_event_without_a_record_has_no_subject() -> None:
    event = read(payload("plugin_async_customapi_all_parameter_types"))

    assert "subject" not in json.loads(to_envelope(event))


def test_times_travel_in_utc() -> None:
    """Whatever offset a caller's clock has."""
    there = datetime(2026, 1, 2, 4, 4, 5, tzinfo=timezone(timedelta(hours=1)))

    assert json.loads(to_envelope(replace(read(context()), accepted_time=there)))["acceptedtime"].endswith("03:04:05Z")


def test_what_has_its_default_takes_no_room() -> None:
    """Most events carry nothing but what identifies them and the names of the columns."""
    document = json.loads(to_envelope(replace(read(context()), values={}, user_id=None, initiating_user_id=None)))

    assert document["data"].keys() == {"table", "message", "recordId", "organisation", "changedColumns"}
    assert not document.keys() & {"firstfailedtime", "replayof", "forced", "traceparent"}


WAITING = {
    "1.0": replace(
        read(payload("webhook_sync_create_all_field_types")),
        event_id="202310151934-5b6bd15db245964336e8423169cd99f4",
        tag="erp",
        attempt=3,
        uncommitted=False,
        expected={},
    ),
    "1.1": IntegrationEvent(
        event_id="201901120211-2348ac4ba99614151bda0ef72a19a045",
        table="account",
        message="Update",
        record_id=ROW,
        organisation="a939603b-3dc7-46c5-a4c4-8406060c0af7",
        correlation_id="d0103cd1-eb73-4c21-9841-217637786b1c",
        operation_time=datetime(2019, 1, 12, 2, 11, 30, tzinfo=UTC),
        accepted_time=ACCEPTED,
        user_id=None,
        initiating_user_id=None,
        changed_columns=("name", "revenue", "statecode"),
        trimmed=True,
        unread=("revenue",),
        uncommitted=True,
        expected={"name": "Contoso", "statecode": Choice(0)},
        caller="dataverse",
        attempt=2,
        first_failed_at=ACCEPTED,
        replay_of="201901120211-00000000000000000000000000000000",
        forced=True,
    ),
    "1.2": IntegrationEvent(
        event_id="202611201905-2348ac4ba99614151bda0ef72a19a045",
        table="account",
        message="Update",
        record_id=ROW,
        organisation="a939603b-3dc7-46c5-a4c4-8406060c0af7",
        correlation_id="202611201905-2348ac4ba99614151bda0ef72a19a045",
        operation_time=datetime(2026, 11, 20, 19, 5, tzinfo=UTC),
        accepted_time=ACCEPTED,
        user_id=None,
        initiating_user_id=None,
        trimmed=True,
        caller="dataverse-change-tracking",
        cause="change tracking lists the row",
        row_version=919042,
    ),
    "1.3": IntegrationEvent(
        event_id="202611201905-2348ac4ba99614151bda0ef72a19a045",
        table="none",
        message="new_CustomerPurchased",
        record_id=None,
        organisation="a939603b-3dc7-46c5-a4c4-8406060c0af7",
        correlation_id="202611201905-2348ac4ba99614151bda0ef72a19a045",
        operation_time=datetime(2026, 11, 20, 19, 5, tzinfo=UTC),
        accepted_time=ACCEPTED,
        user_id=None,
        initiating_user_id=None,
        trimmed=True,
        caller="dataverse",
        claim=Claim("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", 431_072),
    ),
    "1.4": IntegrationEvent(
        event_id="202611201905-2348ac4ba99614151bda0ef72a19a045",
        table="account",
        message="Update",
        record_id="aaaaaaaa-0000-4000-8000-000000000001",
        organisation="a939603b-3dc7-46c5-a4c4-8406060c0af7",
        correlation_id="202611201905-2348ac4ba99614151bda0ef72a19a045",
        operation_time=datetime(2026, 11, 20, 19, 5, tzinfo=UTC),
        accepted_time=ACCEPTED,
        user_id=None,
        initiating_user_id=None,
        caller="dataverse",
        traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        tracestate='rojo=00f067aa0ba902b7,congo="t61rcWkgMzE"',
    ),
}


@pytest.mark.parametrize("version", WAITING)
def test_envelopes_that_wait_in_queues_are_read(version: str) -> None:
    """Each file was written by the contract version in its name and never changes: messages scheduled then are due."""
    assert from_envelope((GOLDEN / f"{version}.json").read_bytes()) == WAITING[version]


def envelope(**changed: Any) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(to_envelope(read(context())))
    return document | changed


def test_what_a_newer_minor_version_adds_is_ignored() -> None:
    """Old and new instances run side by side while a version is rolled out."""
    document = envelope(contractversion="1.7", newattribute="x")
    document["data"]["newField"] = {"any": "thing"}

    assert from_envelope(json.dumps(document).encode()) == read(context())


def test_what_an_older_minor_version_did_not_write_has_its_default() -> None:
    document = envelope()
    del document["attempt"]
    assert document["data"].keys() <= {
        "table", "message", "recordId", "organisation", "userId", "initiatingUserId", "changedColumns", "values"
    }  # fmt: skip

    assert from_envelope(json.dumps(document).encode()) == read(context())


def with_value(value: Any) -> dict[str, Any]:
    document = envelope()
    document["data"]["values"] = {"it": value}
    return document


@pytest.mark.parametrize(
    "document",
    [
        envelope(contractversion="2.0"),
        envelope(contractversion=None),
        envelope(contractversion=1),
        envelope(specversion="0.3"),
        envelope(id=""),
        envelope(id=None),
        envelope(time="yesterday"),
        envelope(time="2026-01-02T03:04:05"),
        envelope(attempt="3"),
        envelope(attempt=0),
        envelope(data=None),
        envelope(data={}),
        with_value(1.5),
        with_value({}),
        with_value({"money": "1", "choice": 1}),
        with_value({"coin": "1"}),
        with_value({"money": 1}),
        with_value({"money": "NaN"}),
        with_value({"decimal": "much"}),
        with_value({"choice": True}),
        with_value({"choices": 5}),
        with_value({"lookup": {"table": "account"}}),
        with_value({"rows": {"table": None, "rows": [5], "ids": []}}),
        with_value({"datetime": "2026-01-02"}),
        [],
        "text",
        None,
    ],
)
def test_what_is_not_an_envelope_of_ours_is_unreadable(document: Any) -> None:
    with pytest.raises(Unreadable):
        from_envelope(json.dumps(document).encode())


@pytest.mark.parametrize("body", [b"", b"\xff", b"{", b"[" * 100_000, b"9" * 5_000])
def test_what_is_not_json_is_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable):
        from_envelope(body)
