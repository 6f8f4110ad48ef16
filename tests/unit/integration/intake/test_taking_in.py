"""What the intake says about the form of a request, and what it does while the ledger or the queue are slow."""

import asyncio
import logging
from concurrent.futures import Future
from typing import Any

import pytest

from integration.errors import Rejected, Unavailable
from integration.events import IntegrationEvent
from integration.telemetry import TraceParent
from tests.unit.integration.events.support import context
from tests.unit.integration.intake.support import PAYLOAD, UnderTest
from tests.unit.integration.intake.test_intake import logged


def refusal(under_test: UnderTest, body: bytes = PAYLOAD, **headers: str) -> Rejected:
    with pytest.raises(Rejected) as refused:
        under_test.webhook(body, **headers)
    return refused.value


@pytest.mark.parametrize(
    "kind", ["application/json", "Application/JSON; charset=utf-8", "application/cloudevents+json", "text/x+json ;a=b"]
)
def test_json_is_taken_however_it_is_called(kind: str) -> None:
    assert UnderTest().webhook(PAYLOAD, content_type=kind).status == "accepted"


@pytest.mark.parametrize(("sent", "named"), [("text/plain", "text/plain"), ("", "missing"), ("json", "json")])
def test_whoever_sends_something_else_reads_what_is_wrong_with_it(sent: str, named: str) -> None:
    error = refusal(UnderTest(), content_type=sent)

    assert error.detail == f"content-type is {named}; it must be application/json."
    assert [(fault.pointer, fault.detail) for fault in error.faults] == [("content-type", "must be application/json")]


@pytest.mark.parametrize("encoding", ["", "identity", " Identity "])
def test_a_body_as_it_is_is_taken(encoding: str) -> None:
    assert UnderTest().webhook(PAYLOAD, content_encoding=encoding).status == "accepted"


def test_a_packed_body_is_refused_with_its_encoding() -> None:
    error = refusal(UnderTest(), content_encoding="br")

    assert error.status == 415
    assert error.detail.startswith("content-encoding is br; it must be identity")
    assert [fault.pointer for fault in error.faults] == ["content-encoding"]


def test_a_body_may_have_as_many_bytes_as_the_setting_says() -> None:
    """And no more; the answer has both numbers."""
    size = 300_000
    body = PAYLOAD.ljust(size)
    assert UnderTest(INTAKE_BODY_LIMIT_BYTES=str(size)).webhook(body).status == "accepted"
    error = refusal(UnderTest(INTAKE_BODY_LIMIT_BYTES=str(size - 1)), body)

    assert error.status == 413
    assert f"{size} bytes; {size - 1} are allowed" in error.detail


def test_another_organisation_reads_which_field_is_wrong_and_what_it_must_be() -> None:
    under_test = UnderTest(OWN_ORGANISATION_ONLY="true")
    error = refusal(under_test)

    (fault,) = error.faults
    assert fault.pointer == "/OrganizationId"
    own = under_test.organisation
    assert fault.detail == f"must be {own}"
    assert own in error.detail


def test_a_plug_in_event_is_of_our_organisation_and_of_the_table_that_the_setting_names() -> None:
    under_test = UnderTest(OWN_ORGANISATION_ONLY="true")
    under_test.plugin_event(
        {
            "EventName": "AccountUpdated",
            "RecordId": "aaaaaaaa-0000-4000-8000-000000000001",
            "ChangedFields": ["name"],
            "Timestamp": "2026-11-26T12:01:47Z",
        }
    )

    (event,) = under_test.queue.events
    assert event.organisation == under_test.organisation
    assert (event.table, event.message) == ("account", "Update")


def test_what_was_taken_in_is_logged_with_its_way_and_its_caller(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    accepted = UnderTest().webhook(context())

    (line,) = logged(caplog, "accepted")
    assert (line["eventId"], line["source"], line["caller"]) == (accepted.event_id, "webhook", "dataverse")
    assert 0 <= line["durationMs"] < 60_000
    assert "unread" not in line


def test_at_most_ten_faults_are_logged(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong request must not fill the log."""
    under_test = UnderTest()
    faults = refusal(under_test, b"{}").faults * 20

    def read(_request: object, _caller: str) -> IntegrationEvent:
        raise Rejected(400, "no", "no", faults=faults)

    caplog.clear()
    monkeypatch.setattr(under_test.intake, "_read_context", read)
    refusal(under_test)
    assert len(logged(caplog, "refused")[0]["pointers"]) == 10


def test_an_event_goes_on_in_the_trace_that_it_came_in_with() -> None:
    """With a span of its own; one without a trace begins one."""
    parent = TraceParent.new()
    under_test = UnderTest()
    under_test.webhook(context(), traceparent=str(parent))
    under_test.webhook(context())

    joined, new = (TraceParent.parse(event.traceparent) for event in under_test.queue.events)
    assert joined is not None
    assert new is not None
    assert (joined.trace_id, joined.span_id == parent.span_id) == (parent.trace_id, False)
    assert new.trace_id != parent.trace_id


def test_an_event_that_is_too_large_for_the_queue_is_trimmed() -> None:
    """Its row is read anyway."""
    under_test = UnderTest(MESSAGE_LIMIT_BYTES="16384")
    columns = [f"new_a_rather_long_name_of_a_column_{number}" for number in range(1000)]
    body: dict[str, Any] = context()
    body["InputParameters"][0]["value"]["Attributes"] = [{"key": name, "value": 1} for name in columns]
    assert under_test.webhook(body).status == "accepted"

    (event,) = under_test.queue.events
    assert event.trimmed
    assert len(under_test.queue.envelopes[0]) <= 16384


def test_no_answer_waits_for_the_ledger(monkeypatch: pytest.MonkeyPatch) -> None:
    """The event is safe in the queue already: tables that are slow or away cost its status a while, never the 202."""
    under_test, given = UnderTest(), []

    def accept(event: IntegrationEvent) -> "asyncio.Future[None]":
        given.append(event.event_id)
        return asyncio.get_running_loop().create_future()  # that nobody resolves

    monkeypatch.setattr(under_test.ledger, "accept", accept)
    accepted = under_test.webhook(context())
    assert (accepted.status, given) == ("accepted", [accepted.event_id])


def test_a_queue_that_does_not_acknowledge_in_time_is_503(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dataverse waits for a minute at most, and a webhook step within a transaction holds up a person."""
    under_test = UnderTest(INTAKE_DEADLINE_SECONDS="0.05")
    monkeypatch.setattr(under_test.queue, "send", lambda _event, _envelope: Future())
    with pytest.raises(Unavailable):
        under_test.webhook(context())

    (line,) = logged(caplog, "not-queued")
    assert line["errorType"] == "TimeoutError"
    assert under_test.ledger.events == []
