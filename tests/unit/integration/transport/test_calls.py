"""What the transport notes of the calls of an event, for people who look at it when it has failed."""

import pytest

from integration.errors import Outage
from integration.transport import ApiKey, CallContext, Calls, Request
from tests.unit.integration.transport.parts import ManualClock, Server, TransportTo, after, get, host, reply


def said(calls: Calls) -> list[tuple[str, int]]:
    return [(it.request.operation, it.answer.status if it.answer else 0) for it in calls.noted]


async def test_failures_and_the_last_call_are_noted(server: Server, transport_to: TransportTo) -> None:
    """A call that succeeded is let go when another one is made: its answer may be large."""
    calls, transport = Calls(), transport_to(host(server))
    for operation, status in (("a", 200), ("b", 422), ("c", 200), ("d", 201)):
        server.answer(reply(status))
        await transport.send(Request("erp", operation, "PUT", server.url), context=CallContext(calls=calls))
    assert said(calls) == [("b", 422), ("d", 201)]


async def test_the_newest_are_noted(server: Server, transport_to: TransportTo) -> None:
    calls, transport = Calls(), transport_to(host(server))
    server.answer(reply(500))
    for number in range(7):
        await transport.send(Request("erp", f"{number}", "PUT", server.url), context=CallContext(calls=calls))
    assert said(calls) == [(f"{number}", 500) for number in range(2, 7)]


async def test_a_call_without_an_answer_is_noted_with_the_time_that_it_took(
    server: Server, transport_to: TransportTo
) -> None:
    server.serve = after(1.0, reply())
    calls = Calls()
    with pytest.raises(Outage):
        await transport_to(host(server, total=0.1)).send(get(server), context=CallContext(calls=calls))
    (noted,) = calls.noted
    assert (noted.answer, noted.failed) == (None, True)
    assert 0.05 < noted.seconds < 1.0


async def test_nothing_that_admits_the_app_is_noted(server: Server, transport_to: TransportTo) -> None:
    """Nor does a call that was not sent look as if it had been."""
    server.answer(reply(429, Retry_After="60"))
    calls, transport, clock = Calls(), transport_to(host(server), clock=ManualClock()), ManualClock()
    await transport.send(get(server), authorizer=ApiKey("s3cret"), context=CallContext(calls=calls))
    with pytest.raises(Outage):
        await transport.send(get(server), authorizer=ApiKey("s3cret"), context=CallContext(calls=calls))
    assert b"s3cret" in server.heard[0]
    assert [it.at for it in calls.noted] == [clock.now()]
    assert "s3cret" not in repr(calls.noted)
