"""Where the app's sinks of settled events write to here: stand-ins of Event Grid and Azure Monitor, and a hub."""

import sys

from sandbox.azure.topology import FABRIC
from sandbox.machine.ports import LOOPBACK, Ports
from sandbox.machine.process import HttpProbe, Program
from sandbox.running.endpoints import broker_connection
from sandbox.systems.event_grid.api import KEY
from sandbox.systems.logs_ingestion.api import CLIENT_ID, CLIENT_SECRET, RULE


def urls(ports: Ports) -> dict[str, str]:
    """The addresses of the stand-ins, by the names of the sinks."""
    return {
        "event-grid": f"http://{LOOPBACK}:{ports.event_grid}",
        "log-analytics": f"http://{LOOPBACK}:{ports.log_analytics}",
    }


def services(ports: Ports) -> list[Program]:
    """The stand-ins. The hub of Fabric is one of the broker."""
    modules = {
        "event-grid": ("event_grid", ports.event_grid),
        "log-analytics": ("logs_ingestion", ports.log_analytics),
    }
    return [
        Program(
            name,
            (sys.executable, "-m", f"sandbox.systems.{module}", "--port", str(port)),
            HttpProbe(f"http://{LOOPBACK}:{port}/control/health"),
        )
        for name, (module, port) in modules.items()
    ]


def settings(ports: Ports) -> dict[str, str]:
    """The app's settings that switch its sinks on."""
    at = urls(ports)
    return {
        "EVENT_GRID_ENDPOINT": f"{at['event-grid']}/api/events",
        "EVENT_GRID_KEY": KEY,
        "LOG_ANALYTICS_ENDPOINT": at["log-analytics"],
        "LOG_ANALYTICS_RULE": RULE,
        "LOG_ANALYTICS_TOKEN_URL": f"{at['log-analytics']}/token",
        "LOG_ANALYTICS_CLIENT_ID": CLIENT_ID,
        "LOG_ANALYTICS_CLIENT_SECRET": CLIENT_SECRET,
        "Fabric": broker_connection(ports.amqp),
        "FABRIC_HUB_NAME": FABRIC,
        "LAKE_CONTAINER_NAME": "lake",
    }
