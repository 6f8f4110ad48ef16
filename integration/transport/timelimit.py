"""A limit for a whole call, which requests does not have: its read limit starts anew with every byte that trickles in.

Every read from the socket waits no longer than what is left of the call. This sits where `http.client` turns its
socket into a file, so status line, headers, and body are all covered.
"""

import io
import math
import socket
from http.client import HTTPResponse
from typing import Any

from requests import PreparedRequest
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection

from integration.clock import Clock
from integration.transport.trust import Trust


class Deadline:
    """When the call under way must be over; one per thread, as calls of one thread follow each other."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._at = math.inf

    def start(self, seconds: float) -> None:
        """A new call begins and may take `seconds`."""
        self._at = self._clock.monotonic() + seconds

    def remaining(self) -> float:
        """Seconds left, always above zero; raises `TimeoutError` when there are none."""
        left = self._at - self._clock.monotonic()
        if left <= 0:
            raise TimeoutError("the time for the whole call is over")
        return left


class LimitedAdapter(HTTPAdapter):
    """requests' adapter with connections that obey a `Deadline` and share their `Trust` with other adapters."""

    def __init__(self, deadline: Deadline, trust: Trust) -> None:
        self._trust = trust
        self._http = type("LimitedHTTPConnection", (_Limited, HTTPConnection), {"deadline": deadline})
        self._https = type("LimitedHTTPSConnection", (_Limited, HTTPSConnection), {"deadline": deadline})
        super().__init__(pool_connections=16, pool_maxsize=1)

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        pool.ConnectionCls = self._https if pool.scheme == "https" else self._http
        return pool

    def build_connection_pool_key_attributes(self, request: PreparedRequest, verify: Any, cert: Any = None) -> Any:
        host, _ = super().build_connection_pool_key_attributes(request, verify, cert)
        return host, {"ssl_context": self._trust.context(verify)} if host["scheme"] == "https" else {}

    def cert_verify(self, *_: Any) -> None:
        """Nothing to add: the pool's TLS context already has the certificate authorities."""


class _Limited:
    """Beside urllib3's connection classes: answers are read through a `_LimitedReader`."""

    deadline: Deadline

    def response_class(self, sock: socket.socket, *args: Any, **kwargs: Any) -> HTTPResponse:
        """`http.client` calls this to read the answer; the name is its own."""
        return HTTPResponse(_LimitedSocket(sock, self.deadline), *args, **kwargs)  # type: ignore[arg-type]


class _LimitedSocket:
    """The one method of a socket that `HTTPResponse` uses."""

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self._sock = sock
        self._deadline = deadline

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_LimitedReader(self._sock, self._deadline))


class _LimitedReader(io.RawIOBase):
    """Reads from a socket, waiting each time for its own limit or for what is left of the call, if that is less."""

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self._sock = sock
        self._deadline = deadline
        self._wait = sock.gettimeout() or math.inf
        self._raw = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(min(self._wait, self._deadline.remaining()))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()
