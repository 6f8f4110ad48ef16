"""A stand-in as the tests see it: a process, and a session that talks to it."""

import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import requests

READY_SECONDS = 60.0


@dataclass
class StandIn:
    """A running stand-in and a session that talks to it."""

    process: subprocess.Popen[bytes]
    url: str
    http: requests.Session
    arguments: list[str]

    def control(self, method: str, path: str, **sent: Any) -> requests.Response:
        answer = self.http.request(method, f"{self.url}/control/{path}", timeout=60, **sent)
        answer.raise_for_status()
        return answer

    def fault(self, match: str, **fields: object) -> None:
        self.control("POST", "faults", json={"match": match, **fields})

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            try:
                if self.http.get(f"{self.url}/control/health", timeout=2).status_code == 200:
                    return
            except (requests.ConnectionError, requests.Timeout):
                time.sleep(0.05)
        raise AssertionError(f"{self.arguments} did not become ready")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)

    def start_again(self) -> None:
        self.process = subprocess.Popen(self.arguments)  # noqa: S603 -- our own module
        self.wait_until_ready()


Start = Callable[..., StandIn]
