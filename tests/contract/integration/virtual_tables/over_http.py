"""The provider at an address of this machine, for clients that others wrote."""

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from tests.contract.integration.virtual_tables.provider import ROOT, Provider


@contextmanager
def over_http(provider: Provider) -> Iterator[str]:
    """The address of the service, which admits everybody."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def answer(self) -> None:
            sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            named: dict[str, Any] = {name.lower(): value for name, value in self.headers.items()}
            path = self.path.removeprefix("/api/odata/")
            answer = provider.ask_url(ROOT + path, method=self.command, body=sent or None, **named)
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.media_type)
            body = answer.body.encode()
            self.send_header("Content-Length", str(len(body)))
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PATCH = do_DELETE = answer  # noqa: N815 -- names of http.server

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}{urlsplit(ROOT).path}"
        finally:
            server.shutdown()
            thread.join()
