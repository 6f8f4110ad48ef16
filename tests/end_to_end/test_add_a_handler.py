"""docs/how-to/add-a-handler.md, applied to a copy of the app: the page's handler works, and the app knows it."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.repository import REPOSITORY

BLOCK = re.compile(r'```(?:python|text) title="(below )?([^"]+)"\n(.*?)```', re.DOTALL)
WORK_ON_A_LEAD = """
import asyncio, dataclasses, os
from integration.composition import build_services
from integration.dataverse import Row
from integration.systems import CustomerState
from integration.events.envelope import to_envelope
from integration.settings import Settings
from integration.worker.handlers.leads import LeadHandler
from integration.worker.registry import Handlers
from tests.builders import event
from tests.unit.integration.test_settings import environment
from tests.unit.integration.worker.memory_table import World


class Erp:
    sent = []

    async def put_customer(self, customer_id, customer, *, key, context):
        self.sent.append((customer_id, customer.name, key))
        return CustomerState(id=customer_id, number="C-7", status="active", source_version=customer.source_version)


services = build_services(Settings.from_environment(environment()))
lead = dataclasses.replace(event(), table="lead", message="Create")
assert isinstance(services.worker._handlers.of(lead), LeadHandler), "the app does not know the handler"

world = World.make()
world.worker._handlers = Handlers([LeadHandler(Erp())])
world.rows.rows[lead.record_id] = Row("leads", lead.record_id, {"companyname": "A", "emailaddress1": None}, "e", 3)
for _ in range(2):
    asyncio.run(world.worker.handle(to_envelope(lead)))
assert len(Erp.sent) == 1 and Erp.sent[0][:2] == (lead.record_id, "A"), Erp.sent
print("the ERP has", world.ledger.memory(lead.session_id).effect("erp-lead").answer["customerNumber"])
"""


def apply_page(app: Path) -> None:
    """Do to the copy in `app` what the page says: write its file, insert its lines."""
    page = (REPOSITORY / "docs" / "how-to" / "add-a-handler.md").read_text(encoding="utf-8")
    blocks = BLOCK.findall(page)
    assert [kind for kind, _, _ in blocks] == ["", "below ", "below ", "below "]
    edited = [app / "integration" / "composition.py", app / "integration" / "worker" / "mapping.py"]
    for kind, place, code in blocks:
        if not kind:
            (app / place).write_text(code, encoding="utf-8")
            continue
        anchor = f"{place}\n"
        (file,) = (it for it in edited if it.read_text(encoding="utf-8").count(anchor) == 1)
        file.write_text(file.read_text(encoding="utf-8").replace(anchor, f"{anchor}{code}"), encoding="utf-8")


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """A copy of the app that has the page's handler."""
    for name in ("integration", "tests"):
        shutil.copytree(
            REPOSITORY / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "node_modules")
        )
    shutil.copy(REPOSITORY / "local.settings.json.example", tmp_path)
    apply_page(tmp_path)
    return tmp_path


def test_the_pages_handler_makes_leads_erp_customers(app: Path) -> None:
    """A lead is brought to the ERP once, however often its event comes."""
    command = [sys.executable, "-c", WORK_ON_A_LEAD]
    done = subprocess.run(command, cwd=app, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603 -- above
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "the ERP has C-7"
