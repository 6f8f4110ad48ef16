"""What a command that runs a sandbox leaves behind in its process."""

import signal
from pathlib import Path

import pytest

from sandbox.commands.session import run_with
from sandbox.running.sandbox import Sandbox
from sandbox.running.state import StateDirectory


def test_a_signal_does_what_it_did_once_the_command_has_ended(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    in_use = StateDirectory(tmp_path)
    in_use.open()
    before = signal.getsignal(signal.SIGTERM)
    try:
        assert run_with(Sandbox(tmp_path), lambda _: 0) == 1
    finally:
        in_use.close()
    assert "already runs" in " ".join(capsys.readouterr().err.split())
    assert signal.getsignal(signal.SIGTERM) == before
