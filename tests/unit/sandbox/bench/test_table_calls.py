"""Counting requests in a stream of bytes, and the relay that does it."""

import http.server
import threading
import urllib.request
from collections import Counter
from collections.abc import Iterator

import pytest

from sandbox.bench.table_calls import Relay, RequestCounter, relay

TRANSACTION = (
    b"POST /devstoreaccount1/$batch HTTP/1.1\r\nContent-Length: 400\r\n\r\n"
    b"--changeset\r\n\r\nPUT http://127.0.0.1:10002/devstoreaccount1/events(...) HTTP/1.1\r\n\r\n{}\r\n"
    b"--changeset\r\n\r\nPUT http://127.0.0.1:10002/devstoreaccount1/events(...) HTTP/1.1\r\n\r\n{}\r\n"
)


def test_a_transaction_is_one_call() -> None:
    """The requests inside its body name whole URLs and do not count."""
    assert RequestCounter().feed(TRANSACTION) == ["$batch"]


@pytest.mark.parametrize("size", [1, 7, 64])
def test_requests_are_found_wherever_the_stream_is_cut(size: int) -> None:
    """A first line may come in several pieces."""
    counter = RequestCounter()
    stream = b"GET /account/a HTTP/1.1\r\n\r\nMERGE /account/b(PartitionKey='x') HTTP/1.1\r\n\r\n{}" + TRANSACTION
    found = [method for start in range(0, len(stream), size) for method in counter.feed(stream[start : start + size])]
    assert found == ["a", "b", "$batch"]


@pytest.fixture
def server() -> Iterator[int]:
    """An HTTP server that answers every GET with its path."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = self.path.encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Quietly."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield running.server_port
        running.shutdown()
        thread.join()


def test_the_relay_passes_answers_on_and_counts(server: int) -> None:
    """The bytes that pass are the same as without it."""
    with relay(server) as running:
        for number in range(3):
            with urllib.request.urlopen(f"http://127.0.0.1:{running.port}/account/t?{number}", timeout=10) as answer:
                assert answer.read() == f"/account/t?{number}".encode()
        assert running.counted == {"t": 3}


def test_tables_of_a_month_are_written_in_the_background() -> None:
    """They are for people: no event waits for them."""
    running = Relay(1, Counter({"records": 3, "events202611": 2, "index202611": 1, "events": 4, "systems": 5}))
    assert (running.calls, running.in_background) == (15, 8)
