"""Rows of Dataverse, as an export has them, beside the events that have brought them."""

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from integration.analytics.row import Row
from integration.analytics.sinks.archive import ArchiveSink
from integration.ledger import State
from integration.worker.settled import encoded, settled_document
from sandbox.analytics.opened import QUESTIONS_OF_AN_EXPORT
from sandbox.commands import analytics
from sandbox.commands.catalogue import COMMANDS
from sandbox.commands.here import CommandError
from tests.builders import event
from tests.memory_container import MemoryContainer

AT = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
TWICE, LATE, DEAD, GONE, LOST, NEVER = (f"{number}0000000-0000-0000-0000-000000000000" for number in range(1, 7))
COLUMNS = ("Id", "SinkModifiedOn", "modifiedon", "versionnumber", "IsDelete")


def row(number: int, record_id: str, minutes: float, message: str = "Update", state: State = State.COMPLETED) -> Row:
    """An event of this record that has ended so many minutes after the beginning."""
    one = replace(event(), event_id=f"e{number}", table="account", record_id=record_id, message=message)
    at = AT + timedelta(minutes=minutes)
    return Row.read("0", number, at, encoded(settled_document(one, state, at=at)))


def line(record_id: str, version: int, minutes: float) -> str:
    """A row of an export, changed so many minutes after the beginning."""
    return f"{record_id},,{(AT + timedelta(minutes=minutes)).isoformat()},{version},False\n"


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    events = [
        row(0, TWICE, 1),
        row(1, TWICE, 12),
        row(2, LATE, 1),
        row(3, DEAD, 5, state=State.DEAD_LETTERED),
        row(4, GONE, 1, "Delete"),
        row(5, LOST, 1),
    ]
    container = MemoryContainer()
    asyncio.run(ArchiveSink(container).write(events))
    for name, content in container.blobs.items():
        path = tmp_path / "archive" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return tmp_path / "archive"


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    """An older version of a row comes once more; the deletions are noticed an hour later."""
    folder = tmp_path / "lake"
    (folder / "account").mkdir(parents=True)
    entity = {"name": "account", "attributes": [{"name": it} for it in COLUMNS]}
    (folder / "model.json").write_text(json.dumps({"name": "cdm", "entities": [entity]}))
    lines = [line(TWICE, 5, 0), line(TWICE, 7, 10), line(TWICE, 5, 0), line(LATE, 3, 30), line(DEAD, 3, 0)]
    lines += [line(NEVER, 1, 20), *(f"{it},{(AT + timedelta(hours=1)).isoformat()},,,True\n" for it in (GONE, LOST))]
    (folder / "account/2026.csv").write_text("".join(lines))
    return folder


def run(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    parser = next(it for it in COMMANDS if it.name == "analytics").parser()
    assert analytics.main(parser.parse_args(list(words))) == 0
    return capsys.readouterr().out


def test_each_row_has_its_last_event_and_when_its_last_change_was_brought(
    archive: Path, lake: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not by an event that ended before the change, nor by a dead letter; a deletion only by the event of one."""
    question = "SELECT record_id, version, deleted, state, minute(brought) AS brought FROM exported ORDER BY record_id"
    said = run(capsys, "--files", str(archive), "--export", str(lake), "--sql", question)
    assert [it.split() for it in said.splitlines() if "0000-0000" in it] == [
        [TWICE, "7", "False", "completed", "42"],
        [LATE, "3", "False", "completed"],
        [DEAD, "3", "False", "dead-lettered"],
        [GONE, "0", "True", "completed", "31"],
        [LOST, "0", "True", "completed"],
        [NEVER, "1", "False"],
    ]


def test_the_figures_say_what_was_brought_and_how_long_it_took(
    archive: Path, lake: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = run(capsys, "--files", str(archive), "--export", str(lake))
    shown = [it.split() for it in said.splitlines()]
    assert ["account", "4", "completed", "2"] in shown
    assert ["account", "1", "no", "event", "0"] in shown
    assert ["account", "4", "1", "1", "2026-11-20", "09:30:00+00:00"] in shown
    assert ["account", "1", "120.0", "120.0", "120.0"] in shown
    assert all(title in said for title in QUESTIONS_OF_AN_EXPORT)


def test_a_table_that_an_export_does_not_have_is_left_out_unless_it_was_named(
    archive: Path, lake: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (lake / "model.json").write_text(json.dumps({"name": "cdm", "entities": [{"name": "contact"}]}))
    words = ["--files", str(archive), "--export", str(lake)]
    assert "has no table account; it has contact" in run(capsys, *words)
    parser = next(it for it in COMMANDS if it.name == "analytics").parser()
    with pytest.raises(CommandError, match="has no table account"):
        analytics.main(parser.parse_args([*words, "--table", "account"]))
    (lake / "model.json").write_text("{")
    with pytest.raises(CommandError, match=r"is no model\.json"):
        analytics.main(parser.parse_args(words))
