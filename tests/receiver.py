"""A receiver of webhooks on this machine: an HTTP server that keeps what it is sent, and answers as it is told."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from integration import signatures


class Receiver:
    """What has come in, in the order in which it came; `answers` are given in turn, and then 204."""

    def __init__(self) -> None:
        self.notifications: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.bodies: list[bytes] = []
        self.answers: list[int] = []
        self.slow_seconds = 0.0
        self.url = ""

    def take(self, headers: dict[str, str], body: bytes) -> int:
        time.sleep(self.slow_seconds)
        status = self.answers.pop(0) if self.answers else 204
        self.headers.append(headers)
        self.bodies.append(body)
        if status == 204:
            self.notifications.append(json.loads(body))
        return status

    def of(self, event_id: str) -> list[dict[str, Any]]:
        """The notifications about an event that were answered with 204."""
        return [it for it in self.notifications if it["eventId"] == event_id]

    def all_signed(self, secret: str) -> bool:
        """Whether everything that came in was signed with this secret."""
        key = signatures.secret_of(secret)
        return all(
            signatures.is_signed_with(key, headers, body)
            for headers, body in zip(self.headers, self.bodies, strict=True)
        )


@contextmanager
def receiving(port: int = 0) -> Iterator[Receiver]:
    """A receiver that runs; `port` is a free one unless given."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = receiver.take({name.lower(): value for name, value in self.headers.items()}, body)
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """The tests' output is no access log."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    receiver.url = f"http://127.0.0.1:{server.server_port}/hook?sig=not-to-be-shown"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
