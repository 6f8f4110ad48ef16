"""What is said of an app that does not answer as ours does."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from sandbox.doctor.app import DeployedApp

KEY = "right"


class Fake(BaseHTTPRequestHandler):
    """An app whose health is what the test says, and which knows one key."""

    health: tuple[int, Any] = (200, {"ready": True, "checks": {"workQueue": "ok"}})
    received: list[bytes]

    def do_GET(self) -> None:
        if self.path == "/api/health":
            self._answer(*self.health)
        else:
            self._answer(404 if self._admitted() else 401, {})

    def do_POST(self) -> None:
        self.received.append(self.rfile.read(int(self.headers["Content-Length"])))
        self._answer(415 if self._admitted() else 401, {})

    def _admitted(self) -> bool:
        return self.headers.get("x-functions-key") == KEY

    def _answer(self, status: int, body: Any) -> None:
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode() if body is not None else b"<html>")

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@pytest.fixture
def fake() -> Iterator[tuple[str, type[Fake]]]:
    handler = type("Handler", (Fake,), {"received": []})
    server = HTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", handler
    server.shutdown()


def states(url: str, intake: dict[str, str] | None = None, operations: dict[str, str] | None = None) -> dict[str, str]:
    return {it.what: it.state for it in DeployedApp(url).findings(intake or {}, operations or {})}


def test_keys_are_tried_without_sending_anything_that_could_become_an_event(fake: tuple[str, type[Fake]]) -> None:
    url, handler = fake
    found = states(url, {"dataverse": KEY, "plugin": "old"}, {"support": KEY, "other": "old"})
    assert found == {
        "app": "ok",
        "workQueue": "ok",
        "intake without a key": "ok",
        "intake key of dataverse": "ok",
        "intake key of plugin": "wrong",
        "operations key of support": "ok",
        "operations key of other": "wrong",
    }
    assert set(handler.received) == {b"doctor"}


def test_each_part_that_the_app_cannot_reach_is_named_with_what_to_do(fake: tuple[str, type[Fake]]) -> None:
    url, handler = fake
    handler.health = (503, {"ready": False, "checks": {"workQueue": "broker-unavailable", "ledger": "ok"}})
    findings = {it.what: it for it in DeployedApp(url).findings({}, {})}
    assert (findings["workQueue"].state, findings["ledger"].state) == ("wrong", "ok")
    assert "ServiceBus" in findings["workQueue"].remedy


@pytest.mark.parametrize(
    ("health", "seen", "remedy"),
    [
        ((404, {}), "answers 404", "No functions run there"),
        ((403, {}), "answers 403", "accessRules"),
        ((200, None), "without a report", "log"),
        ((500, {}), "without a report", "log"),
    ],
)
def test_something_else_than_a_report_is_explained(
    fake: tuple[str, type[Fake]], health: tuple[int, Any], seen: str, remedy: str
) -> None:
    url, handler = fake
    handler.health = health
    (finding,) = DeployedApp(url).findings({"dataverse": KEY}, {"support": KEY})
    assert finding.state == "wrong"
    assert seen in finding.seen
    assert remedy in finding.remedy


def test_an_address_where_nobody_answers_is_one_finding() -> None:
    (finding,) = DeployedApp("http://127.0.0.1:9").findings({"dataverse": KEY}, {})
    assert "does not answer" in finding.seen
