"""The connections that calls leave by."""

import asyncio
import math

from integration.clock import SystemClock
from integration.transport import Transport
from integration.transport.sessions import Sessions
from tests.unit.integration.transport.parts import Server, TransportTo, get, host


async def test_an_idle_connection_is_let_go_before_the_other_side_does() -> None:
    """A web server keeps it for 75 s (nginx), a load balancer of Azure for 240: who is later meets a closed one."""
    sessions = Sessions()
    connector = sessions.kept().connector

    assert connector is not None
    assert 15 < (connector._keepalive_timeout or math.inf) < 75
    await sessions.aclose()


async def test_every_request_says_who_sends_it_and_what_it_reads(server: Server, transport_to: TransportTo) -> None:
    await transport_to(host(server)).send(get(server))

    head = server.heard[0].decode().lower().split("\r\n")
    assert {"user-agent: dataverse-integration", "accept: application/json", "accept-encoding: gzip"} <= set(head)
    assert not [line for line in head if line.startswith("content-type")]


async def test_closing_a_transport_closes_its_connections(server: Server) -> None:
    """Those of this event loop, and closing it again is no mistake."""
    transport = Transport([host(server)], clock=SystemClock())
    await transport.send(get(server))
    kept, fresh = transport._sessions.kept(), transport._sessions.fresh()
    assert not kept.closed
    await transport.aclose()
    await transport.aclose()

    assert kept.closed
    assert fresh.closed


def test_sessions_of_an_event_loop_that_has_ended_are_dropped() -> None:
    """Each invocation of a test, and each reload of an app, has a loop of its own: they would be kept for ever."""
    sessions = Sessions()

    async def use() -> None:
        sessions.kept()

    for _ in range(3):
        asyncio.run(use())
    assert len(sessions._by_loop) == 1


async def test_a_session_that_opens_a_connection_for_each_request_keeps_none() -> None:
    sessions = Sessions()
    kept, fresh = sessions.kept().connector, sessions.fresh().connector

    assert kept is not None
    assert fresh is not None
    assert (kept.force_close, fresh.force_close) == (False, True)
    assert (kept.limit, fresh.limit) == (0, 0)
    await sessions.aclose()
