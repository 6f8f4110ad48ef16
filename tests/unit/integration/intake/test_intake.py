"""What the intake admits, queues and refuses."""

import gzip
import json
import logging
from typing import Any

import pytest

from integration.errors import Rejected, Transient, Unavailable
from integration.events import Choice
from tests.unit.integration.events.support import ROW, context, entity, pair
from tests.unit.integration.intake.support import PAYLOAD, UnderTest

ALPINE = "a939603b-3dc7-46c5-a4c4-8406060c0af7"


def logged(caplog: pytest.LogCaptureFixture, what: str) -> list[dict[str, Any]]:
    lines = [json.loads(record.getMessage()) for record in caplog.records if record.getMessage().startswith("{")]
    return [line for line in lines if line["what"] == what]


def test_an_event_of_another_organisation_is_refused_and_says_whose_it_is() -> None:
    """A copied environment, with the same steps and row ids, must not reach the systems of the original."""
    with pytest.raises(Rejected) as refused:
        UnderTest(OWN_ORGANISATION_ONLY="true").webhook(PAYLOAD)
    assert refused.value.status == 403
    assert ALPINE in refused.value.detail


def test_our_own_organisation_comes_in_however_it_is_written() -> None:
    """Braces and capitals in the setting are the same organisation."""
    own = UnderTest(OWN_ORGANISATION_ONLY="true", DATAVERSE_ORGANISATION=f"{{{ALPINE.upper()}}}")
    assert own.webhook(PAYLOAD).status == "accepted"


def test_several_organisations_are_a_setting() -> None:
    """One app may serve several environments, if that is meant."""
    assert UnderTest(OWN_ORGANISATION_ONLY="false").webhook(PAYLOAD).status == "accepted"


def test_a_retired_key_is_refused_and_its_successor_admitted() -> None:
    """Both are live while a key is rotated; then the old one is taken out."""
    rotating = UnderTest(INTAKE_KEYS='{"dataverse": ["an-old-key-0123456789", "a-new-key-0123456789"]}')
    rotated = UnderTest(INTAKE_KEYS='{"dataverse": ["a-new-key-0123456789"]}')
    assert rotating.webhook(PAYLOAD, x_functions_key="an-old-key-0123456789").status == "accepted"
    assert rotating.webhook(PAYLOAD, x_functions_key="a-new-key-0123456789").status == "accepted"
    with pytest.raises(Rejected) as refused:
        rotated.webhook(PAYLOAD, x_functions_key="an-old-key-0123456789")
    assert refused.value.status == 401


def test_nothing_of_a_persons_data_goes_behind_the_intake() -> None:
    """No values, images or parameters, no users, no tag: what identifies the event, and the names of its columns."""
    under_test = UnderTest()
    body = context(
        entity(name="Contoso", telephone1="555-123"),
        SharedVariables=[pair("tag", "free text of somebody")],
        PostEntityImages=[pair("PostImage", entity(name="Contoso", address1_line1="Main Street"))],
        InputParameters=[pair("Target", entity(name="Contoso", telephone1="555-123")), pair("Note", "private")],
    )
    under_test.webhook(body)

    (event,) = under_test.queue.events
    assert (event.changed_columns, event.caller) == (("name", "telephone1"), "dataverse")
    assert (event.values, event.parameters, event.pre_image, event.post_image) == ({}, {}, {}, {})
    assert (event.user_id, event.initiating_user_id, event.tag) == (None, None, None)
    for private in (b"Contoso", b"555-123", b"Main Street", b"private", b"somebody", b"77777777", b"dddddddd"):
        assert private not in under_test.queue.envelopes[0]


def test_an_event_sent_before_its_commit_carries_what_the_row_will_show() -> None:
    """Of the columns that its handler reads, and of no other."""
    under_test = UnderTest()
    target = entity(name="After", statecode={"Value": 1}, new_note="private", accountid=ROW)
    under_test.webhook(context(target, IsInTransaction=True, Mode=0, Stage=40))

    (event,) = under_test.queue.events
    assert event.uncommitted is True
    assert event.expected == {"name": "After", "statecode": Choice(1)}
    assert b"private" not in under_test.queue.envelopes[0]


def test_what_is_queued_is_what_is_written_down() -> None:
    under_test = UnderTest()
    accepted = under_test.webhook(context())

    assert under_test.queue.events == under_test.ledger.events
    assert under_test.ledger.events[0].event_id == accepted.event_id


def test_an_envelope_is_small() -> None:
    """The captured body has 14,412 bytes."""
    under_test = UnderTest()
    under_test.webhook(PAYLOAD)

    assert len(under_test.queue.envelopes[0]) < 800


def test_what_could_not_be_read_is_named_in_the_answer_and_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    odd = {**entity(), "Attributes": [pair("name", "A"), {"Name": "revenue"}]}

    accepted = UnderTest().webhook(context(odd))

    assert (accepted.status, accepted.unread) == ("accepted", ("Target",))
    assert logged(caplog, "accepted")[0]["unread"] == ["Target"]


def test_two_changes_that_a_plug_in_reports_alike_are_two_events() -> None:
    """Its clock and its columns do not distinguish them: the second must not fall to duplicate detection."""
    body = {
        "EventName": "AccountUpdated",
        "RecordId": ROW,
        "ChangedFields": ["name"],
        "Timestamp": "2026-11-26T12:01:47.0000000Z",
    }
    under_test = UnderTest()
    first, second = under_test.plugin_event(body), under_test.plugin_event(body)
    identified = {**body, "OperationId": "22222222-2222-4222-8222-222222222222"}
    third, repeated = under_test.plugin_event(identified), under_test.plugin_event(identified)

    assert len({first.event_id, second.event_id, third.event_id}) == 3
    assert repeated.event_id == third.event_id
    assert len({event.message_id for event in under_test.queue.events}) == 3


@pytest.mark.parametrize(
    ("body", "headers", "expected"),
    [
        (PAYLOAD, {"x_functions_key": "wrong"}, (401, "key-refused", [])),
        (PAYLOAD, {"content_type": "text/xml"}, (415, "not-json", ["content-type"])),
        (gzip.compress(PAYLOAD, mtime=0), {"content_encoding": "gzip"}, (415, "not-json", ["content-encoding"])),
        (b" " * 600_000, {}, (413, "body-too-large", [])),
        (b"{", {}, (400, "not-an-event", [""])),
        (b'{"MessageName": "secret value"}', {}, (400, "not-an-event", ["/MessageName", "/OrganizationId"])),
    ],
)
def test_a_refusal_is_logged_with_its_reason_caller_and_size_and_no_values(
    caplog: pytest.LogCaptureFixture, body: bytes, headers: dict[str, str], expected: tuple[int, str, list[str]]
) -> None:
    """What is refused is in no queue, and Dataverse does not send it again: somebody has to learn of it."""
    status, reason, pointers = expected
    with pytest.raises(Rejected) as refused:
        UnderTest().webhook(body, **headers)

    (line,) = logged(caplog, "refused")
    assert refused.value.status == line["status"] == status
    assert (line["reason"], line["source"], line["sizeBytes"]) == (reason, "webhook", len(body))
    assert line["caller"] == ("unknown" if status == 401 else "dataverse")
    assert line["pointers"][: len(pointers)] == pointers
    assert "secret" not in caplog.text


def test_a_queue_that_is_away_is_503_and_nothing_is_written_down() -> None:
    under_test = UnderTest()
    under_test.queue.fails = Transient("5,000 items are waiting already")

    with pytest.raises(Unavailable):
        under_test.webhook(context())
    assert under_test.ledger.events == []
