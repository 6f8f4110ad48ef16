"""publish.sh repeats what a role that is not yet known everywhere has refused, nothing else, and not for ever."""

import os
import subprocess
from pathlib import Path

import pytest

from sandbox.repository import REPOSITORY

AZ = """#!/usr/bin/env bash
if [ "$1" = version ]; then echo "$VERSION"; exit; fi
echo "$*" >> "$CALLS"
[ "$(wc -l < "$CALLS")" -ge "$SUCCEEDS_AT" ] && exit
echo "ERROR: $COMPLAINT" >&2
exit "$STATUS"
"""
REFUSED = "Operation returned an invalid status 'Forbidden'. Status code: 403"


def publish(
    tmp_path: Path, *, succeeds_at: int, version: str = "2.87.0", complaint: str = REFUSED, status: int = 1
) -> tuple[int, list[str], str]:
    """Status, calls and complaints; one program stands for az, another for the minute between attempts."""
    for name, content in (("az", AZ), ("sleep", "#!/usr/bin/env bash\n")):
        (tmp_path / name).write_text(content, encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    record = tmp_path / "calls"
    record.touch()
    done = subprocess.run(  # noqa: S603 -- our own script
        [str(REPOSITORY / "infra" / "publish.sh"), "group", "app", "app.zip"],
        env={
            "PATH": f"{tmp_path}:{os.environ['PATH']}",
            "CALLS": str(record),
            "SUCCEEDS_AT": str(succeeds_at),
            "VERSION": version,
            "COMPLAINT": complaint,
            "STATUS": str(status),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, record.read_text(encoding="utf-8").splitlines(), done.stderr


@pytest.mark.parametrize(("succeeds_at", "status", "calls"), [(1, 0, 1), (3, 0, 3), (4, 1, 3)])
def test_three_attempts(tmp_path: Path, succeeds_at: int, status: int, calls: int) -> None:
    """What is refused is tried three times in all."""
    returned, made, _ = publish(tmp_path, succeeds_at=succeeds_at)
    assert (returned, len(made)) == (status, calls)
    assert "config-zip --resource-group group --name app --src app.zip --build-remote true" in made[0]


@pytest.mark.parametrize(("version", "status"), [("2.86.0", 2), ("2.9.1", 2), ("2.100.0", 0), ("3.0.0", 0)])
def test_an_az_that_would_hang_is_refused(tmp_path: Path, version: str, status: int) -> None:
    """Before anything is uploaded, with the version that is needed and how to get it."""
    returned, made, complaint = publish(tmp_path, succeeds_at=1, version=version)
    assert returned == status
    assert bool(made) == (status == 0)
    assert ("az upgrade" in complaint) == (status == 2)


@pytest.mark.parametrize(
    "complaint",
    [
        "The remote build failed: no matching distribution",
        "Deployment was successful but the app appears to be unhealthy (403)",
        "request id 12403445 failed with 500",
    ],
)
def test_what_another_attempt_does_not_mend_is_not_repeated(tmp_path: Path, complaint: str) -> None:
    """Each upload restarts the app, so a failed build or an app that does not start is uploaded once."""
    returned, made, said = publish(tmp_path, succeeds_at=9, complaint=complaint)
    assert (returned, len(made)) == (1, 1)
    assert complaint in said
    assert "not repeated" in said


@pytest.mark.parametrize("ended", [124, 137])
def test_an_az_that_does_not_come_back_is_ended(tmp_path: Path, ended: int) -> None:
    """It runs under `timeout`, whose status says that the time was up; nothing is uploaded again."""
    returned, made, said = publish(tmp_path, succeeds_at=9, status=ended)
    assert (returned, len(made)) == (1, 1)
    assert "had not finished after 20 minutes" in said


def test_publishing_is_bounded_in_time(tmp_path: Path) -> None:
    """What the script hands to `timeout`: twenty minutes, then half a minute until az is killed."""
    record = tmp_path / "limits"
    (tmp_path / "timeout").write_text(f'#!/usr/bin/env bash\necho "$1 $2 $3" >> {record}\nexit 0\n', encoding="utf-8")
    (tmp_path / "timeout").chmod(0o755)
    assert publish(tmp_path, succeeds_at=1)[0] == 0
    assert record.read_text(encoding="utf-8") == "--kill-after=30 20m az\n"
