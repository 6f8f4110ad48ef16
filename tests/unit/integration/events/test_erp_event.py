"""Events of an ERP, in each of their forms: what identifies them, and what is refused."""

import json
from datetime import timedelta
from typing import Any

import pytest

from integration.errors import Rejected
from integration.events import IntegrationEvent, from_envelope, to_envelope
from integration.events.business_event import ErpEventName
from integration.events.erp_event import MOST, read_erp_events
from tests.unit.integration.events.support import ACCEPTED

NAME = ErpEventName("order-shipped", "erp.order", ("SalesOrderNumber", "SalesId"))
TIME = (ACCEPTED - timedelta(seconds=5)).isoformat()
PLAIN = {"id": "e-1", "record": "SO-1", "source": "erp", "time": TIME}
CLOUD = {"specversion": "1.0", "id": "e-1", "source": "erp", "type": "any", "subject": "SO-1", "time": TIME}
FINANCE = {
    "BusinessEventId": "SalesOrderShippedBusinessEvent",
    "ControlNumber": 5637149827,
    "EventId": "0F4C2C1E-51E7-4B5B-A4D9-8B7C1B0B6A0C",
    "EventTime": f"/Date({int(ACCEPTED.timestamp() * 1000)})/",
    "MajorVersion": 0,
    "MinorVersion": 0,
    "LegalEntity": "USMF",
    "SalesOrderNumber": "SO-1",
}


def read(body: Any, name: ErpEventName = NAME, caller: str = "erp", **headers: str) -> list[IntegrationEvent]:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return read_erp_events(
        raw,
        headers={it.replace("_", "-"): value for it, value in headers.items()},
        name=name,
        caller=caller,
        organisation="contoso",
        accepted_time=ACCEPTED,
    )


def refused(body: Any, name: ErpEventName = NAME) -> Rejected:
    with pytest.raises(Rejected) as found:
        read(body, name)
    return found.value


@pytest.mark.parametrize("body", [PLAIN, CLOUD, FINANCE, [PLAIN], [CLOUD]])
def test_every_form_becomes_an_event_of_the_record(body: Any) -> None:
    [event] = read(body)
    assert (event.table, event.message, event.record_id) == ("erp.order", "order-shipped", "SO-1")
    assert (event.session_id, event.system, event.organisation) == ("erp.order:SO-1", "erp", "contoso")
    assert event.accepted_time == ACCEPTED


def test_a_binary_cloud_event_has_its_attributes_in_headers() -> None:
    [event] = read({"any": "data"}, ce_specversion="1.0", ce_id="e-1", ce_source="erp", ce_type="t", ce_subject="SO-1")
    assert event.record_id == "SO-1"


def test_the_plain_form_and_a_cloud_event_of_one_identity_are_the_same_event() -> None:
    assert read(PLAIN)[0].event_id == read(CLOUD)[0].event_id


def test_a_redelivery_is_the_same_event_and_each_part_of_the_identity_makes_another_one() -> None:
    same = read(PLAIN)[0].event_id
    assert read({**PLAIN, "unknown": 1})[0].event_id == same
    earlier = (ACCEPTED - timedelta(seconds=6)).isoformat()
    others = [{"id": "e-2"}, {"source": "erp2"}, {"record": "SO-2"}, {"time": earlier}]
    ids = {read({**PLAIN, **other})[0].event_id for other in others}
    assert len(ids | {same}) == 5


def test_without_a_source_the_caller_is_it() -> None:
    """Two systems that number their events alike do not take each other's events for repetitions."""
    bare = {"id": "e-1", "record": "SO-1", "time": TIME}
    assert read(bare, caller="one")[0].event_id != read(bare, caller="two")[0].event_id


@pytest.mark.parametrize("time", [None, "2001-01-01T00:00:00Z", "2999-01-01T00:00:00Z"])
def test_a_time_that_cannot_be_right_counts_as_none(time: str | None) -> None:
    """The clock of another system must not put events into months of the ledger that are gone or far away."""
    given = {**PLAIN, "time": time} if time else {name: it for name, it in PLAIN.items() if name != "time"}
    assert read(given)[0].operation_time == ACCEPTED


def test_of_several_events_about_one_record_the_last_is_enough() -> None:
    events = read([{**PLAIN, "id": "e-1"}, {**PLAIN, "id": "e-2"}, {**PLAIN, "id": "e-3", "record": "SO-2"}])
    assert [it.record_id for it in events] == ["SO-1", "SO-2"]
    assert events[0].event_id == read({**PLAIN, "id": "e-2"})[0].event_id


@pytest.mark.parametrize("guid", ["6F1B8F0E-6C8F-4D0C-9A55-3F0B2F5F8C11", "{6f1b8f0e-6c8f-4d0c-9a55-3f0b2f5f8c11}"])
def test_guids_are_written_in_one_way(guid: str) -> None:
    if guid.startswith("{"):
        assert refused({**PLAIN, "record": guid}).status == 400
    else:
        assert read({**PLAIN, "record": guid})[0].record_id == guid.lower()


@pytest.mark.parametrize("record", ["", " ", "a/b", "a\\b", "a#b", "a?b", "x" * 101, "é", 5, None])
def test_a_record_that_cannot_be_a_key_is_refused(record: object) -> None:
    faults = refused({**PLAIN, "record": record}).faults
    assert [fault.pointer for fault in faults] == ["/record"]


def test_everything_that_is_wrong_in_a_list_is_named_with_its_place() -> None:
    error = refused([PLAIN, {"record": "SO-1"}, {**CLOUD, "subject": ""}, 5, {**PLAIN, "time": "today"}])
    assert error.status == 400
    assert [fault.pointer for fault in error.faults] == ["/1/id", "/2/subject", "/3", "/4/time"]


@pytest.mark.parametrize("body", [[], 5, "text", None, b"{", b"\xff"])
def test_what_is_no_event_is_refused(body: Any) -> None:
    assert refused(body).status == 400


def test_too_many_events_are_refused_before_they_are_read() -> None:
    assert refused([5] * (MOST + 1)).status == 413


def test_another_version_of_cloud_events_is_refused() -> None:
    assert [it.pointer for it in refused({**CLOUD, "specversion": "0.3"}).faults] == ["/specversion"]


def test_a_business_event_without_a_record_names_where_it_would_be() -> None:
    bare = {name: it for name, it in FINANCE.items() if name != "SalesOrderNumber"}
    assert "SalesOrderNumber or SalesId" in refused(bare).detail
    assert "record_in" in refused(bare, ErpEventName("x", "erp.x")).detail
    assert read({**bare, "SalesId": "SO-9"})[0].record_id == "SO-9"


def test_business_events_differ_by_their_control_number() -> None:
    """It rises with each event of an endpoint; a message that is sent again keeps it."""
    assert read(FINANCE)[0].event_id == read(FINANCE)[0].event_id
    assert read({**FINANCE, "ControlNumber": 5637149828})[0].event_id != read(FINANCE)[0].event_id


def test_the_envelope_says_which_system_it_came_from() -> None:
    [event] = read(PLAIN)
    document = json.loads(to_envelope(event))
    assert (document["source"], document["type"]) == ("/erp/contoso", "erp.order.order-shipped")
    assert document["subject"] == "erp.order/SO-1"
    assert from_envelope(to_envelope(event)) == event
