"""A local.settings.json with which `func start` runs the app against the stand-ins of a sandbox."""

import json
import os
from pathlib import Path

from sandbox.running.sandbox import Sandbox
from sandbox.terminal.words import place


class SettingsFileExistsError(Exception):
    """There is such a file already, and it may hold somebody's own settings."""


def check(path: Path, *, force: bool) -> None:
    """Raise `SettingsFileExistsError` where the file exists, unless it may be overwritten."""
    if path.exists() and not force:
        raise SettingsFileExistsError(
            f"{place(path.absolute())} exists. Add --force to overwrite it, or name another file."
        )


def write(path: Path, sandbox: Sandbox) -> None:
    """Write the file, readable by its owner only: it holds keys."""
    document = {
        "IsEncrypted": False,
        "Values": sandbox.app_settings,
        "Host": {"LocalHttpPort": sandbox.ports.functions},
    }
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(document, file, indent=2)
        file.write("\n")
