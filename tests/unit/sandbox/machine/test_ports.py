"""The sandbox's ports and what is said when one is taken."""

import argparse
import socket
from collections.abc import Iterator
from dataclasses import astuple, replace

import pytest

from sandbox.machine.ports import Ports, PortTakenError, is_taken


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
    ports = Ports.free()
    ports.check()
    assert len(set(astuple(ports))) == len(astuple(ports))


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
