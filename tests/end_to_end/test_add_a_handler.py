"""The page that tells how to add a handler, applied to a copy of the app and run."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.client import Client
from sandbox.machine.ports import Ports
from sandbox.repository import REPOSITORY
from sandbox.running.endpoints import Endpoints
from sandbox.running.sandbox import Sandbox
from tests.end_to_end.conftest import SETTINGS
from tests.end_to_end.journeys import Person, effects_of

BLOCK = re.compile(r"```(?:python|text) (file|after)=(.+?)\n(.*?)```", re.DOTALL)


def apply_page(app: Path) -> None:
    """Do to the copy in `app` what the page says: write its file, insert its lines."""
    page = (REPOSITORY / "docs" / "add-a-handler.md").read_text(encoding="utf-8")
    blocks = BLOCK.findall(page)
    assert [kind for kind, _, _ in blocks] == ["file", "after", "after"]
    composition = app / "integration" / "composition.py"
    for kind, place, code in blocks:
        if kind == "file":
            (app / place).write_text(code, encoding="utf-8")
        else:
            anchor = place.strip('"')
            text = composition.read_text(encoding="utf-8")
            assert text.count(anchor + "\n") == 1, f"the page's anchor is not in the composition root once: {anchor}"
            composition.write_text(text.replace(anchor + "\n", f"{anchor}\n{code}"), encoding="utf-8")


@pytest.fixture
def extended(tmp_path: Path) -> Iterator[Client]:
    """A sandbox whose app has the page's handler."""
    app = tmp_path / "app"
    shutil.copytree(REPOSITORY / "integration", app / "integration", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("function_app.py", "host.json"):
        shutil.copy(REPOSITORY / name, app / name)
    apply_page(app)
    sandbox = Sandbox(tmp_path / "state", Ports.free(), app=app, settings=SETTINGS)
    endpoints: Endpoints = sandbox.start()
    yield Client(endpoints)
    sandbox.stop()


def test_the_pages_handler_makes_contacts_erp_customers(extended: Client) -> None:
    """A contact's change goes the way that accounts go."""
    contact, event_id = Person(extended).create("contact", {"firstname": "Ada", "lastname": "Fischer"})
    assert extended.app.wait_for(event_id)["state"] == "completed"
    assert effects_of(extended, contact) == ["customer-created"]
    assert extended.dataverse.retrieve("contact", contact)["new_erpnumber"].startswith("C-")
