"""Operator events on their way: signed CloudEvents over HTTP."""

import json

import pytest

from integration import signatures
from integration.errors import Transient
from integration.operations.operator_events import Webhook
from integration.transport import Host, Transport
from tests.unit.integration.transport.conftest import server as server  # noqa: PLC0414 -- a fixture
from tests.unit.integration.transport.parts import ManualClock, Server, reply

SECRET = signatures.secret_of(signatures.new_secret())


async def test_an_event_is_posted_signed_and_counts_as_delivered_with_2xx(server: Server) -> None:
    """As CloudEvents in structured mode; the id of the message is that of the event."""
    clock = ManualClock()
    transport = Transport([Host(server.url)], clock=clock)
    webhook = Webhook(transport, f"{server.url}/hook?sig=s3cret", SECRET, clock)
    server.answer(reply(500), reply(204, b""))
    with pytest.raises(Transient, match="answered 500") as refused:
        await webhook.deliver({"id": "e-1", "type": "integration.breaker-opened"})
    assert "s3cret" not in str(refused.value)
    await webhook.deliver({"id": "e-1", "type": "integration.breaker-opened"})
    head, _, body = server.heard[-1].partition(b"\r\n\r\n")
    lines = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    headers = {name.lower(): value for name, value in lines.items()}
    assert (headers["content-type"], headers["webhook-id"]) == ("application/cloudevents+json; charset=utf-8", "e-1")
    assert signatures.is_current(headers, clock)
    assert signatures.is_signed_with(SECRET, headers, body)
    assert json.loads(body)["type"] == "integration.breaker-opened"
    await transport.aclose()
