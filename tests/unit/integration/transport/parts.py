"""A clock that the test moves, and a real HTTP server whose answers the test writes byte by byte."""

import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from integration.transport import Host, Limits, Request, Transport


class ManualClock:
    """Time stands still until the test moves it."""

    def __init__(self) -> None:
        self.elapsed = 0.0

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.elapsed)

    def monotonic(self) -> float:
        return self.elapsed

    def sleep(self, seconds: float) -> None:
        self.elapsed += seconds


@dataclass
class Server:
    """Accepts connections; `serve(connection)` is called for each request, and `heard` has what was sent."""

    url: str
    serve: Callable[[socket.socket], None]
    heard: list[bytes] = field(default_factory=list)

    def answer(self, *answers: bytes) -> None:
        """Give these answers one after the other, the last one for ever; an empty one closes the connection."""
        left = list(answers)

        def serve(connection: socket.socket) -> None:
            now = left.pop(0) if len(left) > 1 else left[0]
            if now:
                connection.sendall(now)
            else:
                connection.close()

        self.serve = serve


def reply(status: int = 200, body: bytes = b"{}", **headers: str) -> bytes:
    """The bytes of an answer; header names with `_` for `-`."""
    given = {"Content-Type": "application/json", "Content-Length": str(len(body))}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in given.items())
    return f"HTTP/1.1 {status} Something\r\n{head}\r\n".encode() + body


def after(seconds: float, answer: bytes) -> Callable[[socket.socket], None]:
    """What a server does that takes its time."""

    def serve(connection: socket.socket) -> None:
        time.sleep(seconds)
        connection.sendall(answer)

    return serve


def _read_request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        if not more:
            return b""
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def attend(server: Server, connection: socket.socket) -> None:
    with suppress(OSError), connection:
        while data := _read_request(connection):
            server.heard.append(data)
            server.serve(connection)


TransportTo = Callable[..., Transport]
"""What the fixture `transport_to` gives: `transport_to(host, ..., clock=clock)`."""


def host(server: Server, **limits: float) -> Host:
    """The server as an allowed host, with limits that fit a test."""
    return Host(server.url, limits=Limits(**({"connect": 1.0, "read": 1.0, "total": 2.0} | limits)))  # type: ignore[arg-type]


def get(server: Server, path: str = "/") -> Request:
    return Request("erp", "look", "GET", server.url + path)
