"""What continuous integration does with the test command's exit status."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from sandbox.commands.test import CHECKS_FAILED
from sandbox.repository import REPOSITORY

FIRST, AGAIN = "run.py test", "run.py test --last-failed --last-failed-no-failures none"


@pytest.mark.parametrize(
    ("answers", "runs", "status"),
    [
        pytest.param([0], [FIRST], 0, id="all pass"),
        pytest.param([1, 0], [FIRST, AGAIN], 0, id="what failed passes by itself"),
        pytest.param([1, 1], [FIRST, AGAIN], 1, id="what failed fails again"),
        pytest.param([CHECKS_FAILED], [FIRST], CHECKS_FAILED, id="a check fails"),
        pytest.param([2], [FIRST], 2, id="interrupted or not installed"),
    ],
)
def test_only_tests_that_fail_are_run_once_more(
    tmp_path: Path, answers: list[int], runs: list[str], status: int
) -> None:
    """A check that fails, or an installation that does, is not repeated: it would only hide something."""
    (tmp_path / ".ci").mkdir()
    shutil.copy(REPOSITORY / ".ci/run", tmp_path / ".ci/run")
    stand_in = tmp_path / "python3"
    stand_in.write_text(
        "#!/usr/bin/env bash\n"
        f'echo "$*" >> {tmp_path}/runs\n'
        f"statuses=({' '.join(map(str, answers))})\n"
        f"exit ${{statuses[$(wc -l < {tmp_path}/runs) - 1]}}\n"
    )
    stand_in.chmod(0o755)
    environ = {**os.environ, "CHROMIUM": "here", "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    script = (tmp_path / ".ci/run",)
    done = subprocess.run(script, env=environ, check=False, capture_output=True, text=True)  # noqa: S603 -- our own

    assert (tmp_path / "runs").read_text().splitlines() == runs
    assert done.returncode == status
    assert ("need mending" in done.stdout) == (len(runs) > 1)
