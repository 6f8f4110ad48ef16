"""Figures of the long runs, kept in docs/evidence when `run.py chaos` has asked for that."""

import json
import os
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sandbox.repository import REPOSITORY

FOLDER = "CHAOS_EVIDENCE"
"""The environment variable that names the folder; without it nothing is written."""


def keep(name: str, command: str, figures: Mapping[str, Any]) -> None:
    """Write when, at which commit and with which command a run was made, and what came of it."""
    folder = os.environ.get(FOLDER)
    if not folder:
        return
    asked = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
    commit = subprocess.run(asked, cwd=REPOSITORY, capture_output=True, text=True, check=False).stdout.strip()  # noqa: S603 -- git alone
    evidence = {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "commit": commit,
        "command": command,
        "figures": dict(figures),
    }
    path = Path(folder) / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(evidence, indent=2) + "\n", encoding="utf-8")
