"""Microsoft's listener for Node.js, hyco-https, unmodified, at the stand-in; the example passes requests on."""

import asyncio
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests

from integration.clock import SystemClock
from integration.transport import SharedAccessSignatures
from tests.contract.sandbox.azure.relay.relay_process import PATIENCE, SEND_KEY, RelayProcess, listener, packages


class System(BaseHTTPRequestHandler):
    """Answers with what it was asked; `?answer=N` with N bytes, `/status/N` with a status."""

    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        path, _, query = self.path.partition("?")
        sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status = int(path.rpartition("/")[2]) if "/status/" in path else 200
        size = int(query.removeprefix("answer=")) if query.startswith("answer=") else None
        body = b"" if status == 204 else sent if size is None else b"z" * size
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Asked", f"{self.command} {self.path}")
        self.send_header("X-Key", self.headers.get("Authorization", ""))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_PUT = do_POST = do_PATCH = do_DELETE = _answer  # noqa: N815 -- as http.server wants them

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def connected() -> Iterator[RelayProcess]:
    """A relay with one listener, behind which a system answers below /base."""
    there = packages()
    system = ThreadingHTTPServer(("127.0.0.1", 0), System)
    threading.Thread(target=system.serve_forever, daemon=True).start()
    relay = RelayProcess()
    relay.start()
    node = listener(relay, f"http://127.0.0.1:{system.server_port}/base", packages=there)
    try:
        relay.wait_for_listeners(1)
        yield relay
    finally:
        node.kill()
        node.wait(PATIENCE)
        relay.stop()
        system.shutdown()
        system.server_close()


async def ask(relay: RelayProcess, method: str, path: str, body: bytes = b"") -> requests.Response:
    """One request of a sender."""
    signed = SharedAccessSignatures(relay.url, key_name="send", key=SEND_KEY, clock=SystemClock())
    headers = {**await signed.headers(), "Authorization": "Bearer of the system"}
    return await asyncio.to_thread(
        requests.request, method, relay.url + path, data=body, headers=headers, timeout=PATIENCE
    )


@pytest.mark.parametrize("size", [0, 20, 65_000, 300_000])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
async def test_bodies_of_every_size_arrive_and_come_back(connected: RelayProcess, method: str, size: int) -> None:
    """On the control channel and by rendezvous."""
    answer = await ask(connected, method, "/api/orders/1", b"x" * size)
    assert (answer.status_code, answer.content) == (200, b"x" * size)
    assert answer.headers["X-Asked"] == f"{method} /base/api/orders/1"
    assert answer.headers["X-Key"] == "Bearer of the system"
    assert "Via" in answer.headers


async def test_a_large_answer_to_a_small_question_comes_by_rendezvous(connected: RelayProcess) -> None:
    answer = await ask(connected, "GET", "/api/orders?answer=200000")
    assert answer.content == b"z" * 200_000


@pytest.mark.parametrize(("status", "seen"), [(204, 204), (404, 404), (409, 409), (500, 500), (502, 503), (504, 503)])
async def test_the_systems_status_comes_back_as_it_is(connected: RelayProcess, status: int, seen: int) -> None:
    """But for the two that a listener may not use. Each next request is answered, whatever went before."""
    for _ in range(2):
        answer = await ask(connected, "GET", f"/status/{status}")
        assert answer.status_code == seen
        assert "Via" in answer.headers


async def test_a_system_that_is_away_is_said_by_the_listener(connected: RelayProcess) -> None:
    """503 with `Via`: an outage of the system, not of the relay."""
    node = listener(connected, "http://127.0.0.1:9", packages=packages())
    try:
        connected.wait_for_listeners(2)
        seen = {(await ask(connected, "GET", "/api/orders/1")).status_code for _ in range(40)}
    finally:
        node.kill()
        node.wait(PATIENCE)
    connected.wait_for_listeners(1)
    assert seen == {200, 503}
