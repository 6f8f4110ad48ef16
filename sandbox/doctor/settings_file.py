"""Checks a local.settings.json: whether the app would start with it, and which values are still the example's."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Self

from sandbox.doctor.finding import Finding, ok, wrong
from sandbox.repository import REPOSITORY
from sandbox.terminal.words import place

_PLACEHOLDERS = (
    "replace-this",
    "contoso",
    "00000000-0000-0000-0000-000000000000",
    "10000000-0000-0000-0000-000000000001",
)
"""What the examples have in place of real values; in Azure the app refuses them too."""
# The product and the sandbox do not import each other: the product's own check runs in a process of its own.
_CHECK = """
import os, sys
from integration.errors import ConfigurationError
from integration.settings import Settings
try:
    Settings.from_environment(os.environ)
except ConfigurationError as error:
    sys.exit(str(error))
"""


class SettingsError(Exception):
    """The file cannot be read as settings."""


class SettingsFile:
    """The values of a settings file, by name."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self.values = values

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a file in the form of local.settings.json; raises `SettingsError`."""
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
            values = {str(name): str(value) for name, value in document["Values"].items()}
        except OSError as error:
            raise SettingsError(f"{place(path.absolute())} cannot be read: {error.strerror}.") from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise SettingsError(f'{place(path.absolute())} is not JSON with an object "Values".') from error
        return cls(values)

    def get(self, name: str) -> str:
        """A value; empty if it is not set."""
        return self.values.get(name, "")

    def callers(self, name: str) -> dict[str, list[str]]:
        """Callers and their keys from a setting in the form of `INTAKE_KEYS`; empty when it is not that."""
        try:
            found = json.loads(self.get(name) or "{}")
            return {str(caller): [str(key) for key in keys] for caller, keys in found.items()}
        except (ValueError, AttributeError, TypeError):
            return {}

    def findings(self) -> Iterator[Finding]:
        """Whether the app accepts these settings, and which are still those of the example."""
        environ = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
        answer = subprocess.run(  # noqa: S603 -- the product's own check
            [sys.executable, "-c", _CHECK],
            cwd=REPOSITORY,
            env={**environ, **self.values},
            capture_output=True,
            text=True,
            check=False,
        )
        if answer.returncode:
            lines = [line.strip() for line in answer.stderr.strip().splitlines()]
            for line in lines[1:] if len(lines) > 1 else lines:
                yield wrong("setting", line, "local.settings.json.example says what each setting means.")
        else:
            yield ok("settings", f"the app accepts all {len(self.values)}")
        yield from self._left()

    def _left(self) -> Iterator[Finding]:
        """Values of the example that are still there, each with what the setting means."""
        example = json.loads((REPOSITORY / "local.settings.json.example").read_text(encoding="utf-8"))
        for name, value in self.values.items():
            if any(placeholder in value.lower() for placeholder in _PLACEHOLDERS):
                meaning = example["Meaning"].get(name, "The key that you got for this system.")
                yield wrong(name, "still has the value of the example", f"Set the real one: {meaning}")
