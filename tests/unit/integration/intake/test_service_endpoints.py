"""What the intake does with messages of a queue, a topic or a hub: an event in the work queue, or a dead letter."""

import asyncio
import json
import logging
from typing import Any

import pytest

from integration.errors import Transient, Unreadable
from integration.events import from_envelope
from integration.intake import EndpointMessage
from sandbox.systems.dataverse.context_xml import dumps_xml
from tests.unit.integration.events.support import context, entity, pair
from tests.unit.integration.intake.support import UnderTest
from tests.unit.integration.intake.test_intake import logged

CLAIMS = "http://schemas.microsoft.com/xrm/2011/Claims/"
SOURCE = "dataverse-queue"


def take_in(under_test: UnderTest, body: bytes | dict[str, Any], **more: Any) -> None:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    asyncio.run(under_test.endpoints.take_in(EndpointMessage(raw, **more), SOURCE))


def refusal(under_test: UnderTest) -> Unreadable:
    """Why the one message in the queue was refused."""
    (envelope,) = under_test.queue.envelopes
    with pytest.raises(Unreadable) as found:
        from_envelope(envelope)
    return found.value


@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf", b"\r\n "])
@pytest.mark.parametrize("form", ["json", "xml"])
def test_a_message_is_the_event_of_the_webhook(form: str, start: bytes) -> None:
    """Same id, same session, same content; its caller is the way it came."""
    posted, sent = UnderTest(), UnderTest()
    accepted = posted.webhook(context())
    take_in(sent, start + (dumps_xml(context()) if form == "xml" else json.dumps(context())).encode())

    (event,), (expected,) = sent.queue.events, posted.queue.events
    assert (event.event_id, event.session_id) == (accepted.event_id, expected.session_id)
    assert (event.changed_columns, event.correlation_id) == (expected.changed_columns, expected.correlation_id)
    assert event.caller == SOURCE
    assert sent.ledger.events == [event]


def test_a_synchronous_message_in_xml_has_the_id_of_its_json() -> None:
    """Its id is made of its parameters too."""
    same = {"OperationId": context()["RequestId"], "Mode": 0, "IsInTransaction": True}
    body = context(entity(name="A", revenue={"__type": "Money:x", "Value": 5}, fax=None), **same)
    posted, sent = UnderTest(), UnderTest()
    take_in(sent, dumps_xml(json.loads(json.dumps(body).replace("Money:x", MONEY))).encode())
    accepted = posted.webhook(json.loads(json.dumps(body).replace("Money:x", MONEY)))
    assert sent.queue.events[0].event_id == accepted.event_id


MONEY = "Money:http://schemas.microsoft.com/xrm/2011/Contracts"


def test_our_own_write_ends_here(caplog: pytest.LogCaptureFixture) -> None:
    """As over HTTP."""
    caplog.set_level(logging.INFO)
    under_test = UnderTest()
    own = context(entity(new_erpnumber="1"), SharedVariables=[pair("tag", "dataverse-integration")])
    take_in(under_test, own)
    assert under_test.queue.envelopes == []
    assert logged(caplog, "own-write")[0]["caller"] == SOURCE


def test_a_message_without_its_content_is_trimmed() -> None:
    """Dataverse left it out above 192 KB, and says so in a property; the worker reads the row again."""
    under_test = UnderTest()
    body = {name: value for name, value in context().items() if name != "InputParameters"}
    take_in(under_test, body, properties={"MessageMaxSizeExceeded": "true"})
    (event,) = under_test.queue.events
    assert (event.trimmed, event.changed_columns) == (True, None)


@pytest.mark.parametrize(
    "message",
    [
        EndpointMessage(b"@\x16RemoteExecutionContext\x08"),
        EndpointMessage(b"\x56\x02\x0b\x01", content_type="application/msbin1"),
    ],
)
def test_binary_xml_is_refused_and_says_what_to_change(message: EndpointMessage) -> None:
    under_test = UnderTest()
    asyncio.run(under_test.endpoints.take_in(message, SOURCE))
    error = refusal(under_test)
    assert (error.reason, "messageformat 2" in str(error)) == ("binary-message", True)


