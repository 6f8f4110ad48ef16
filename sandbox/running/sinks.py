"""Where the app's sinks of settled events write to here: stand-ins of Event Grid and Azure Monitor, and a hub."""

import sys

from sandbox.azure.topology import FABRIC
from sandbox.machine.ports import LOOPBACK, Ports
from sandbox.machine.process import HttpProbe, Program
from sandbox.running.endpoints import broker_connection

_KEY = "event-grid-sandbox-key"
_SECRET = "logs-sandbox-secret"  # noqa: S105 -- of the sandbox
_RULE = "dcr-00000000000000000000000000000000"


def urls(ports: Ports) -> dict[str, str]:
    """The addresses of the stand-ins, by the names of the sinks."""
    return {
        "event-grid": f"http://{LOOPBACK}:{ports.event_grid}",
        "log-analytics": f"http://{LOOPBACK}:{ports.log_analytics}",
    }


def services(ports: Ports) -> list[Program]:
    """The stand-ins. The hub of Fabric is one of the broker."""
    modules = {
        "event-grid": ("event_grid", ports.event_grid, ("--key", _KEY)),
        "log-analytics": ("logs_ingestion", ports.log_analytics, ("--rule", _RULE, "--client-secret", _SECRET)),
    }
    return [
        Program(
            name,
            (sys.executable, "-m", f"sandbox.systems.{module}", "--port", str(port), *more),
            HttpProbe(f"http://{LOOPBACK}:{port}/control/health"),
        )
        for name, (module, port, more) in modules.items()
    ]


def settings(ports: Ports) -> dict[str, str]:
    """The app's settings that switch its sinks on."""
    at = urls(ports)
    return {
        "EVENT_GRID_ENDPOINT": f"{at['event-grid']}/api/events",
        "EVENT_GRID_KEY": _KEY,
        "LOG_ANALYTICS_ENDPOINT": at["log-analytics"],
        "LOG_ANALYTICS_RULE": _RULE,
        "LOG_ANALYTICS_TOKEN_URL": f"{at['log-analytics']}/token",
        "LOG_ANALYTICS_CLIENT_ID": "logs-sandbox-client",
        "LOG_ANALYTICS_CLIENT_SECRET": _SECRET,
        "Fabric": broker_connection(ports.amqp),
        "FABRIC_HUB_NAME": FABRIC,
        "LAKE_CONTAINER_NAME": "lake",
    }
