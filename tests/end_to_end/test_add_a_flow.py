"""docs/how-to/add-a-flow.md, done as printed in a copy of the repository, its failures included."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.repository import REPOSITORY

PAGE = "docs/how-to/add-a-flow.md"
BLOCK = re.compile(r'```(sh|python|text)(?: title="([^"]+)")?\n(.*?)```', re.DOTALL)
LEFT_OUT = shutil.ignore_patterns("__pycache__", "node_modules", ".venv", ".sandbox", ".git", "site", ".*_cache")


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the repository with the same virtual environment, and with what mypy knows of these files already."""
    root = tmp_path_factory.mktemp("copy") / "repository"
    shutil.copytree(REPOSITORY, root, ignore=LEFT_OUT)
    if (REPOSITORY / ".mypy_cache").exists():
        shutil.copytree(REPOSITORY / ".mypy_cache", root / ".mypy_cache")
    (root / ".venv").symlink_to(REPOSITORY / ".venv")
    (root / ".sandbox").mkdir()
    (root / ".sandbox" / "tools").symlink_to(REPOSITORY / ".sandbox" / "tools")
    (root.parent / "temporary").mkdir()
    return root


def run(root: Path, *command: str) -> tuple[int, str]:
    """A command in the copy: its exit status, and all that it says on one line."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "COV"))}
    done = subprocess.run(  # noqa: S603 -- what the page says
        command,
        cwd=root,
        env={
            **environment,
            "PYTHONPATH": str(root),
            "PYTHONDONTWRITEBYTECODE": "1",
            "TMPDIR": str(root.parent / "temporary"),
        },
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return done.returncode, " ".join((done.stdout + done.stderr).split())


def test_the_page_is_done_as_printed(copy: Path) -> None:
    """Commands succeed, files are written, what is wrong is refused; each says what the page shows."""
    blocks = BLOCK.findall((REPOSITORY / PAGE).read_text(encoding="utf-8"))
    assert [kind for kind, _, _ in blocks].count("sh") == 4
    said = ""
    for kind, title, content in blocks:
        if kind == "sh":
            status, said = run(copy, *content.replace("python3", sys.executable, 1).split())
            assert status == 0, said
        elif kind == "python" and title == "wrong":
            status, said = run(copy, sys.executable, "-c", content)
            assert status != 0, content
        elif kind == "python":
            (copy / title).write_text(content, encoding="utf-8")
        else:
            for line in content.splitlines():
                assert line in said, said


def test_what_the_page_leaves_is_well_formed_and_current(copy: Path) -> None:
    """Its files pass the checks that the repository's own do, and the pages are what the code gives."""
    files = ["integration/flows/new_visit.py", "tests/flows/test_new_visit.py"]
    for check in (["ruff", "check"], ["ruff", "format", "--check"], ["mypy"]):
        status, said = run(copy, sys.executable, "-m", *check, *files)
        assert status == 0, said
    status, said = run(copy, sys.executable, "-m", "documentation", "--no-site")
    assert status == 0, said


def test_the_sandbox_has_the_table_of_the_page(copy: Path) -> None:
    """With its columns, result columns and two rows; its steps are sent what the flow reads."""
    script = """
import json, tempfile
from pathlib import Path
from sandbox.running.registration import steps
from sandbox.systems.dataverse.__main__ import SCHEMA
from sandbox.systems.dataverse.access import Access
from sandbox.systems.dataverse.environment import Environment
from sandbox.systems.dataverse.roles import Roles
from sandbox.systems.dataverse.schema import Schema
from sandbox.systems.dataverse.seed import Seed
from sandbox.systems.dataverse.store import Store

schema = Schema.load(SCHEMA)
store = Store(Path(tempfile.mkdtemp()) / "dataverse.db")
environment = Environment()
roles = Roles(store, schema, environment, Access(store, environment))
Seed(store, schema, environment, roles, application=True).plant()
(update,) = [it for it in steps() if (it.table, it.message) == ("new_visit", "Update")]
print(len(list(store.rows("new_visit"))), "new_jobnumber" in schema["new_visit"].columns, update.filtering_attributes)
"""
    status, said = run(copy, sys.executable, "-c", script)
    assert status == 0, said
    attributes = ("new_accountid", "new_day", "new_fee", "new_kind", "new_name", "statecode", "transactioncurrencyid")
    assert said == f"2 True {attributes}"


