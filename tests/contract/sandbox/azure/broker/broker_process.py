"""The broker as a process of its own, on free ports."""

import json
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sandbox.repository import REPOSITORY

HERE = Path(__file__).parent
_PATIENCE = 60.0  # seconds; only what fails takes so long, and a busy machine may need them
CONFIGS = (HERE / "servicebus.Config.json", HERE / "eventhubs.Config.json")


def free_port() -> int:
    """A port that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class BrokerProcess:
    """Starts `python -m sandbox.azure.broker`, stops or kills it, starts it again on the same file and ports."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.port = free_port()
        self.http_port = free_port()
        self.tls_port = free_port()
        self.ca_file = folder / "ca" / "ca.pem"
        self._log = folder / "broker.log"
        self._command = [sys.executable, "-m", "sandbox.azure.broker", "--port", str(self.port)]
        self._command += ["--http-port", str(self.http_port), "--db", str(folder / "broker.sqlite")]
        self._command += ["--tls-port", str(self.tls_port), "--ca-dir", str(self.ca_file.parent)]
        for path in CONFIGS:
            self._command += ["--config", str(path)]
        self._command += arguments
        self._ahead = timedelta()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def connection_string(self) -> str:
        return self.connection_string_with("SAS_KEY_VALUE")

    def connection_string_with(self, key: str, name: str = "RootManageSharedAccessKey") -> str:
        return (
            f"Endpoint=sb://localhost:{self.port};SharedAccessKeyName={name};SharedAccessKey={key};"
            "UseDevelopmentEmulator=true;"
        )

    @property
    def secure_connection_string(self) -> str:
        """As a real namespace has it: without the word that says that it is an emulator."""
        return (
            f"Endpoint=sb://localhost:{self.tls_port}/;SharedAccessKeyName=RootManageSharedAccessKey;"
            "SharedAccessKey=SAS_KEY_VALUE"
        )

    def start(self) -> float:
        """Starts it and waits until it is healthy; gives the seconds that took."""
        began = time.monotonic()
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(self._command, cwd=REPOSITORY, stderr=log)  # noqa: S603 -- our own command
        while time.monotonic() - began < _PATIENCE:
            if self.process.poll() is not None:
                break
            try:
                self.call("GET", "/health")
            except OSError:
                time.sleep(0.02)
            else:
                return time.monotonic() - began
        raise RuntimeError(f"the broker did not start:\n{self._log.read_text()}")

    def stop(self) -> int:
        """Asks it to stop, gives its exit status."""
        return self._end(signal.SIGTERM)

    def kill(self) -> int:
        """Kills it without warning."""
        return self._end(signal.SIGKILL)

    def _end(self, number: signal.Signals) -> int:
        if self.process is None:
            return 0
        process, self.process = self.process, None
        if process.poll() is None:
            process.send_signal(number)
        return process.wait(_PATIENCE)

    def log_text(self) -> str:
        """What it has written so far."""
        return self._log.read_text(errors="replace")

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """One call of its HTTP interface."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.http_port}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=_PATIENCE) as answer:  # noqa: S310 -- our own address
            return json.load(answer)

    def advance(self, seconds: float) -> None:
        """Moves the broker's clock forward."""
        self._ahead += timedelta(seconds=seconds)
        self.call("POST", "/control/clock", {"advance_seconds": seconds})

    def now(self) -> datetime:
        """The time on the broker's clock."""
        return datetime.now(UTC) + self._ahead

    def counts(self, queue: str) -> dict[str, int]:
        """A queue's messages by state."""
        counts: dict[str, int] = self.call("GET", "/control/entities")["queues"][queue]
        return counts
