"""Where the app's sinks of settled events write to here: stand-ins of Event Grid and Azure Monitor, and a hub."""

import sys
from collections.abc import Collection
from typing import Final

from sandbox.azure.topology import FABRIC
from sandbox.machine.ports import LOOPBACK, Ports
from sandbox.machine.process import HttpProbe, Program
from sandbox.running.endpoints import broker_connection
from sandbox.systems.event_grid.api import KEY
from sandbox.systems.logs_ingestion.api import CLIENT_ID, CLIENT_SECRET, RULE

LIGHT: Final = ("event-grid", "log-analytics", "fabric")
"""The sinks that need no library of their own."""
ALL: Final = (*LIGHT, "lake", "delta")
DELTA_TABLE: Final = "az://delta/integration_events"
"""In Azurite."""


def urls(ports: Ports, sinks: Collection[str]) -> dict[str, str]:
    """The addresses of the stand-ins that these sinks write to, by the names of the sinks."""
    found = {
        "event-grid": f"http://{LOOPBACK}:{ports.event_grid}",
        "log-analytics": f"http://{LOOPBACK}:{ports.log_analytics}",
    }
    return {name: url for name, url in found.items() if name in sinks}


def services(ports: Ports, sinks: Collection[str]) -> list[Program]:
    """Their programs. The hub of Fabric is one of the broker, the container of the lake one of Azurite."""
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
        if name in sinks
    ]


def settings(ports: Ports, sinks: Collection[str]) -> dict[str, str]:
    """The app's settings that switch these sinks on."""
    at = urls(ports, ALL)
    of = {
        "event-grid": {"EVENT_GRID_ENDPOINT": f"{at['event-grid']}/api/events", "EVENT_GRID_KEY": KEY},
        "log-analytics": {
            "LOG_ANALYTICS_ENDPOINT": at["log-analytics"],
            "LOG_ANALYTICS_RULE": RULE,
            "LOG_ANALYTICS_TOKEN_URL": f"{at['log-analytics']}/token",
            "LOG_ANALYTICS_CLIENT_ID": CLIENT_ID,
            "LOG_ANALYTICS_CLIENT_SECRET": CLIENT_SECRET,
        },
        "fabric": {"Fabric": broker_connection(ports.amqp), "FABRIC_HUB_NAME": FABRIC},
        "lake": {"LAKE_CONTAINER_NAME": "lake"},
        "delta": {"DELTA_TABLE": DELTA_TABLE},
    }
    return {name: value for sink in sinks for name, value in of[sink].items()}
