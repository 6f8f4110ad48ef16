"""The transport against a real server that misbehaves."""

import asyncio
import gzip
import socket
import time
from pathlib import Path

import pytest

from integration.clock import SystemClock
from integration.errors import Outage, Throttled, Transient
from integration.telemetry import metrics
from integration.transport import NO_CONTEXT, ApiKey, CallContext, Request, Transport
from tests.unit.integration.transport.parts import ManualClock, Server, TransportTo, after, get, host, reply


async def test_an_answer_comes_back_whole(server: Server, transport_to: TransportTo) -> None:
    """Status, headers in lower case, JSON with exact decimals, also when it was compressed."""
    body = gzip.compress(b'{"amount": 1234.50}')
    server.answer(reply(201, body, Content_Encoding="gzip", X_Thing="Yes"))
    answer = await transport_to(host(server)).send(get(server))
    assert (answer.status, answer.headers["x-thing"], str(answer.json()["amount"])) == (201, "Yes", "1234.50")


async def test_trace_key_and_body_are_sent_as_they_are(server: Server, transport_to: TransportTo) -> None:
    parent, state = "00-" + "a" * 32 + "-" + "b" * 16 + "-01", f"rojo={'1' * 250}"
    context = CallContext(correlation_id="c-1", traceparent=parent, tracestate=state)
    request = Request("erp", "put", "PUT", server.url + "/x?y=a%20b", {"Idempotency-Key": "k"}, b'{"a":1}')
    await transport_to(host(server)).send(request, authorizer=ApiKey("secret"), context=context)
    head, _, body = server.heard[0].partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "PUT /x?y=a%20b HTTP/1.1"
    assert {"x-correlation-id: c-1", f"traceparent: {parent}", f"tracestate: {state}", "X-Api-Key: secret"} <= set(
        lines
    )
    assert {"Idempotency-Key: k", "Content-Length: 7"} <= set(lines)
    assert body == b'{"a":1}'


async def test_calls_for_events_are_counted_also_where_nothing_is_traced(
    server: Server, transport_to: TransportTo
) -> None:
    """Metrics have a switch of their own. Calls that are made for no event (tables, tokens) do not count."""
    metrics.switch_on()
    try:
        before = metrics.CALLS.values.get(("erp", "200"), 0)
        request = Request("erp", "get", "GET", server.url)
        for context in (NO_CONTEXT, CallContext(traceparent=f"00-{'a' * 32}-{'b' * 16}-00")):
            await transport_to(host(server)).send(request, context=context)
        assert metrics.CALLS.values["erp", "200"] == before + 1
    finally:
        metrics.switch_on(counting=False)


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "ü", "x" * 513, "a\0b"])
async def test_a_correlation_id_that_is_no_header_value_is_left_out(
    server: Server, transport_to: TransportTo, value: str
) -> None:
    """It came from outside: it must neither split the header nor make the call fail."""
    assert (await transport_to(host(server)).send(get(server), context=CallContext(correlation_id=value))).ok
    assert b"correlation" not in server.heard[0].lower()


async def test_connections_are_kept(server: Server, transport_to: TransportTo) -> None:
    """Calls that follow each other share a connection."""
    ports = set()

    def serve(connection: socket.socket) -> None:
        ports.add(connection.getpeername()[1])
        connection.sendall(reply())

    server.serve = serve
    transport = transport_to(host(server))
    for _ in range(5):
        await transport.send(get(server))
    assert len(ports) == 1


async def test_redirects_are_not_followed(server: Server, transport_to: TransportTo) -> None:
    server.answer(reply(302, Location=server.url + "/elsewhere"))
    assert (await transport_to(host(server)).send(get(server))).status == 302
    assert len(server.heard) == 1


async def test_cookies_do_not_come_back(server: Server, transport_to: TransportTo) -> None:
    server.answer(reply(Set_Cookie="session=1"))
    transport = transport_to(host(server))
    await transport.send(get(server))
    await transport.send(get(server))
    assert b"cookie" not in server.heard[1].lower()


async def test_a_silent_server_is_a_timeout(server: Server, transport_to: TransportTo) -> None:
    server.serve = lambda _: None
    with pytest.raises(Outage) as raised:
        await transport_to(host(server, read=0.2)).send(get(server))
    assert raised.value.reason == "erp-timeout"


@pytest.mark.parametrize("before", [b"", reply(200, b"x" * 100)[:-100]], ids=["in the headers", "in the body"])
async def test_a_trickling_server_cannot_hold_a_call_beyond_its_total(
    server: Server, transport_to: TransportTo, before: bytes
) -> None:
    """Every byte comes within the read limit, and still the call ends in time."""

    def serve(connection: socket.socket) -> None:
        connection.sendall(before)
        for byte in reply(200, b"y" * 100):
            connection.sendall(bytes([byte]))
            time.sleep(0.05)

    server.serve = serve
    started = time.monotonic()
    with pytest.raises(Outage) as raised:
        await transport_to(host(server, total=0.5)).send(get(server))
    assert raised.value.reason == "erp-timeout"
    assert time.monotonic() - started < 1.0