EVENTS = REPOSITORY / "examples" / "business_events"


def put_in(copy: Path, example: Path) -> None:
    """A file of an example, as a flow of the app with its page."""
    text = example.read_text(encoding="utf-8").replace("examples.business_events", "integration.flows")
    (copy / "integration" / "flows" / example.name).write_text(text, encoding="utf-8")
    if not example.name.startswith("_"):
        page = f"# An example\n\n<!-- generated: flow-{example.stem} -->\n<!-- end -->\n"
        (copy / "docs" / "reference" / "flows" / f"{example.stem}.md").write_text(page, encoding="utf-8")


def test_the_sandbox_plays_the_page_and_two_examples_without_more_code(copy: Path) -> None:
    """A visit is created, facilities plan it, and its job number comes back; a shipment calls a custom API once.

    However often the ERP says so, and again with the same key where the answer was lost. A purchase at a point of sale
    and a payment of the ERP become business events: published through their custom APIs, which the catalog lists, they
    come back through the intake, and the loyalty programme counts the purchase once though its API was called twice.
    What the event of a call carries and its message cannot hold waits in Blob Storage, and is removed with its end.
    All with stand-ins.
    """
    put_in(copy, copy / "examples" / "shipment_to_custom_api" / "erp_shipment.py")
    for example in EVENTS.glob("[!t]*.py"):
        put_in(copy, example)
    with (copy / "dataverse.toml").open("a", encoding="utf-8") as declaration:
        declaration.write((EVENTS / "dataverse.toml").read_text("utf-8"))
    status, said = run(copy, sys.executable, "run.py", "docs", "--write", "--no-site")
    assert status == 0, said
    script = """
import json, tempfile
from pathlib import Path
import requests
from azure.storage.blob import BlobServiceClient
from sandbox.client import Client, eventually
from sandbox.machine.ports import Ports
from sandbox.running.sandbox import Sandbox
from sandbox.systems.dataverse.seed import ACCOUNTS, OPPORTUNITIES

settings = {"RETRY_FIRST_DELAY_SECONDS": "0.3", "OUTAGE_FIRST_PAUSE_SECONDS": "0.3"}
settings["MESSAGE_LIMIT_BYTES"] = "16384"
sandbox = Sandbox(Path(tempfile.mkdtemp()), Ports.free(), settings=settings)
try:
    reached = sandbox.start()
    client = Client(reached)
    columns = {"new_name": "Roof", "new_kind": 1, "new_AccountId@odata.bind": f"/accounts({next(iter(ACCOUNTS))})"}
    before = client.dataverse.last_event()
    visit = client.dataverse.create("new_visit", columns)
    status = client.app.wait_for(client.dataverse.event_id(visit, after=before, within=60), within=60)
    print(status["state"], status["detail"], client.dataverse.retrieve("new_visit", visit)["new_jobnumber"])

    order = next(iter(OPPORTUNITIES))
    before = client.dataverse.last_event()
    client.dataverse.win(order)
    client.app.wait_for(client.dataverse.event_id(order, after=before, within=60), within=60)
    client.erp.ship(order)
    ask = client.dataverse.ask
    [message] = ask("GET", "sdkmessages?$select=name&$filter=name eq 'new_ReportShipment'").json()["value"]
    [endpoint] = ask("GET", "serviceendpoints?$select=name").json()["value"]
    step = {"name": "calls", "stage": 40, "mode": 1, "rank": 1, "supporteddeployment": 0}
    step["eventhandler_serviceendpoint@odata.bind"] = f"/serviceendpoints({endpoint['serviceendpointid']})"
    step["sdkmessageid@odata.bind"] = f"/sdkmessages({message['sdkmessageid']})"
    ask("POST", "sdkmessageprocessingsteps", json=step)
    before = client.dataverse.last_event()
    client.dataverse.spare()
    client.dataverse.add_fault("POST .*new_ReportShipment", drop=True, after=True)
    for number in range(3):
        event = {"id": f"e-{number}", "record": order, "source": "test"}
        answer = client.app.post_erp_event("shipment-posted", event).json()
        print(client.app.wait_for(answer["eventId"], within=60)["state"])
    calls = [it["body"] for it in client.dataverse.events(after=before) if it["message"] == "new_ReportShipment"]
    parameters = [{it["key"]: it["value"] for it in call["InputParameters"]} for call in calls]
    tags = {it["value"] for call in calls for it in call["SharedVariables"] if it["key"] == "tag"}
    print(len(calls), tags, len({it["RepeatKey"] for it in parameters}), parameters[0]["Status"])

    at, head = "2026-11-27T10:00:00Z", {"X-Api-Key": reached.erp_key}
    bought = {"number": "P-1", "customer": "C-1", "total": "12.50", "currency": "EUR", "purchasedOn": at}
    paid = {"number": "V-1", "vendor": "Fabrikam", "amount": "90.00", "currency": "EUR", "postedOn": at}
    for system, path, body in (("pos", "purchases/P-1", bought), ("accounting", "payments/V-1", paid)):
        url = f"{reached.others[system]}/{path}"
        requests.put(url, json=body, headers={**head, "Idempotency-Key": path}, timeout=10).raise_for_status()
    client.dataverse.add_fault("POST .*new_CustomerPurchase", drop=True, after=True)
    for name, record, copies in (("customer-purchase", "P-1", 3), ("vendor-payment-posted", "V-1", 1)):
        for number in range(copies):
            answer = client.app.post_erp_event(name, {"id": f"{record}-{number}", "record": record, "source": "test"})
            print(client.app.wait_for(answer.json()["eventId"], within=60)["state"])

    names = {"new_CustomerPurchase", "new_VendorPaymentPosted"}

    def called_at(start):
        return lambda: next((it for it in client.dataverse.events(after=start) if it["attempts"]), None)

    def called():
        found = [it for it in client.dataverse.events(after=before) if it["message"] in names and it["attempts"]]
        return found if len(found) == 3 else None

    ended = []
    for it in eventually(called, within=60, what="three calls that were reported"):
        event_id = json.loads(it["attempts"][-1]["answer"])["eventId"]
        ended.append((it["message"], client.app.wait_for(event_id, within=60)["state"]))
    print(sorted(ended))
    ledger = requests.get(f"{client.others['loyalty'].url}/control/ledger?system=loyalty", timeout=10).json()
    print(len(ledger["effects"]), ledger["effects"][0]["path"])
    expand = "$expand=CatalogId($select=uniquename)&$select=name"
    listed = ask("GET", f"catalogassignments?{expand}").json()["value"]

    kept = BlobServiceClient.from_connection_string(reached.storage).get_container_client("claim-checks")
    client.others["loyalty"].add_fault("PUT .*P-9", status=503, times=1_000)
    before = client.dataverse.last_event()
    large = {"Number": "P-9", "Customer": "C" * 60_000, "Total": 12.5, "Currency": "EUR", "PurchasedOn": at}
    ask("POST", "new_CustomerPurchase", json=large)
    blob = eventually(lambda: kept.exists() and next(kept.list_blobs(), None), within=60, what="what the event carries")
    client.others["loyalty"].clear_faults()
    call = eventually(called_at(before), within=60, what="a call that was reported")
    event_id = json.loads(call["attempts"][-1]["answer"])["eventId"]
    print(client.app.wait_for(event_id, within=60)["state"], event_id in blob["name"], blob["size"] > 60_000)
    eventually(lambda: not list(kept.list_blobs()), within=20, what="an empty container")
    print(sorted((it["CatalogId"]["uniquename"], it["name"].split()[0]) for it in listed))
finally:
    sandbox.stop()
"""
    status, said = run(copy, sys.executable, "-c", script)
    assert status == 0, said
    assert "completed facilities has planned the visit FACILITIES-000001" in said, said
    assert "completed superseded superseded 2 {'dataverse-integration'} 1 shipped" in said, said
    purchases = "('new_CustomerPurchase', 'completed'), ('new_CustomerPurchase', 'superseded')"
    assert f"completed superseded superseded completed [{purchases}, ('new_VendorPaymentPosted', 'completed')]" in said
    assert "1 purchases/P-1" in said, said
    assert "completed True True" in said, said
    assert "[('new_Finance', 'new_VendorPaymentPosted'), ('new_Sales', 'new_CustomerPurchase')]" in said, said
