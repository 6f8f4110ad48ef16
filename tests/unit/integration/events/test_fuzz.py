"""Whatever arrives, a reader gives an event or refuses with 400, and the worker gets an event or `Unreadable`."""

import json
from contextlib import suppress
from copy import deepcopy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from integration.errors import Rejected, Unreadable
from integration.events import from_envelope, read_plugin_event, to_envelope
from integration.events.body import parse_body
from tests.unit.integration.events.support import ACCEPTED, payload, read
from tests.unit.integration.events.test_payloads import EXPECTED

BODIES = [payload(name) for name in EXPECTED]
DOCUMENTS = [json.loads(body.decode("utf-8-sig")) for body in BODIES if not body.startswith(b'"')]
NASTY: st.SearchStrategy[Any] = st.sampled_from(
    [
        None,
        True,
        0,
        -1,
        10**400,
        1e308,
        "",
        "\ud800",
        "\x00",
        "{}",
        "/Date(1e5)/",
        "/Date(-99999999999999999999)/",
        "/Date(0+9999)/",
        "2024-02-30T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "00000000-0000-0000-0000-000000000000",
        [],
        {},
        [[[[]]]],
        [None],
        [{}],
        [{"key": "Target"}],
        [{"key": "Target", "value": {"Attributes": {}, "LogicalName": 5, "Id": []}}],
        [{"key": "tag", "value": ["erp"]}],
        {"__type": 5, "Value": 1},
        {"__type": "Money:x"},
        {"__type": "EntityCollection:x", "Entities": [5]},
        {"__type": "Entity:x", "Attributes": [{"key": "", "value": 1}]},
        {"__type": "DateTime:#System", "__value": {"__value": []}},
        {"Value": "text"},
        {"Id": "x", "LogicalName": ""},
    ]
).map(deepcopy)  # they are put into documents and changed there


def read_like_the_intake(body: bytes) -> None:
    """What the webhook does with it; the event can be sent on and read again."""
    with suppress(Rejected):
        event = read(body, repair_mojibake=True)
        assert from_envelope(to_envelope(event)) == event


@given(st.binary(max_size=200))
@settings(deadline=None)
def test_random_bytes(body: bytes) -> None:
    read_like_the_intake(body)
    with suppress(Unreadable):
        from_envelope(body)


@given(st.sampled_from(BODIES), st.data())
@settings(max_examples=200, deadline=None)
def test_captures_with_bytes_changed(body: bytes, data: st.DataObject) -> None:
    """Cut, and a piece replaced by noise."""
    start = data.draw(st.integers(0, len(body)))
    end = data.draw(st.integers(start, min(len(body), start + 40)))
    read_like_the_intake(body[:start] + data.draw(st.binary(max_size=8)) + body[end:])
    read_like_the_intake(body[:start])


def places(node: Any) -> list[tuple[Any, Any]]:
    """Every container of a document with each of its keys."""
    found: list[tuple[Any, Any]] = []
    inside = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, child in inside:
        found += [(node, key), *places(child)]
    return found


@given(st.sampled_from(DOCUMENTS), st.data())
@settings(max_examples=400, deadline=None)
def test_captures_with_values_changed(document: dict[str, Any], data: st.DataObject) -> None:
    """Up to three values anywhere in a capture become something else; its own keys come first, they matter most."""
    copy = json.loads(json.dumps(document))
    for _ in range(data.draw(st.integers(1, 3))):
        found = places(copy)
        if not found:
            break
        top = [place for place in found if place[0] is copy]
        holder, key = data.draw(st.sampled_from(top) | st.sampled_from(found))
        holder[key] = data.draw(NASTY)
    read_like_the_intake(json.dumps(copy).encode())


IDENTITY = {
    "MessageName",
    "PrimaryEntityName",
    "PrimaryEntityId",
    "OrganizationId",
    "OperationCreatedOn",
    "OperationId",
    "RequestId",
}
OF_A_RECORD = [it for it in DOCUMENTS if it["PrimaryEntityId"] != "00000000-0000-0000-0000-000000000000"]


@given(st.sampled_from(OF_A_RECORD), st.data())
@settings(max_examples=400, deadline=None)
def test_what_does_not_identify_an_event_never_refuses_it(document: dict[str, Any], data: st.DataObject) -> None:
    """Up to three values anywhere else in a capture become something else: what is read is the same event."""
    copy = json.loads(json.dumps(document))
    for _ in range(data.draw(st.integers(1, 3))):
        top = [place for place in places(copy) if place[0] is copy and place[1] not in IDENTITY]
        below = [place for _, key in top for place in places(copy[key])]
        holder, key = data.draw(st.sampled_from(top) | st.sampled_from(below or top))
        holder[key] = data.draw(NASTY)

    event, original = read(json.dumps(copy).encode()), read(document)

    assert (event.table, event.record_id, event.message) == (original.table, original.record_id, original.message)


@given(st.sampled_from(DOCUMENTS), st.data())
@settings(max_examples=200, deadline=None)
def test_envelopes_with_values_changed(document: dict[str, Any], data: st.DataObject) -> None:
    """An edited dead letter is an event, one that can be sent on, or unreadable."""
    envelope = json.loads(to_envelope(read(document)))
    holder, key = data.draw(st.sampled_from(places(envelope)))
    holder[key] = data.draw(NASTY)
    with suppress(Unreadable):
        event = from_envelope(json.dumps(envelope).encode())
        assert from_envelope(to_envelope(event)) == event


@given(
    st.dictionaries(
        st.sampled_from(["EventName", "RecordId", "ChangedFields", "TriggeredBy", "Timestamp", "OperationId"]),
        NASTY | st.sampled_from(["Changed", "44444444-4444-4444-8444-444444444444", "2025-01-31T10:15:30Z", ["a"]]),
    )
)
@settings(deadline=None)
def test_plug_in_payloads_of_anything(body: dict[str, Any]) -> None:
    with suppress(Rejected):
        event = read_plugin_event(
            parse_body(json.dumps(body).encode()),
            headers={},
            accepted_time=ACCEPTED,
            organisation="contoso",
            event_names={"Changed": ("account", "Update")},
        )
        assert from_envelope(to_envelope(event)) == event
