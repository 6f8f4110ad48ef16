"""Figures of the scenarios of `run.py chaos`, kept in docs/evidence."""

import json
import os
import platform
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sandbox.repository import REPOSITORY

FOLDER = REPOSITORY / "docs" / "evidence"
_CODE = ("function_app.py", "host.json", "infra/topology.json", "integration", "sandbox", "tests/chaos")
"""What a run depends on: changes of anything else do not make its figures those of another version."""


def version() -> dict[str, str]:
    """Which version is run, and where; asked for before a run, as files may change meanwhile.

    `app` is git's name for the content of `integration`; it stays the same where history is rewritten.
    """
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "commit": _git("rev-parse", "--short=12", "HEAD") + (" and changes" if _is_changed() else ""),
        "app": _git("rev-parse", "--short=12", "HEAD:integration"),
        "machine": f"{os.cpu_count()} CPUs, {platform.system()}, Python {platform.python_version()}",
    }


def keep(name: str, command: str, figures: Mapping[str, Any], *, of: Mapping[str, str], folder: Path = FOLDER) -> Path:
    """Write down with which command a run of the version `of` was made, and what came of it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    document = {**of, "command": command, "figures": dict(figures)}
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    return path


def _is_changed() -> bool:
    return bool(_git("status", "--porcelain", "--", *_CODE))


def _git(*arguments: str) -> str:
    asked = ["git", *arguments]
    return subprocess.run(asked, cwd=REPOSITORY, capture_output=True, text=True, check=False).stdout.strip()  # noqa: S603 -- git alone
