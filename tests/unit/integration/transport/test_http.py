"""The transport against a real server that misbehaves."""

import gzip
import socket
import threading
import time

import pytest

from integration.errors import Permanent, Throttled, Transient
from integration.transport import ApiKey, CallContext, Request
from tests.unit.integration.transport.parts import ManualClock, Server, get, host, reply, transport_to


def test_an_answer_comes_back_whole(server: Server) -> None:
    """Status, headers in lower case, JSON with exact decimals, also when it was compressed."""
    body = gzip.compress(b'{"amount": 1234.50}')
    server.answer(reply(201, body, Content_Encoding="gzip", X_Thing="Yes"))
    answer = transport_to(host(server)).send(get(server))
    assert (answer.status, answer.headers["x-thing"], str(answer.json()["amount"])) == (201, "Yes", "1234.50")


def test_trace_key_and_body_are_sent_as_they_are(server: Server) -> None:
    context = CallContext(correlation_id="c-1", traceparent="00-" + "a" * 32 + "-" + "b" * 16 + "-01")
    request = Request("erp", "put", "PUT", server.url + "/x?y=a%20b", {"Idempotency-Key": "k"}, b'{"a":1}')
    transport_to(host(server)).send(request, authorizer=ApiKey("secret"), context=context)
    head, _, body = server.heard[0].partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "PUT /x?y=a%20b HTTP/1.1"
    assert {"x-correlation-id: c-1", f"traceparent: {context.traceparent}", "X-Api-Key: secret"} <= set(lines)
    assert {"Idempotency-Key: k", "Content-Length: 7"} <= set(lines)
    assert body == b'{"a":1}'


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "ü", "x" * 300, "a\0b"])
def test_a_correlation_id_that_is_no_header_value_is_left_out(server: Server, value: str) -> None:
    """It came from outside: it must neither split the header nor make the call fail."""
    assert transport_to(host(server)).send(get(server), context=CallContext(correlation_id=value)).ok
    assert b"correlation" not in server.heard[0].lower()


def test_connections_are_kept(server: Server) -> None:
    """Calls of one thread share a connection."""
    ports = set()

    def serve(connection: socket.socket) -> None:
        ports.add(connection.getpeername()[1])
        connection.sendall(reply())

    server.serve = serve
    transport = transport_to(host(server))
    for _ in range(5):
        transport.send(get(server))
    assert len(ports) == 1


def test_redirects_are_not_followed(server: Server) -> None:
    server.answer(reply(302, Location=server.url + "/elsewhere"))
    assert transport_to(host(server)).send(get(server)).status == 302
    assert len(server.heard) == 1


def test_cookies_do_not_come_back(server: Server) -> None:
    server.answer(reply(Set_Cookie="session=1"))
    transport = transport_to(host(server))
    transport.send(get(server))
    transport.send(get(server))
    assert b"cookie" not in server.heard[1].lower()


def test_a_silent_server_is_a_timeout(server: Server) -> None:
    server.serve = lambda _: None
    with pytest.raises(Transient) as raised:
        transport_to(host(server, read=0.2)).send(get(server))
    assert raised.value.reason == "erp-timeout"


@pytest.mark.parametrize("before", [b"", reply(200, b"x" * 100)[:-100]], ids=["in the headers", "in the body"])
def test_a_trickling_server_cannot_hold_a_call_beyond_its_total(server: Server, before: bytes) -> None:
    """Every byte comes within the read limit, and still the call ends in time."""

    def serve(connection: socket.socket) -> None:
        connection.sendall(before)
        for byte in reply(200, b"y" * 100):
            connection.sendall(bytes([byte]))
            time.sleep(0.05)

    server.serve = serve
    started = time.monotonic()
    with pytest.raises(Transient) as raised:
        transport_to(host(server, total=0.5)).send(get(server))
    assert raised.value.reason == "erp-timeout"
    assert time.monotonic() - started < 1.0


def test_nobody_listening_is_unreachable(server: Server) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        free = taken.getsockname()[1]
    gone = Server(f"http://127.0.0.1:{free}", server.serve)
    with pytest.raises(Transient) as raised:
        transport_to(host(gone)).send(get(gone))
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
def test_an_answer_above_the_limit_is_refused(server: Server, answer: bytes) -> None:
    """Counted unpacked, so that a small answer cannot grow without bound; and not read any further."""
    server.answer(answer)
    with pytest.raises(Permanent) as raised:
        transport_to(host(server, answer_bytes=1500)).send(get(server))
    assert raised.value.reason == "erp-answer-too-large"


def test_an_answer_cut_short_is_transient(server: Server) -> None:
    def serve(connection: socket.socket) -> None:
        connection.sendall(reply(200, b"x" * 100)[:-50])
        connection.shutdown(socket.SHUT_RDWR)

    server.serve = serve
    with pytest.raises(Transient):
        transport_to(host(server)).send(get(server))


def test_a_connection_that_closes_without_an_answer_is_replaced_once(server: Server) -> None:
    server.answer(b"", reply())
    assert transport_to(host(server)).send(get(server)).ok
    assert len(server.heard) == 2


def test_it_is_replaced_only_once(server: Server) -> None:
    server.answer(b"")
    with pytest.raises(Transient) as raised:
        transport_to(host(server)).send(get(server))
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
def test_only_what_may_be_sent_twice_is_sent_twice(
    server: Server, method: str, headers: dict[str, str], sent: int
) -> None:
    server.answer(b"")
    with pytest.raises(Transient):
        transport_to(host(server)).send(Request("erp", "do", method, server.url, headers, b"{}"))
    assert len(server.heard) == sent


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("value", ["30", "Thu, 01 Jan 2026 00:00:30 GMT"], ids=["seconds", "date"])
def test_retry_after_is_obeyed_by_every_later_call(server: Server, clock: ManualClock, status: int, value: str) -> None:
    """Until the time has come nothing is sent to that host, by any thread; then calls go out again."""
    server.answer(reply(status, Retry_After=value), reply())
    transport = transport_to(host(server), clock=clock)
    assert transport.send(get(server)).retry_after == 30
    clock.elapsed = 29.5
    refused: list[Throttled] = []

    def try_it() -> None:
        try:
            transport.send(get(server))
        except Throttled as error:
            refused.append(error)

    threads = [threading.Thread(target=try_it) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [error.retry_after for error in refused] == [0.5] * 8
    assert len(server.heard) == 1
    clock.elapsed = 30.0
    assert transport.send(get(server)).ok


def test_a_later_shorter_wait_does_not_shorten_the_first(clock: ManualClock) -> None:
    from integration.transport.window import RetryWindows  # noqa: PLC0415 -- only here

    windows = RetryWindows(clock)
    windows.open("https://a:443", 60)
    windows.open("https://a:443", 1)
    clock.elapsed = 10
    assert windows.remaining("https://a:443") == 50
    assert windows.remaining("https://b:443") == 0
