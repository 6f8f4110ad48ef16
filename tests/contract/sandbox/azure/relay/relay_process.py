"""The relay as a process of its own, and Microsoft's listener in front of a system."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import requests

from sandbox.machine.ports import free_ports
from sandbox.repository import REPOSITORY
from tests.contract.node_packages import installed

LISTENER = REPOSITORY / "examples" / "relay_listener"
NAME = "erp"
SEND_KEY, LISTEN_KEY = "a-key-to-send", "a-key-to-listen"
PATIENCE = 60.0
"""Seconds; only what fails takes so long, and a busy machine may need them."""


def until(holds: Callable[[], bool], what: str) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, f"not in {PATIENCE:.0f} s: {what}"
        time.sleep(0.02)


class RelayProcess:
    """`python -m sandbox.azure.relay` with one hybrid connection, a key for senders and one for listeners."""

    def __init__(self, *, answer_seconds: float = 60.0, idle_seconds: float = 240.0) -> None:
        (self.port,) = free_ports(1)
        keys = (f"send={SEND_KEY};Send", f"listen={LISTEN_KEY};Listen")
        self._command = [sys.executable, "-m", "sandbox.azure.relay", "--port", str(self.port)]
        self._command += ["--hybrid-connection", NAME, "--answer-seconds", str(answer_seconds)]
        self._command += ["--idle-seconds", str(idle_seconds)]
        self._command += [part for key in keys for part in ("--key", key)]
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """What senders call."""
        return f"http://127.0.0.1:{self.port}/{NAME}"

    @property
    def web_socket_url(self) -> str:
        """What listeners connect to."""
        return f"ws://127.0.0.1:{self.port}/$hc/{NAME}"

    def start(self) -> None:
        self.process = subprocess.Popen(self._command, cwd=REPOSITORY)  # noqa: S603 -- our own module
        until(self._answers, "the relay answers")

    def stop(self) -> int | None:
        """End it in the orderly way; its exit status."""
        if self.process is None:
            return None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait(PATIENCE)

    def freeze(self) -> None:
        """It says nothing more, and its connections stay: as behind a firewall that has forgotten them."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    def listeners(self) -> int:
        """How many are connected."""
        there: int = requests.get(f"http://127.0.0.1:{self.port}/control/listeners", timeout=PATIENCE).json()[NAME]
        return there

    def wait_for_listeners(self, count: int) -> None:
        until(lambda: self.listeners() == count, f"{count} listeners")

    def _answers(self) -> bool:
        try:
            return requests.get(f"http://127.0.0.1:{self.port}/control/health", timeout=PATIENCE).ok
        except requests.ConnectionError:
            return False


def listener(
    relay: RelayProcess, target: str, *, packages: Path, ping_seconds: float = 60.0, log: Path | None = None
) -> subprocess.Popen[bytes]:
    """The listener of examples/ (Microsoft's hyco-https) between the relay and a system; what it says is in `log`."""
    script, unfinished = packages / "listener.mjs", packages / f"listener.{os.getpid()}.mjs"
    shutil.copy(LISTENER / "listener.mjs", unfinished)
    unfinished.replace(script)  # in one step: other workers may be starting it
    environment = {
        "RELAY_NAMESPACE": "127.0.0.1",
        "RELAY_ADDRESS": f"ws://127.0.0.1:{relay.port}",
        "RELAY_CONNECTION": NAME,
        "RELAY_KEY_NAME": "listen",
        "RELAY_KEY": LISTEN_KEY,
        "TARGET_URL": target,
        "RELAY_PING_SECONDS": str(ping_seconds),
    }
    node = shutil.which("node") or "node"
    if log is None:
        return subprocess.Popen([node, str(script)], env=os.environ | environment)  # noqa: S603 -- our own script
    with log.open("wb") as file:
        command = [node, str(script)]
        return subprocess.Popen(command, env=os.environ | environment, stdout=file, stderr=file)  # noqa: S603 -- as above


def packages() -> Path:
    """Where hyco-https is installed; skips loudly where Node.js or the network is missing."""
    return installed(LISTENER, "Microsoft's listener of Azure Relay, hyco-https,")