@pytest.mark.parametrize(
    ("body", "properties", "reason"),
    [
        (b"", {}, "not-an-event"),
        (b"not JSON", {}, "not-an-event"),
        (b"<Entity/>", {}, "not-an-event"),
        (b'{"MessageName": 5}', {}, "not-an-event"),
        (b" " * 600_000, {}, "body-too-large"),
        (context(), {f"{CLAIMS}RequestName": "Delete"}, "message-contradicts-itself"),
    ],
)
def test_what_is_refused_is_a_dead_letter_with_its_reason(
    body: bytes | dict[str, Any], properties: dict[str, str], reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody hears a refusal here, and the message must neither come again nor be lost."""
    under_test = UnderTest()
    take_in(under_test, body, properties=properties)
    assert refusal(under_test).reason == reason
    (line,) = logged(caplog, "refused")
    assert (line["caller"], line["source"], line["reason"]) == (SOURCE, SOURCE, reason)


def test_a_defect_of_ours_stops_no_partition(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """A hub would bring the same batch for ever, and a queue use up the message's deliveries."""
    under_test = UnderTest()

    def fail(*_: object) -> None:
        raise KeyError("secret")

    monkeypatch.setattr(under_test.endpoints._contexts, "read", fail)
    take_in(under_test, context())
    assert refusal(under_test).reason == "unexpected-error"
    assert "intake-failed" in caplog.text
    assert "secret" not in caplog.text


def test_another_organisations_message_is_refused() -> None:
    """As over HTTP."""
    under_test = UnderTest(OWN_ORGANISATION_ONLY="true")
    take_in(under_test, context())
    assert refusal(under_test).reason == "other-organisation"


def test_the_same_refused_message_is_one_dead_letter() -> None:
    """A copy that was not acknowledged is sent again: its id is made of its bytes."""
    under_test = UnderTest()
    take_in(under_test, b"odd")
    take_in(under_test, b"odd")
    first, second = under_test.queue.envelopes
    assert first == second


def test_an_odd_message_does_not_keep_a_batch_from_the_queue() -> None:
    under_test = UnderTest()
    bodies = (b"odd", json.dumps(context()).encode())
    asyncio.run(under_test.endpoints.take_in_all([EndpointMessage(body) for body in bodies], "dataverse-hub"))
    assert [envelope.startswith(b'{"refused"') for envelope in under_test.queue.envelopes] == [True, False]


@pytest.mark.parametrize("body", [b"odd", json.dumps(context()).encode()])
def test_a_broker_that_takes_nothing_is_tried_for_minutes_and_then_the_message_comes_again(
    body: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Raising at once would use up the message's deliveries within seconds; it is never completed unsent."""
    under_test = UnderTest()
    under_test.queue.fails = Transient("away")
    now, slept = [0.0], []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += seconds

    monkeypatch.setattr("integration.intake.receiving.asyncio.sleep", sleep)
    monkeypatch.setattr(type(under_test.endpoints._taking_in.clock), "monotonic", lambda _clock: now[0])
    with pytest.raises(Transient) as failed:
        take_in(under_test, body)
    assert failed.value.reason == "broker-unavailable"
    assert 90 <= sum(slept) < 100


def test_a_broker_that_comes_back_gets_the_message_once(monkeypatch: pytest.MonkeyPatch) -> None:
    under_test = UnderTest()
    under_test.queue.fails = Transient("away")

    async def sleep(_seconds: float) -> None:
        under_test.queue.fails = None

    monkeypatch.setattr("integration.intake.receiving.asyncio.sleep", sleep)
    take_in(under_test, context())
    assert len(under_test.queue.events) == 1
