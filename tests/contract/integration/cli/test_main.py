"""The command line by itself: without the app, without the sandbox, and without what either of them is built on."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from integration.cli.__main__ import COMMANDS, main
from sandbox.repository import REPOSITORY
from tests.contract.repository.test_dependencies import closure, files_of_distributions, pins

# Runs the command line where these modules are not installed.
ALONE = """
import json, os, sys
missing = set(json.loads(os.environ["MISSING"]))

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in missing:
            raise ImportError(f"{name} is not installed")

sys.meta_path.insert(0, Missing())
sys.path.insert(0, os.environ["HOME_OF_ALL"])
from integration.cli.__main__ import main
sys.exit(main(sys.argv[1:]))
"""
PROBLEM = {
    "eventId": "e-1",
    "state": "dead-lettered",
    "table": "account",
    "message": "Update",
    "reason": "erp-rejected",
    "since": "2026-11-20T19:05:00Z",
}


@pytest.fixture
def app() -> Iterator[str]:
    """An app that has one problem; its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps({"problems": [PROBLEM], "following": None}).encode()
            self.send_response(200 if self.headers["x-functions-key"] == "k" else 401)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """The tests' output is no access log."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_it_needs_no_more_than_its_own_libraries(app: str) -> None:
    """Neither Azure's, nor the Functions runtime's, nor the console's."""
    needed = set(closure([pin.requirement for pin in pins("requirements-cli.in")]))
    tops: dict[bool, set[str]] = {True: set(), False: set()}
    for path, name in files_of_distributions().items():
        if "site-packages" in path.parts:
            tops[name in needed].add(path.parts[path.parts.index("site-packages") + 1].removesuffix(".py"))
    missing = sorted(tops[False] - tops[True])
    assert {"azure", "jinja2", "msal", "requests"} <= set(missing)
    environment = {**os.environ, "MISSING": json.dumps(missing), "HOME_OF_ALL": str(REPOSITORY), "OPERATIONS_KEY": "k"}
    done = subprocess.run(  # noqa: S603 -- our own program
        [sys.executable, "-c", ALONE, "support", "list", "--url", app],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, "e-1" in done.stdout) == (0, True), done.stderr


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_explains_itself_under_its_own_name(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([name, "--help"])
    said = capsys.readouterr().out
    assert (ended.value.code, f"dataverse-integration {name}" in said, "run.py" in said) == (0, True, False)


def test_without_a_command_they_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """And an unknown one is no success."""
    assert (main(["--help"]), main([]), main(["supprt"])) == (0, 2, 2)
    said = capsys.readouterr()
    assert all(f"  {name} " in said.out and f"  {name} " in said.err for name in COMMANDS)


def test_an_app_that_nobody_names_is_said(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    monkeypatch.chdir(str(tmp_path))
    monkeypatch.delenv("INTEGRATION_URL", raising=False)
    assert main(["support", "overview"]) == 1
    assert "give the address of an app with --url" in capsys.readouterr().err