async def test_nobody_listening_is_unreachable(server: Server, transport_to: TransportTo) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        free = taken.getsockname()[1]
    nobody = Server(f"http://127.0.0.1:{free}", server.serve)
    with pytest.raises(Outage) as raised:
        await transport_to(host(nobody)).send(get(nobody))
    assert raised.value.reason == "erp-unreachable"


@pytest.mark.parametrize(
    "answer",
    [
        reply(200, b"x" * 2000),
        reply(200, gzip.compress(b"x" * 1_000_000), Content_Encoding="gzip"),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n400\r\n"
        + b"x" * 1024
        + b"\r\n400\r\n"
        + b"x" * 1024
        + b"\r\n",
    ],
    ids=["plain", "compressed", "chunked"],
)
async def test_an_answer_above_the_limit_is_refused(server: Server, transport_to: TransportTo, answer: bytes) -> None:
    """Counted unpacked, so that a small answer cannot grow without bound; and not read any further."""
    server.answer(answer)
    with pytest.raises(Transient) as raised:
        await transport_to(host(server, answer_bytes=1500)).send(get(server))
    assert raised.value.reason == "erp-answer-too-large"


async def test_an_answer_cut_short_is_transient(server: Server, transport_to: TransportTo) -> None:
    def serve(connection: socket.socket) -> None:
        connection.sendall(reply(200, b"x" * 100)[:-50])
        connection.shutdown(socket.SHUT_RDWR)

    server.serve = serve
    with pytest.raises(Outage):
        await transport_to(host(server)).send(get(server))


async def test_a_connection_that_closes_without_an_answer_is_replaced_once(
    server: Server, transport_to: TransportTo
) -> None:
    server.answer(b"", reply())
    assert (await transport_to(host(server)).send(get(server))).ok
    assert len(server.heard) == 2


async def test_it_is_replaced_only_once(server: Server, transport_to: TransportTo) -> None:
    server.answer(b"")
    with pytest.raises(Outage) as raised:
        await transport_to(host(server)).send(get(server))
    assert raised.value.reason == "erp-unreachable"
    assert len(server.heard) == 2


@pytest.mark.parametrize(
    ("method", "headers", "sent"),
    [
        ("POST", {}, 1),
        ("PATCH", {}, 1),
        ("POST", {"Idempotency-Key": "k"}, 2),
        ("PATCH", {"If-Match": 'W/"1"'}, 2),
        ("PUT", {}, 2),
        ("DELETE", {}, 2),
    ],
)
async def test_only_what_may_be_sent_twice_is_sent_twice(
    server: Server, transport_to: TransportTo, method: str, headers: dict[str, str], sent: int
) -> None:
    server.answer(b"")
    with pytest.raises(Outage):
        await transport_to(host(server)).send(Request("erp", "do", method, server.url, headers, b"{}"))
    assert len(server.heard) == sent


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("value", ["30", "Thu, 01 Jan 2026 00:00:30 GMT"], ids=["seconds", "date"])
async def test_retry_after_is_obeyed_by_every_later_call(
    server: Server, transport_to: TransportTo, clock: ManualClock, status: int, value: str
) -> None:
    """Until the time has come nothing is sent to that host, by anybody; then calls go out again."""
    server.answer(reply(status, Retry_After=value), reply())
    transport = transport_to(host(server), clock=clock)
    assert (await transport.send(get(server))).retry_after == 30
    clock.elapsed = 29.5
    refused = await asyncio.gather(*[transport.send(get(server)) for _ in range(8)], return_exceptions=True)
    assert [isinstance(error, Throttled) and error.retry_after for error in refused] == [0.5] * 8
    assert len(server.heard) == 1
    clock.elapsed = 30.0
    assert (await transport.send(get(server))).ok


def test_a_later_shorter_wait_does_not_shorten_the_first(clock: ManualClock) -> None:
    from integration.transport.window import RetryWindows  # noqa: PLC0415 -- only here

    windows = RetryWindows(clock)
    windows.open("https://a:443", 60)
    windows.open("https://a:443", 1)
    clock.elapsed = 10
    assert windows.remaining("https://a:443") == 50
    assert windows.remaining("https://b:443") == 0


