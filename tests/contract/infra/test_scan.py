"""What static scanners read is what is deployed, and what they need not ask has a reason."""

import json
import re
import subprocess
import sys
from pathlib import Path

from sandbox.repository import REPOSITORY
from tests.contract.infra.bicep import ENVIRONMENTS, INFRA, Expansion


def test_scanners_read_what_is_deployed(tmp_path: Path) -> None:
    """A template for each environment, with every resource of its expansion and nothing that only we write."""
    command = [sys.executable, str(INFRA / "as_arm.py"), str(tmp_path)]
    subprocess.run(command, check=True)  # noqa: S603 -- our own script
    assert {path.stem for path in tmp_path.glob("*.json")} == set(ENVIRONMENTS)
    for name in ENVIRONMENTS:
        resources = json.loads((tmp_path / f"{name}.json").read_text(encoding="utf-8"))["resources"]
        expected = Expansion.golden(name).resources
        assert [(it["type"], it["name"]) for it in resources] == [(it["type"], it["name"]) for it in expected]
        assert not any({"id", "module"} & it.keys() for it in resources)


def test_each_check_that_is_left_out_has_a_reason() -> None:
    """A comment stands above each group of them, none is named twice, and the scan reads this list."""
    text = (INFRA / "checkov.yaml").read_text(encoding="utf-8")
    skipped = re.findall(r"CKV_AZURE_\d+", text)
    assert skipped
    assert len(set(skipped)) == len(skipped)
    assert re.search(r"skip-check:\n  # ", text)
    assert "--config-file infra/checkov.yaml" in (REPOSITORY / ".ci" / "scan").read_text(encoding="utf-8")
