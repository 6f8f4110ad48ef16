"""`run.py ledger`: the commands as somebody types them, on Azurite."""

import argparse
import asyncio
import gzip
import json
import stat
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from azure.storage.blob import BlobServiceClient

from integration.analytics.row import Row
from integration.analytics.sinks.archive import ArchiveSink, batch_name
from integration.cli import access, ledger
from integration.cli.archive import blobs_about
from integration.clock import SystemClock
from integration.errors import ConfigurationError
from integration.events import IntegrationEvent
from integration.ledger import Ledger, State, rows
from integration.ledger.transfer import tables
from integration.tables import table_account
from integration.transport import Host, Limits, Transport
from tests.builders import event

NOW = datetime(2026, 11, 20, 19, 5, 2, tzinfo=UTC)


@pytest.fixture
def settings(storage: str, tmp_path: Path) -> Path:
    """A local.settings.json for Azurite."""
    path = tmp_path / "local.settings.json"
    path.write_text(json.dumps({"Values": {"AzureWebJobsStorage": storage, "ARCHIVE_CONTAINER": "archived"}}))
    return path


@pytest.fixture
async def filled(storage: str) -> AsyncIterator[Ledger]:
    """A ledger that holds what the test has put into it."""
    account = table_account(connection_string=storage, account_name=None)
    transport = Transport([Host(account.endpoint, limits=Limits(total=20))], clock=SystemClock())
    ledger = Ledger(account, transport, SystemClock())
    for name in await tables(ledger):
        await ledger.table(name).drop()
    yield ledger
    await ledger.close()
    await transport.aclose()


async def settled(ledger: Ledger) -> IntegrationEvent:
    it = event()
    await ledger.accept(it, urgent=True)
    ledger.status.put(rows.ended(it, State.COMPLETED, now=NOW, steps=(), published=True))
    await ledger.status.drain()
    await (await ledger.record(it.session_id)).write(lambda memory: memory.end(it.event_id, State.COMPLETED))
    return it


async def command(*words: object) -> int:
    """Type a command; its exit status. It has an event loop of its own, as a process has."""
    parser = argparse.ArgumentParser()
    ledger.arguments(parser)
    return await asyncio.to_thread(ledger.main, parser.parse_args([str(word) for word in words]))


