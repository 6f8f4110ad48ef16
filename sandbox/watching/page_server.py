"""Serves the start page on 127.0.0.1, read only and without keys, from a thread beside the sandbox.

`/console` leads to the support console of the app, and signs in whoever opens it on this machine.
"""

import re
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from sandbox.client import Client
from sandbox.machine.ports import LOOPBACK
from sandbox.running import console
from sandbox.running.endpoints import Endpoints
from sandbox.watching import page
from sandbox.watching.snapshot import Snapshots
from sandbox.watching.watch import Watch

_EVENT = re.compile(r"/events/((?:\d{12}|unreadable)-[0-9a-f]{32})")


class PageServer:
    """`with PageServer(...)`: the page is served until the end of the block."""

    def __init__(self, port: int, reached: Endpoints, client: Client, watch: Watch) -> None:
        self._port = port
        self._reached = reached
        self._snapshots = Snapshots(client, watch)
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer((LOOPBACK, port), self._handler())
        self._server.daemon_threads = True

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, name="start-page", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, path: str) -> tuple[HTTPStatus, str]:
        """Status and HTML for a path."""
        with self._lock:  # the client serves one thread at a time
            if path == "/":
                return HTTPStatus.OK, page.whole(self._reached, self._snapshots.tables())
            if path == "/changing":
                return HTTPStatus.OK, page.changing(self._snapshots.tables())
            if found := _EVENT.fullmatch(path):
                return HTTPStatus.OK, page.event(self._snapshots.operation(found[1]), found[1])
        return HTTPStatus.NOT_FOUND, "<p>There is no such page.</p>"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        answer, reached, names = self.answer, self._reached, (f"{LOOPBACK}:{self._port}", f"localhost:{self._port}")

        class Handler(BaseHTTPRequestHandler):
            """Answers GET."""

            def do_GET(self) -> None:
                """One page."""
                path = self.path.partition("?")[0]
                if path == "/console" and self.headers.get("Host") in names:  # no other site's name for this machine
                    self.send_response(HTTPStatus.SEE_OTHER)
                    self.send_header("Location", console.ticket(reached))
                    self.send_header("Cache-Control", "no-store")
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                status, html = answer(path)
                body = html.encode()
                self.send_response(status)
                for name, value in _HEADERS.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 -- its name there
                """Say nothing: the terminal is for events."""

        return Handler


_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'self'; style-src 'unsafe-inline'; script-src 'unsafe-inline'",
    "X-Content-Type-Options": "nosniff",
}
