"""The views and figures over the archive, the lake and the Delta table: the same, whichever of them is read."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from integration.analytics.delta_table import OpenTable
from integration.analytics.row import Row
from integration.analytics.sink import Sink
from integration.analytics.sinks.archive import ArchiveSink
from integration.analytics.sinks.delta import DeltaSink
from integration.analytics.sinks.lake import LakeSink
from integration.ledger import State
from integration.worker.settled import encoded, settled_document
from sandbox.analytics.opened import QUESTIONS, NothingFoundError, Opened
from sandbox.analytics.pictures import bars
from sandbox.commands import analytics
from sandbox.commands.catalogue import COMMANDS
from sandbox.commands.here import CommandError
from tests.builders import event
from tests.memory_container import MemoryContainer

AT = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


def row(number: int, event_id: str, state: State, minutes: float, reason: str | None = None) -> Row:
    one = replace(event(), event_id=event_id, accepted_time=AT)
    at = AT + timedelta(minutes=minutes)
    return Row.read("0", number, at, encoded(settled_document(one, state, at=at, reason=reason)))


ROWS = [
    row(0, "a", State.COMPLETED, 1),
    row(1, "b", State.DEAD_LETTERED, 2, "erp-rejected"),
    row(2, "c", State.COMPLETED, 3),
    row(3, "d", State.DEAD_LETTERED, 40, "erp-rejected"),
    row(4, "b", State.RESOLVED, 50),
]


def delta(folder: Path) -> Sink:
    return DeltaSink(OpenTable(str(folder), dict), hub="hub")


@pytest.fixture(params=[ArchiveSink, LakeSink, delta])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The files of a sink that was given some rows twice, in other batches."""
    container = MemoryContainer()
    make: Callable[[Any], Sink] = request.param
    sink = make(tmp_path if make is delta else container)
    for batch in (ROWS[:3], ROWS[1:], [Row.read("0", 5, AT, b"no json")]):
        asyncio.run(sink.write(batch))
    for name, content in container.blobs.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    return tmp_path


def test_the_figures_count_each_event_once_and_by_how_it_ended(folder: Path) -> None:
    """A dead letter that was resolved is no failure any more; what was delivered twice is one row."""
    with Opened.of_folder(folder) as opened:
        hours, latency, failures = (opened.ask(title, query).rows for title, query in QUESTIONS.items())
        assert opened.ask("", "SELECT count(*) FROM rows").rows == [(5,)]
    assert hours == [("2026-11-20 09:00", 2, 0), ("2026-11-20 10:00", 2, 1)]
    assert latency == [("opportunity", 2, 120.0, 174.0, 180.0)]
    assert failures == [("erp-rejected", 1)]


def test_the_command_shows_and_draws_what_is_in_files(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pictures = folder / "pictures"
    parser = next(it for it in COMMANDS if it.name == "analytics").parser()
    assert analytics.main(parser.parse_args(["--files", str(folder), "--pictures", str(pictures)])) == 0
    said = capsys.readouterr().out
    assert "erp-rejected" in said
    assert sorted(path.name for path in pictures.iterdir()) == [
        "events-by-hour.svg",
        "failures-by-cause.svg",
        "latency-in-seconds.svg",
    ]
    assert analytics.main(parser.parse_args(["--files", str(folder), "--sql", "SELECT 41 + count(*) FROM events"])) == 0
    assert "45" in capsys.readouterr().out
    with pytest.raises(CommandError, match="DuckDB: "):
        analytics.main(parser.parse_args(["--files", str(folder), "--sql", "SELECT nothing FROM nowhere"]))


def test_a_picture_has_a_bar_for_each_row_and_no_markup_of_its_texts(folder: Path) -> None:
    with Opened.of_folder(folder) as opened:
        drawn = bars(opened.ask("a <b>", "SELECT '<i>' AS name, 3 AS events UNION ALL SELECT 'x', 0"))
    assert (drawn.count("<rect"), "<i>" in drawn, "&lt;i&gt;" in drawn, "a &lt;b&gt;" in drawn) == (
        2,
        False,
        True,
        True,
    )


def test_a_folder_without_files_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(NothingFoundError):
        Opened.of_folder(tmp_path)


def test_queries_name_columns_that_are_there(folder: Path) -> None:
    """Those of the help text, too."""
    said = str(analytics.__doc__).partition("columns are ")[2].partition(".")[0]
    names = [it.strip() for it in said.replace("and\n", ",").replace(" and ", ",").split(",")]
    with Opened.of_folder(folder) as opened:
        assert opened.ask("", "SELECT * FROM rows").columns == names
        with pytest.raises(duckdb.Error):
            opened.ask("", "SELECT column_of_nobody FROM rows")
