"""A RabbitMQ node of our own, on loopback and in a folder of its own, from the system's package.

Nothing is installed here: where the package is missing, `MissingError` says how to get it.
"""

import shutil
import socket
from dataclasses import dataclass
from pathlib import Path

from sandbox.machine.ports import LOOPBACK, free_ports
from sandbox.machine.process import Program

# Debian's /usr/sbin/rabbitmq-server is a wrapper that changes to the system's user and data; this is what it wraps.
_SERVERS = ("/usr/lib/rabbitmq/bin/rabbitmq-server", "/opt/homebrew/sbin/rabbitmq-server")


class MissingError(Exception):
    """RabbitMQ or its port mapper is not installed; the message says what to do."""


@dataclass(frozen=True, slots=True)
class RabbitMq:
    """An installed RabbitMQ with the ports it will listen on."""

    server: str
    port_mapper: str
    version: str
    ports: tuple[int, int, int]

    @classmethod
    def found(cls) -> "RabbitMq":
        """The one on this machine; raises `MissingError`."""
        server = next((path for path in _SERVERS if Path(path).exists()), None)
        port_mapper = shutil.which("epmd")
        if server is None or port_mapper is None:
            raise MissingError(
                "RabbitMQ is not installed, so what needs it is left out. On Debian and Ubuntu: "
                "apt-get install --no-install-recommends rabbitmq-server (its service need not run)"
            )
        homes = sorted(Path(server).parent.parent.glob("lib/rabbitmq_server-*"))
        version = homes[-1].name.rpartition("-")[2] if homes else "unknown"
        amqp, distribution, mapper = free_ports(3)
        return cls(server, port_mapper, version, (amqp, distribution, mapper))

    @property
    def url(self) -> str:
        """Where it is reached."""
        return f"amqp://guest:guest@{LOOPBACK}:{self.ports[0]}/"

    def programs(self, home: Path) -> list[list[Program]]:
        """What to start, in this order: Erlang's port mapper, which must not outlive us, and the node."""
        home.mkdir(parents=True, exist_ok=True)
        amqp, distribution, mapper = self.ports
        (home / "rabbitmq.conf").write_text(f"listeners.tcp.default = {LOOPBACK}:{amqp}\n", encoding="utf-8")
        (home / "enabled_plugins").write_text("[].\n", encoding="utf-8")
        erlang = {"ERL_EPMD_ADDRESS": LOOPBACK, "ERL_EPMD_PORT": str(mapper), "HOME": str(home)}
        node = {
            **erlang,
            "RABBITMQ_NODENAME": f"bench-{amqp}@localhost",
            "RABBITMQ_CONFIG_FILE": str(home / "rabbitmq.conf"),
            "RABBITMQ_MNESIA_BASE": str(home / "data"),
            "RABBITMQ_LOG_BASE": str(home / "log"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(home / "enabled_plugins"),
            "RABBITMQ_DIST_PORT": str(distribution),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
        }
        return [
            [Program("epmd", (self.port_mapper,), _Listening(mapper), environment=erlang)],
            [Program("rabbitmq", (self.server,), _Listening(amqp), environment=node, stop_seconds=20.0)],
        ]


@dataclass(frozen=True, slots=True)
class _Listening:
    """Ready when somebody listens on this port."""

    port: int

    def __call__(self) -> bool:
        with socket.socket() as probe:
            probe.settimeout(1)
            return probe.connect_ex((LOOPBACK, self.port)) == 0
