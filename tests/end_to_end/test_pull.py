"""What no webhook has brought: pulled by change tracking, and found by a reconciliation, in the whole running app."""

import argparse
import asyncio
import uuid
from datetime import UTC, datetime, timedelta
from types import ModuleType

import pytest
from azure.storage.blob import BlobServiceClient, ContainerSasPermissions, generate_container_sas

from integration.cli import load
from integration.cli import reconcile as command
from integration.composition.services import build_services
from integration.settings import Settings
from sandbox.client import Client, eventually
from sandbox.commands import analytics
from sandbox.running.endpoints import Endpoints
from sandbox.running.sandbox import Sandbox
from tests.end_to_end.journeys import Person, effects_of


def silently(client: Client, name: str) -> str:
    """An account of which no step sends an event, as an import that bypasses custom logic makes it."""
    return client.dataverse.create("account", {"name": name}, silent=True)


def in_erp(client: Client, row_id: str) -> None:
    eventually(lambda: bool(effects_of(client, row_id)), within=30, what=f"customer {row_id} in the ERP")


def run(of: ModuleType, sandbox: Sandbox, *words: str) -> int:
    """A command against the sandbox; its exit status."""
    parser = argparse.ArgumentParser()
    of.arguments(parser)
    return int(of.main(parser.parse_args([*words, "--sandbox", str(sandbox.state.root)])))


def test_what_no_webhook_has_brought_is_pulled_and_the_rest_is_left_alone(sandbox: Sandbox, client: Client) -> None:
    """By the app's own services in this process; the worker of the running app does what is queued."""
    began = datetime.now(UTC) - timedelta(minutes=1)

    async def pull() -> None:
        settings = Settings.from_environment({**sandbox.app_settings, "CHANGE_TRACKING": "true"})
        changes = build_services(settings).changes
        assert changes is not None
        await changes.run()

    asyncio.run(pull())
    brought, _ = Person(client).create("account", {"name": "Brought"})
    silent = silently(client, "Silent")
    asyncio.run(pull())

    in_erp(client, silent)
    event_id = eventually(lambda: client.app.newest_event("account", silent, since=began), within=30, what="its event")
    assert "change tracking" in client.app.wait_for(str(event_id))["cause"]
    assert len(client.app.listed("events", table="account", record_id=brought)["events"]) == 1


