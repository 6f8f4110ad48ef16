"""Figures of the forms of `run.py chaos`, kept in docs/evidence."""

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


def keep(name: str, command: str, figures: Mapping[str, Any], *, folder: Path = FOLDER) -> Path:
    """Write down when, at which commit, where and with which command a run was made, and what came of it.

    `app` is git's name for the content of `integration` at that commit; it stays the same where history is rewritten.
    """
    evidence = {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "commit": _git("rev-parse", "--short=12", "HEAD") + (" and changes" if _is_changed() else ""),
        "app": _git("rev-parse", "--short=12", "HEAD:integration"),
        "machine": f"{os.cpu_count()} CPUs, {platform.system()}, Python {platform.python_version()}",
        "command": command,
        "figures": dict(figures),
    }
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    path.write_text(json.dumps(evidence, indent=2) + "\n", encoding="utf-8")
    return path


def _is_changed() -> bool:
    return bool(_git("status", "--porcelain", "--", *_CODE))


def _git(*arguments: str) -> str:
    asked = ["git", *arguments]
    return subprocess.run(asked, cwd=REPOSITORY, capture_output=True, text=True, check=False).stdout.strip()  # noqa: S603 -- git alone
