"""Azurite, Microsoft's storage emulator: installed once from its pinned npm package, and the command that runs it.

sandbox/azure/azurite_package/package-lock.json pins Azurite and all that is beneath it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sandbox.azure.npm import NpmPackage, Track
from sandbox.machine.ports import LOOPBACK, Ports

_FOLDER = Path(__file__).parent / "azurite_package"
_PACKAGE = NpmPackage("Azurite", _FOLDER)
_LAUNCHER = _FOLDER / "launcher.js"


@dataclass(frozen=True, slots=True)
class Azurite:
    """An installed Azurite."""

    node: str
    script: Path

    def command(self, ports: Ports, location: Path | None) -> list[str]:
        """The command that serves blobs, queues and tables on `ports` and keeps them in `location`.

        Its store is made faster, and it lists blobs from a name on (launcher.js).

        Without a location they are kept in memory only. With one, Azurite writes all its tables anew every five
        seconds (LokiTableMetadataStore, autosaveInterval), and less often once that takes more than half a second.
        """
        listeners = (("blob", ports.blob), ("queue", ports.queue), ("table", ports.table))
        flags = ["--silent", "--skipApiVersionCheck", "--disableTelemetry"]
        flags += ["--inMemoryPersistence"] if location is None else ["--location", str(location)]
        for service, port in listeners:
            flags += [f"--{service}Host", LOOPBACK, f"--{service}Port", str(port)]
        return [self.node, str(_LAUNCHER), str(self.script), *flags]


def installed(tools: Path, say: Callable[[str], None], track: Track = lambda _done, _total: None) -> Azurite:
    """Azurite below `tools`, see `NpmPackage.installed`."""
    node, home = _PACKAGE.installed(tools, say, track)
    return Azurite(node, home / "node_modules" / "azurite" / "dist" / "src" / "azurite.js")


def is_installed(tools: Path) -> bool:
    """Whether `installed` would find it there."""
    return _PACKAGE.is_installed(tools)
