"""The app's settings for measures: those of a sandbox, under every name that a version of the app knows them by."""

import json
from collections.abc import Mapping

from sandbox.machine.ports import Ports
from sandbox.running import programs
from sandbox.running.dataverse_client import Environment
from sandbox.running.endpoints import DataverseClient
from sandbox.running.state import Keys

# Each version of the app ignores the names that it does not know.
_OTHER_NAMES = (
    ("DOOR_KEYS", "INTAKE_KEYS"),
    ("LEAN_EVENTS", "PLUGIN_EVENTS"),
    ("ERP_API_KEY", "SYSTEMS_ERP_API_KEY"),
    ("CREDIT_API_KEY", "SYSTEMS_CREDIT_API_KEY"),
)
_NOBODY = "00000000-0000-0000-0000-000000000000"


def app_settings(ports: Ports, keys: Keys) -> dict[str, str]:
    """The settings of the app in a sandbox that need not run: the identities in Dataverse are made up."""
    url = programs.dataverse_url(ports)
    client = DataverseClient(_NOBODY, _NOBODY, "secret", url, "")
    environment = Environment(url, _NOBODY, client, client, (_NOBODY,))
    settings = programs.app_settings(programs.endpoints(ports, keys, environment), keys, environment)
    # A measure that lasts for five minutes would have more to do; what telemetry costs is a measure of its own.
    return settings | {"CHANGE_TRACKING": "false", "OTEL_TRACES_EXPORTER": "none", "OTEL_METRICS_EXPORTER": "none"}


def renamed(settings: Mapping[str, str]) -> dict[str, str]:
    """Those of `settings` that other versions of the app know by another name, under all their names."""
    found: dict[str, str] = {}
    for names in _OTHER_NAMES:
        value = next((settings[name] for name in names if name in settings), None)
        if value is not None:
            found |= dict.fromkeys(names, value)
    for name, system in json.loads(settings.get("SYSTEMS", "{}")).items():
        found[f"{name.upper()}_URL"] = system["url"]
    return found