async def test_the_environment_has_no_say(
    server: Server, transport_to: TransportTo, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Neither proxies nor netrc: what the settings name is called, as they say."""
    (tmp_path / "netrc").write_text("default login me password secret")
    for name, value in {
        "http_proxy": "http://127.0.0.1:1",
        "ALL_PROXY": "http://127.0.0.1:1",
        "NETRC": str(tmp_path / "netrc"),
    }.items():
        monkeypatch.setenv(name, value)
    assert (await transport_to(host(server)).send(get(server))).ok
    assert b"authorization" not in server.heard[0].lower()


async def test_connections_that_were_given_up_meanwhile_cost_one_send_more_not_one_each(
    server: Server, transport_to: TransportTo
) -> None:
    """A server that dropped all of its idle connections in silence: the second send opens a new one."""
    transport = transport_to(host(server))
    server.serve = after(0.05, reply())
    await asyncio.gather(*[transport.send(get(server)) for _ in range(5)])
    old: set[int] = set()

    def serve(connection: socket.socket) -> None:
        port = connection.getpeername()[1]
        if len(old) == 0:
            old.add(port)
            connection.close()
        else:
            connection.sendall(reply(200, b"%d" % port))

    server.serve = serve
    answer = await transport.send(get(server))
    assert int(answer.body) not in old
    assert len(server.heard) == 7


async def test_a_call_ends_with_the_deadline_of_its_event(server: Server, transport_to: TransportTo) -> None:
    """Also within the limits of the host; the reason says that it was the event's time and not the system."""
    server.serve = lambda _: None
    clock = SystemClock()
    started = clock.monotonic()
    with pytest.raises(Transient) as raised:
        await transport_to(host(server)).send(get(server), context=CallContext(deadline=started + 0.2))
    assert (type(raised.value), raised.value.reason) == (Transient, "deadline-exceeded")
    assert 0.15 < clock.monotonic() - started < 0.8


async def test_nothing_is_sent_after_the_deadline(
    server: Server, transport_to: TransportTo, clock: ManualClock
) -> None:
    transport = transport_to(host(server), clock=clock)
    await transport.send(get(server), context=CallContext(deadline=5.0))
    clock.elapsed = 5.0
    with pytest.raises(Transient) as raised:
        await transport.send(get(server), context=CallContext(deadline=5.0))
    assert raised.value.reason == "deadline-exceeded"
    assert len(server.heard) == 1


async def test_a_limit_of_the_host_that_comes_first_is_the_systems_silence(
    server: Server, transport_to: TransportTo
) -> None:
    server.serve = lambda _: None
    context = CallContext(deadline=SystemClock().monotonic() + 60)
    with pytest.raises(Outage) as raised:
        await transport_to(host(server, total=0.2)).send(get(server), context=context)
    assert raised.value.reason == "erp-timeout"


async def test_a_call_that_is_cancelled_leaves_no_half_read_connection(
    server: Server, transport_to: TransportTo
) -> None:
    """The next call must not get the answer of the one before."""
    transport = transport_to(host(server))
    server.serve = after(0.2, reply(200, b"late"))
    call = asyncio.ensure_future(transport.send(get(server)))
    await asyncio.sleep(0.1)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    server.serve = lambda connection: connection.sendall(reply(200, b"own"))
    assert (await transport.send(get(server))).body == b"own"


def test_each_event_loop_has_connections_of_its_own(server: Server) -> None:
    """And what ended with one loop does not hinder the next."""
    transport = Transport([host(server)], clock=SystemClock())

    async def twice() -> list[bool]:
        answers = [await transport.send(get(server), context=NO_CONTEXT) for _ in range(2)]
        await transport.aclose()
        return [answer.ok for answer in answers]

    assert [asyncio.run(twice()), asyncio.run(twice())] == [[True, True], [True, True]]


@pytest.mark.parametrize(
    "answer",
    [
        reply(200, gzip.compress(b"x" * 100)[:-9], Content_Encoding="gzip"),
        reply(200, b"plain", Content_Encoding="gzip"),
        reply(200, b"{}", Content_Encoding="br"),
        b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
    ],
    ids=["gzip cut short", "not gzip", "another encoding", "not HTTP"],
)
async def test_what_cannot_be_read_was_answered_by_something_else(
    server: Server, transport_to: TransportTo, answer: bytes
) -> None:
    server.answer(answer)
    with pytest.raises(Outage) as raised:
        await transport_to(host(server)).send(get(server))
    assert (raised.value.reason, raised.value.service) == ("erp-answer-unreadable", "erp")


async def test_gzip_in_several_members_is_one_body(server: Server, transport_to: TransportTo) -> None:
    """RFC 1952 2.2; proxies that join streams answer so."""
    server.answer(reply(200, gzip.compress(b"one ") + gzip.compress(b"two"), Content_Encoding="gzip"))
    assert (await transport_to(host(server)).send(get(server))).body == b"one two"


@pytest.mark.parametrize("status", [204, 304])
async def test_an_answer_without_a_body_is_an_answer(server: Server, transport_to: TransportTo, status: int) -> None:
    server.answer(f"HTTP/1.1 {status} Nothing\r\nContent-Encoding: gzip\r\n\r\n".encode())
    answer = await transport_to(host(server)).send(get(server))
    assert (answer.status, answer.body) == (status, b"")
