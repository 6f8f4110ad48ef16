"""List what the package consists of, as CycloneDX 1.6: python3 infra/sbom.py dist/app.cdx.json.

The libraries are those of requirements.txt, which the remote build installs: each with its version, its purl, the
SHA-256 of each of its files, the Python that it is for where that is said, and what asked for it. The same tree gives
the same bytes. Standard library only.
"""

import argparse
import json
import re
import sys
import tomllib
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
NAME = re.compile(r"^([a-z0-9][a-z0-9._-]*)==([^\s;\\]+)(?:\s*;\s*([^\\]+?))?\s*\\?$", re.IGNORECASE)
HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
VIA = re.compile(r"^\s+#\s+(?:via\s+)?(\S.*)$")


@dataclass
class Library:
    """A pinned library; `marker` says for which Python, `via` what requires it (a requirements file, or libraries)."""

    name: str
    version: str
    marker: str
    hashes: list[str] = field(default_factory=list)
    via: list[str] = field(default_factory=list)

    @property
    def purl(self) -> str:
        """Its package URL."""
        return f"pkg:pypi/{self.name}@{self.version}"


def main() -> int:
    """Write the list and print how many libraries it has."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("file", type=Path, help="the JSON file to write")
    file: Path = parser.parse_args().file
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found = list(libraries(text))
    file.parent.mkdir(parents=True, exist_ok=True)
    document = bill(str(project["name"]), version(), found)
    file.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    print(f"{file}: {len(found)} libraries")
    return 0


def version() -> str:
    """The version of the app."""
    code = (ROOT / "integration" / "__init__.py").read_text(encoding="utf-8")
    (found,) = re.findall(r'^__version__ = "([^"]+)"', code, re.MULTILINE)
    return str(found)


def libraries(lock: str) -> Iterator[Library]:
    """The libraries of a lock file with hashes, in its order."""
    library: Library | None = None
    for line in lock.splitlines():
        if named := NAME.match(line):
            if library is not None:
                yield library
            library = Library(named[1].lower(), named[2], named[3] or "")
        elif library is not None:
            library.hashes += HASH.findall(line)
            if (via := VIA.match(line)) and via[1] != "via":
                library.via.append(via[1].removeprefix("-r "))
    if library is not None:
        yield library


def bill(name: str, app_version: str, found: list[Library]) -> dict[str, Any]:
    """The document; its serial number depends on its content alone."""
    app = {"type": "application", "bom-ref": "app", "name": name, "version": app_version}
    needed = {it.name for it in found}
    depends = {it.name: sorted({one.purl for one in found if it.name in one.via}) for it in found}
    document: dict[str, Any] = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": app},
        "components": [_component(it) for it in found],
        "dependencies": [
            {"ref": "app", "dependsOn": sorted({it.purl for it in found if not needed.issuperset(it.via)})},
            *({"ref": it.purl, "dependsOn": depends[it.name]} for it in found),
        ],
    }
    serial = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(document, sort_keys=True))
    return {**document, "serialNumber": f"urn:uuid:{serial}"}


def _component(it: Library) -> dict[str, Any]:
    component: dict[str, Any] = {
        "type": "library",
        "bom-ref": it.purl,
        "name": it.name,
        "version": it.version,
        "purl": it.purl,
        "hashes": [{"alg": "SHA-256", "content": one} for one in it.hashes],
    }
    if it.marker:
        component["properties"] = [{"name": "python:marker", "value": it.marker}]
    return component


if __name__ == "__main__":
    sys.exit(main())
