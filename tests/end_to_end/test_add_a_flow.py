"""docs/how-to/add-a-flow.md, applied to a copy of the app: the page's flow works, and the app knows it."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.repository import REPOSITORY

BLOCK = re.compile(r'```python title="([^"]+)"\n(.*?)```', re.DOTALL)
WORK_ON_A_LEAD = """
from integration.composition import build_services
from integration.flows import lead
from integration.settings import Settings
from tests.flow_kit import Answered, FlowKit, System
from tests.unit.integration.test_settings import environment

services = build_services(Settings.from_environment(environment()))
kit = FlowKit(lead.flow, erp=System(put_customer=Answered(number="C-7")))
assert services.worker._handlers.of(kit.event()).table == "lead", "the app does not know the flow"
kit.row(companyname="A")
print([kit.handle(message).state for message in ("Create", "Update")], kit.memory.effect("erp-lead").answer)
"""


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """A copy of the app that has the page's flow."""
    for name in ("integration", "tests"):
        shutil.copytree(
            REPOSITORY / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "node_modules")
        )
    shutil.copy(REPOSITORY / "local.settings.json.example", tmp_path)
    page = (REPOSITORY / "docs" / "how-to" / "add-a-flow.md").read_text(encoding="utf-8")
    for place, code in BLOCK.findall(page):
        (tmp_path / place).write_text(code, encoding="utf-8")
    return tmp_path


def test_the_pages_flow_makes_leads_erp_customers(app: Path) -> None:
    """A lead is brought to the ERP once, however often its event comes."""
    command = [sys.executable, "-c", WORK_ON_A_LEAD]
    done = subprocess.run(command, cwd=app, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603 -- above
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "['completed', 'superseded'] {'customerNumber': 'C-7'}"