@pytest.mark.parametrize("name", ["ledger.jsonl", "ledger.jsonl.gz"])
async def test_a_ledger_is_exported_lost_and_imported(
    filled: Ledger, settings: Path, tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The file has its name once it is whole, and only its owner can read it; importing it again changes nothing."""
    it, file = await settled(filled), tmp_path / name
    assert await command("export", file, "--settings", settings) == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert not file.with_name(name + ".unfinished").exists()
    text = gzip.decompress(file.read_bytes()) if name.endswith(".gz") else file.read_bytes()
    assert json.loads(text.splitlines()[-1]) == {"end": True, "entities": len(text.splitlines()) - 2}
    for table in await tables(filled):
        await filled.table(table).drop()
    assert await command("import", file, "--settings", settings) == 0
    found = await filled.read(it.event_id)
    assert found is not None
    assert found.state is State.COMPLETED
    capsys.readouterr()
    assert await command("import", file, "--settings", settings) == 0
    assert "0 entities written; 4 were there already" in capsys.readouterr().out


async def test_an_import_that_fails_says_where_to_go_on(
    filled: Ledger, settings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file that was cut short, and one that is packed and cut short."""
    await settled(filled)
    whole = tmp_path / "whole.jsonl"
    assert await command("export", whole, "--settings", settings) == 0
    short, packed = tmp_path / "short.jsonl", tmp_path / "short.jsonl.gz"
    short.write_text("".join(line + "\n" for line in whole.read_text().splitlines()[:-1]))
    packed.write_bytes(gzip.compress(whole.read_bytes())[:-20])
    assert await command("import", short, "--settings", settings) == 1
    said = capsys.readouterr().err
    assert "cut short" in said
    assert "--from-line 6" in said
    assert await command("import", packed, "--settings", settings) == 1
    assert "import failed" in capsys.readouterr().err
    assert await command("import", tmp_path / "missing.jsonl", "--settings", settings) == 1


async def test_erase_shows_first_and_erases_with_a_reason(
    filled: Ledger, settings: Path, storage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """And lists the files of the archive that name the record, which it leaves as they are."""
    it = await settled(filled)
    container = BlobServiceClient.from_connection_string(storage).get_container_client("archived")
    body = json.dumps({"id": it.event_id, "subject": it.session_id}).encode()
    row = Row.read("0", 7, NOW, body)
    await ArchiveSink(lambda: container).write([row])
    assert await command("erase", it.table, it.record_id, "--settings", settings) == 0
    said = capsys.readouterr().out
    assert "A record and 1 event(s)" in said
    assert f"archived/{batch_name([row])}.jsonl.gz" in said
    assert "Nothing was erased" in said
    assert "event hub" in said
    assert await filled.read(it.event_id) is not None
    upper = str(it.record_id).upper()
    assert await command("erase", it.table, upper, "--reason", "r", "--by", "me", "--settings", settings) == 0
    assert (
        "Erased: 1 records, 1 events, 2 indexes, 0 problems, 0 references, 0 exchanges, 0 contents, 0 old."
        in capsys.readouterr().out
    )
    assert await filled.read(it.event_id) is None


async def test_erase_refuses_while_an_event_is_under_way(
    filled: Ledger, settings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    it = event()
    await filled.accept(it)
    assert await command("erase", it.table, it.record_id, "--reason", "r", "--settings", settings) == 2
    assert it.event_id in capsys.readouterr().err
    assert await filled.read(it.event_id) is not None


async def test_rebuild_says_what_it_has_done(
    filled: Ledger, settings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await settled(filled)
    assert await command("rebuild", "--settings", settings) == 0
    assert "1 records, 0 dead letters, 1 events" in capsys.readouterr().out


def test_files_of_the_archive_are_found_by_the_lines_in_them(storage: str) -> None:
    """Also behind several others, in a file of several members, beside what is no JSON; other days are not read."""
    container = BlobServiceClient.from_connection_string(storage).create_container(f"c{uuid.uuid4().hex}")

    def put(name: str, *members: list[str]) -> None:
        packed = b"".join(gzip.compress("".join(line + "\n" for line in lines).encode()) for lines in members)
        container.upload_blob(name, packed)

    mine, other = '{"subject":"account:1"}', '{"subject":"account:12"}'
    put("date=2026-11-20/a.jsonl.gz", [other] * 1000, ["no json", "[]", mine])
    put("date=2026-11-20/b.jsonl.gz", [other, '{"unreadable":"account:1"}'])
    put("date=2026-11-21/c.jsonl.gz", [mine])
    put("date=2026-11-22/d.jsonl.gz", [mine])
    found = list(blobs_about(container, "account:1", ["2026-11-20", "2026-11-21"]))
    assert found == ["date=2026-11-20/a.jsonl.gz", "date=2026-11-21/c.jsonl.gz"]


def options(**given: Path | None) -> argparse.Namespace:
    return argparse.Namespace(**{"settings": None, "sandbox": None, **given})


def test_the_account_is_named_by_options_environment_or_settings_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In this order; the sandbox' own is in its endpoints.json."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "endpoints.json").write_text('{"storage": "of the sandbox"}')
    (tmp_path / "local.settings.json").write_text('{"Values": {"AzureWebJobsStorage": "of the file"}}')
    environ = {"AzureWebJobsStorage__accountName": "contoso", "ARCHIVE_CONTAINER": "c"}
    assert access.access(options(sandbox=tmp_path), environ).connection_string == "of the sandbox"
    named = access.access(options(), environ)
    assert (named.connection_string, named.account_name, named.container) == (None, "contoso", "c")
    assert access.access(options(settings=tmp_path / "local.settings.json"), environ).connection_string == "of the file"
    assert access.access(options(), {}).connection_string == "of the file"


def test_what_is_missing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what to do about it, and without any value."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigurationError, match="az login"):
        access.access(options(), {})
    with pytest.raises(ConfigurationError, match="Is the sandbox running"):
        access.access(options(sandbox=tmp_path), {})
    (tmp_path / "local.settings.json").write_text('{"Values": {}}')
    with pytest.raises(ConfigurationError, match="has neither AzureWebJobsStorage nor"):
        access.access(options(), {})


async def test_a_wrong_setting_ends_the_command_with_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No traceback."""
    settings = tmp_path / "local.settings.json"
    settings.write_text('{"Values": {"AzureWebJobsStorage": "nonsense"}}')
    assert await command("rebuild", "--settings", settings) == 1
    assert "rebuild failed: AzureWebJobsStorage" in capsys.readouterr().err