def test_a_reconciliation_finds_heals_and_then_finds_nothing(
    sandbox: Sandbox, client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    silent = silently(client, "Lost")
    since = datetime.fromisoformat(client.dataverse.retrieve("account", silent)["modifiedon"])
    window = ["account", "--since", since.isoformat(), "--until", (since + timedelta(seconds=1)).isoformat()]

    def reconcile(*words: str) -> tuple[int, str]:
        code = run(command, sandbox, *window, *words)
        return code, "".join(capsys.readouterr())

    code, said = reconcile("--systems")
    assert (code, silent in said, "1 never-accepted" in said) == (command.DIFFERENT, True, True), said
    code, said = reconcile("--heal")
    assert (code, "Say why" in said) == (2, True), said
    code, said = reconcile("--heal", "--why", "steps were bypassed")
    assert (code, "1 events queued" in said) == (0, True), said
    in_erp(client, silent)
    assert client.app.audit()[0]["what"] == "reconcile"
    eventually(lambda: silent not in reconcile()[1], within=30, what="a reconciliation without this row")


@pytest.mark.parametrize("layout", ["intervals", "delta"])
def test_what_synapse_link_has_exported_is_reconciled_in_place_of_reading_dataverse(
    sandbox: Sandbox, client: Client, endpoints: Endpoints, capsys: pytest.CaptureFixture[str], layout: str
) -> None:
    """Through Azurite: a text with a line feed, a deletion, and an interval that is still being written."""
    container = f"dataverse-{uuid.uuid4().hex[:8]}"

    def export(*, finished: bool = True) -> str:
        return client.dataverse.export(endpoints.storage, container, "account", layout=layout, finished=finished)

    deleted, _ = Person(client).create("account", {"name": "Deleted"})
    export()
    silent = silently(client, 'Lost "Ltd",\nGraz')
    client.dataverse.delete("account", deleted, silent=True)
    since = datetime.strptime(export(), "%Y-%m-%dT%H.%M.%SZ").replace(tzinfo=UTC) - timedelta(seconds=30)
    unfinished = silently(client, "Not exported yet")
    if layout == "intervals":
        export(finished=False)
    place, until = readable(endpoints, container), datetime.now(UTC) + timedelta(hours=1)
    words = ["account", "--since", since.isoformat(), "--until", until.isoformat(), "--from-export", place]

    def reconcile(*more: str) -> tuple[int, str]:
        code = run(command, sandbox, *words, *more)
        return code, "".join(capsys.readouterr())

    code, said = reconcile()
    assert code == command.DIFFERENT, said
    assert f"{silent}  never-accepted" in said
    assert f"{deleted}  deleted" in said
    assert unfinished not in said
    code, said = reconcile("--heal", "--why", "steps were bypassed")
    assert code == 0, said
    in_erp(client, silent)

    def healed() -> bool:
        _, said = reconcile()
        return silent not in said and deleted not in said

    eventually(healed, within=30, what="a reconciliation without these rows")


def test_rows_of_an_export_are_shown_with_the_events_that_have_brought_them(
    sandbox: Sandbox, client: Client, endpoints: Endpoints, capsys: pytest.CaptureFixture[str]
) -> None:
    """The archive of the sandbox beside a copy of the table in its storage account, as a Data Factory makes it."""
    container = f"dataverse-{uuid.uuid4().hex[:8]}"
    brought, silent = Person(client).create("account", {"name": "Brought"})[0], silently(client, "Lost")
    client.dataverse.export(endpoints.storage, container, "account", layout="parquet")
    question = "SELECT record_id, brought IS NULL AS lost FROM exported"
    parser = argparse.ArgumentParser()
    analytics.arguments(parser)
    words = ["--export", readable(endpoints, container), "--table", "account", "--sql", question]
    options = parser.parse_args([*words, "--state", str(sandbox.state.root)])

    def shown() -> dict[str, str]:
        assert analytics.main(options) == 0
        lines = (line.split() for line in capsys.readouterr().out.splitlines())
        return {line[0]: line[1] for line in lines if len(line) == 2}

    wanted = {brought: "False", silent: "True"}
    eventually(lambda: shown().items() >= wanted.items(), within=60, what="the event in the archive")


def readable(endpoints: Endpoints, container: str) -> str:
    """The address of a container of the sandbox, with a signature that lets it be read."""
    account = BlobServiceClient.from_connection_string(endpoints.storage)
    signature = generate_container_sas(
        str(account.account_name),
        container,
        account_key=account.credential.account_key,
        permission=ContainerSasPermissions(read=True, list=True),
        expiry=datetime.now(UTC) + timedelta(hours=1),
    )
    return f"{account.url}{container}?{signature}"


def test_rows_are_loaded_through_their_flow_and_the_second_time_they_are_known(
    sandbox: Sandbox, client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    name = f"Old {uuid.uuid4().hex[:8]}"
    rows = [silently(client, f"{name} {number}") for number in range(3)]
    which = ["account", "--where", f"startswith(name,'{name}')", "--rate", "100"]

    assert run(load, sandbox, *which, "--dry-run") == 0
    assert "3 rows" in capsys.readouterr().out
    assert run(load, sandbox, *which) == 2
    assert "Say why" in capsys.readouterr().err
    assert run(load, sandbox, *which, "--why", "the first load") == 0
    assert "3 rows were read: 3 queued, 0 known" in capsys.readouterr().out
    for row_id in rows:
        in_erp(client, row_id)

    def known() -> bool:
        run(load, sandbox, *which, "--why", "once more")
        return "0 queued, 3 known" in capsys.readouterr().out

    eventually(known, within=30, what="a load that finds all rows known")
