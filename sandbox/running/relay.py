"""Azure Relay in front of the ERP: its stand-in, a listener beside the ERP, and what the app's settings say of it."""

from collections.abc import Callable, Mapping
from pathlib import Path

from sandbox.azure.npm import NpmPackage
from sandbox.machine.ports import LOOPBACK, Ports
from sandbox.machine.process import HttpProbe, Program
from sandbox.repository import REPOSITORY
from sandbox.running.programs import PYTHON
from sandbox.running.state import Keys

PROCESSES = ("relay", "relay-listener")
"""Names of the two processes."""

_CONNECTION = "erp"
_LISTENER = NpmPackage("relay-listener", REPOSITORY / "examples" / "relay_listener", ("listener.mjs",))
"""Microsoft's hyco-https, and the script that passes requests on."""


def url(ports: Ports) -> str:
    """Where the app finds the ERP."""
    return f"http://{LOOPBACK}:{ports.relay}/{_CONNECTION}"


def system(keys: Keys) -> Mapping[str, str]:
    """What SYSTEMS says of the ERP besides its address."""
    return {"relay": "key", "relayKeyName": "send", "relayKey": keys.relay_send}


def programs(ports: Ports, keys: Keys, tools: Path, say: Callable[[str], None]) -> tuple[Program, Program]:
    """The relay, and then the listener, which needs it; `tools` is where the listener is installed once."""
    node, home = _LISTENER.installed(tools, say)
    relay = f"http://{LOOPBACK}:{ports.relay}"
    accepted = (f"send={keys.relay_send};Send", f"listen={keys.relay_listen};Listen")
    command: tuple[str, ...] = (str(PYTHON), "-m", "sandbox.azure.relay", "--port", str(ports.relay))
    command += ("--hybrid-connection", _CONNECTION, *(part for key in accepted for part in ("--key", key)))
    environment = {
        "RELAY_NAMESPACE": LOOPBACK,
        "RELAY_ADDRESS": f"ws://{LOOPBACK}:{ports.relay}",
        "RELAY_CONNECTION": _CONNECTION,
        "RELAY_KEY_NAME": "listen",
        "RELAY_KEY": keys.relay_listen,
        "TARGET_URL": f"http://{LOOPBACK}:{ports.erp}",
    }
    return (
        Program("relay", command, HttpProbe(f"{relay}/control/health")),
        Program(
            "relay-listener",
            (node, str(home / "listener.mjs")),
            HttpProbe(f"{relay}/control/listeners", text=f'"{_CONNECTION}": 1'),
            environment=environment,
        ),
    )
