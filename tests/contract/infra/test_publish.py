"""publish.sh repeats what a role that is not yet known everywhere has refused, and gives up in the end."""

import os
import subprocess
from pathlib import Path

import pytest

from sandbox.repository import REPOSITORY

AZ = """#!/usr/bin/env bash
echo "$*" >> "$CALLS"
[ "$(wc -l < "$CALLS")" -ge "$SUCCEEDS_AT" ]
"""


@pytest.mark.parametrize(("succeeds_at", "status", "calls"), [(1, 0, 1), (3, 0, 3), (4, 1, 3)])
def test_three_attempts(tmp_path: Path, succeeds_at: int, status: int, calls: int) -> None:
    """A program that fails so many times stands for az, another for the minute between attempts."""
    for name, content in (("az", AZ), ("sleep", "#!/usr/bin/env bash\n")):
        (tmp_path / name).write_text(content, encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    record = tmp_path / "calls"
    record.touch()
    done = subprocess.run(  # noqa: S603 -- our own script
        [str(REPOSITORY / "infra" / "publish.sh"), "group", "app", "app.zip"],
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}", "CALLS": str(record), "SUCCEEDS_AT": str(succeeds_at)},
        capture_output=True,
        check=False,
    )
    made = record.read_text(encoding="utf-8").splitlines()
    assert (done.returncode, len(made)) == (status, calls)
    assert "config-zip --resource-group group --name app --src app.zip --build-remote true" in made[0]
