"""The ledger of a running sandbox: copied, restored and erased from, and its nightly retention in the host."""

import subprocess
import sys
from pathlib import Path

import pytest
import requests

from sandbox.client import Client, eventually
from sandbox.machine.ports import LOOPBACK
from sandbox.repository import REPOSITORY
from sandbox.running.sandbox import Sandbox
from tests.end_to_end.journeys import Person


def ledger(sandbox: Sandbox, *words: str) -> str:
    """What `run.py ledger ...` prints; it must succeed."""
    command = [sys.executable, "-m", "integration.cli.ledger", *words, "--sandbox", str(sandbox.state.root)]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=120, check=False)  # noqa: S603 -- ours
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_what_happened_to_an_account_is_copied_erased_and_restored(
    client: Client, sandbox: Sandbox, tmp_path: Path
) -> None:
    """By the record that it was known under; the archive's files about it are named."""
    person = Person(client)
    account, event_id = person.create("account", {"name": "Forget me"})
    eventually(
        lambda: "file(s) of the archive" in ledger(sandbox, "erase", "account", account), within=30, what="the archive"
    )
    file = str(tmp_path / "ledger.jsonl.gz")
    assert "entities in" in ledger(sandbox, "export", file)
    said = ledger(sandbox, "erase", "account", account, "--reason", "a test")
    assert "Erased: 1 records, 1 events" in said
    assert "date=" in said
    assert client.app.operation(event_id) is None
    assert "0 entities written" not in ledger(sandbox, "import", file)
    restored = client.app.operation(event_id)
    assert restored is not None
    assert restored["state"] == "completed"
    assert "Done" in ledger(sandbox, "rebuild")
    client.dataverse.update("account", account, {"telephone1": "1"})
    client.app.wait_for(client.dataverse.event_id(account))


@pytest.mark.parametrize(
    ("function", "said"), [("ledger_retention", "retention-finished"), ("ledger_copy", "ledger-copied")]
)
def test_what_a_timer_does_runs_in_the_host(sandbox: Sandbox, function: str, said: str) -> None:
    """The timer is bound, and what it calls comes to its end."""
    address = f"http://{LOOPBACK}:{sandbox.ports.events_host}/admin/functions/{function}"
    assert requests.post(address, json={}, timeout=10).status_code == 202
    log = sandbox.processes.log("host-events")
    eventually(lambda: said in log.read_text(encoding="utf-8"), within=30, what=function)
