"""The sandbox's ports and what is said when one is taken."""

import argparse
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import astuple, replace
from pathlib import Path

import pytest

from sandbox.machine import ports
from sandbox.machine.ports import Ports, PortTakenError, is_taken
from sandbox.repository import REPOSITORY


@pytest.fixture
def listener() -> Iterator[int]:
    """A port that something listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def options(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    Ports.add_options(parser)
    return parser.parse_args(arguments)


def test_a_taken_port_is_reported_with_its_number_its_use_and_the_option_that_changes_it(listener: int) -> None:
    with pytest.raises(PortTakenError) as caught:
        replace(Ports.free(), broker_http=listener).check()
    assert str(listener) in str(caught.value)
    assert "broker" in str(caught.value)
    assert "--broker-http-port" in str(caught.value)


def test_two_uses_of_one_port_are_reported_with_both_options() -> None:
    free = Ports.free()
    with pytest.raises(ValueError, match="--blob-port and --erp-port"):
        replace(free, erp=free.blob).check()


def test_free_ports_are_all_different_and_free() -> None:
    free = Ports.free()
    free.check()
    assert len(set(astuple(free))) == len(astuple(free))


def test_two_that_start_at_the_same_time_get_different_ports() -> None:
    """Nothing listens on any of them yet: what is written down keeps the second from taking the first's."""
    asked = [sys.executable, "-c", "from sandbox.machine.ports import free_ports; print(*free_ports(300))"]
    started = [subprocess.Popen(asked, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) for _ in range(2)]  # noqa: S603 -- this Python
    found = [port for it in started for port in it.communicate(timeout=60)[0].split()]
    assert len(set(found)) == len(found) == 600


def test_a_port_that_was_reserved_a_minute_ago_is_free_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "_RESERVED", tmp_path / "reserved")
    assert [ports._reserve(25_000), ports._reserve(25_000)] == [True, False]
    os.utime(tmp_path / "reserved" / "25000", (0, 0))
    assert ports._reserve(25_000)


def test_a_port_that_was_just_closed_is_free() -> None:
    """Connections in TIME_WAIT do not keep the sandbox from starting again."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        client = socket.create_connection(("127.0.0.1", port))
        server.accept()[0].close()
        client.close()
    assert not is_taken(port)


def test_each_port_has_its_option() -> None:
    assert Ports.from_options(options("--functions-port", "8000")) == replace(Ports(), functions=8000)


def test_free_ports_can_be_asked_for() -> None:
    assert Ports.from_options(options("--free-ports")) != Ports()
