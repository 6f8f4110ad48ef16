"""The ports that the sandbox listens on, all on the loopback address."""

import argparse
import random
import socket
import tempfile
import time
from dataclasses import dataclass, field, fields
from itertools import islice
from pathlib import Path
from typing import Self

LOOPBACK = "127.0.0.1"

# Below the range that operating systems take for outgoing connections: a process that is stopped and started again
# finds its port still free.
_FREE_RANGE = range(20_000, 32_000)
_RESERVED = Path(tempfile.gettempdir()) / "sandbox-ports"
_RESERVED_SECONDS = 60.0


class PortTakenError(Exception):
    """Something else listens on a port that the sandbox is to use."""

    def __init__(self, name: str, port: int) -> None:
        meaning = next(each.metadata["meaning"] for each in fields(Ports) if each.name == name)
        super().__init__(
            f"Port {port} ({meaning}) is already in use. Stop what listens there, or choose another: "
            f"{option_of(name)} PORT (or --free-ports for any free ones)."
        )
        self.name = name
        self.port = port


def _port(default: int, meaning: str) -> int:
    return field(default=default, metadata={"meaning": meaning})


@dataclass(frozen=True, slots=True)
class Ports:
    """One port for each listener; the defaults are those of Microsoft's own emulators where there is one."""

    page: int = _port(7070, "the start page")
    functions: int = _port(7071, "the app's HTTP functions")
    events_host: int = _port(7072, "status of the host that runs the other functions")
    amqp: int = _port(5672, "Service Bus and Event Hubs over AMQP")
    amqps: int = _port(5671, "the broker with TLS: AMQP, AMQP over WebSockets, and HTTPS for administration")
    broker_http: int = _port(5300, "health and controls of the broker")
    blob: int = _port(10000, "Azurite blobs")
    queue: int = _port(10001, "Azurite queues")
    table: int = _port(10002, "Azurite tables")
    dataverse: int = _port(7443, "the Dataverse stand-in, HTTPS")
    erp: int = _port(7081, "the ERP stand-in")
    credit: int = _port(7082, "the credit scoring stand-in")
    relay: int = _port(7083, "the stand-in for Azure Relay, with --relay")
    others: int = _port(7084, "the stand-in for other systems that flows name")
    event_grid: int = _port(7085, "the stand-in for Event Grid, with --sinks")
    log_analytics: int = _port(7086, "the stand-in for the Logs Ingestion API, with --sinks")
    collector: int = _port(4318, "the collector of spans and metrics, OTLP over HTTP")

    @classmethod
    def free(cls) -> Self:
        """Ports that nothing listens on now."""
        names = [each.name for each in fields(cls)]
        return cls(**dict(zip(names, free_ports(len(names)), strict=True)))

    @classmethod
    def add_options(cls, parser: argparse.ArgumentParser) -> None:
        """Add one option for each port, and `--free-ports`."""
        group = parser.add_argument_group("ports")
        for each in fields(cls):
            group.add_argument(
                option_of(each.name),
                type=int,
                default=each.default,
                metavar="PORT",
                help=f"{each.metadata['meaning']} (%(default)s)",
            )
        group.add_argument("--free-ports", action="store_true", help="use any free ports instead")

    @classmethod
    def from_options(cls, options: argparse.Namespace) -> Self:
        """The ports that were chosen with the options of `add_options`."""
        if options.free_ports:
            return cls.free()
        return cls(**{each.name: getattr(options, f"{each.name}_port") for each in fields(cls)})

    def check(self) -> None:
        """Raise `PortTakenError` for the first port that something listens on, ValueError when two are the same."""
        seen: dict[int, str] = {}
        for each in fields(self):
            port = getattr(self, each.name)
            if port in seen:
                raise ValueError(f"{option_of(seen[port])} and {option_of(each.name)} are both {port}.")
            seen[port] = each.name
            if is_taken(port):
                raise PortTakenError(each.name, port)


def free_ports(count: int) -> list[int]:
    """So many ports that nothing listens on now, all different.

    Whoever else asks on this machine within a minute gets others: seconds pass before a sandbox listens on its ports.
    """
    candidates = random.SystemRandom().sample(_FREE_RANGE, k=len(_FREE_RANGE))
    return list(islice((port for port in candidates if _reserve(port) and not is_taken(port)), count))


def _reserve(port: int) -> bool:
    """Whether nobody has reserved this port lately; now it is reserved."""
    file = _RESERVED / str(port)
    try:
        _RESERVED.mkdir(exist_ok=True)
        if file.exists():
            if time.time() - file.stat().st_mtime < _RESERVED_SECONDS:
                return False
            file.unlink(missing_ok=True)
        file.touch(exist_ok=False)
    except FileExistsError:
        return False
    except OSError:  # the folder is another user's: that nothing listens there has to be enough
        return True
    return True


def option_of(name: str) -> str:
    """The command line option that sets the port of this name."""
    return f"--{name.replace('_', '-')}-port"


def is_taken(port: int) -> bool:
    """Whether something listens on this port of the loopback address, or it cannot be bound."""
    with socket.socket() as probe:
        probe.settimeout(1)
        if probe.connect_ex((LOOPBACK, port)) == 0:
            return True
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((LOOPBACK, port))
        except OSError:
            return True
    return False
