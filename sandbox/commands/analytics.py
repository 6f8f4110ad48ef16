"""Open what the sinks have written with DuckDB: events by hour, latency, failures by cause.

    run.py analytics                     the archive of the running sandbox
    run.py analytics --lake              its lake (run.py up --sinks)
    run.py analytics --delta             its Delta table
    run.py analytics --files FOLDER      files of an archive, a lake or a table
    run.py analytics --pictures FOLDER   also as SVG
    run.py analytics --export PLACE      also what was exported of Dataverse
    run.py analytics --sql "SELECT state, count(*) FROM events GROUP BY state"

There are two views: `rows`, without what was delivered twice, and `events`, with the newest row of each event. Their
columns are partition, sequence_number, event_id, state, reason, table_name, record_id, message, attempts, accepted and
settled.

--export reads a folder or the URL of a container, as `run.py reconcile --from-export` does: the tables that events are
about, or those that --table names. The view `exported` has the last change of each row: table_name, record_id, version,
deleted and modified, then state, reason and settled of the row's last event, and brought, which is when the first event
after that change had ended (null where none has).
"""

import argparse
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import duckdb
from azure.core.exceptions import AzureError, ResourceNotFoundError
from azure.storage.blob import BlobServiceClient

from sandbox.analytics.exported import ExportError, UnknownTableError, write_rows
from sandbox.analytics.opened import QUESTIONS, QUESTIONS_OF_AN_EXPORT, Figures, NothingFoundError, Opened
from sandbox.analytics.pictures import bars
from sandbox.client.archive import Archive
from sandbox.commands.here import CommandError, add_state_option, endpoints_of
from sandbox.running.sinks import DELTA_TABLE
from sandbox.storage import delta_options
from sandbox.terminal.screen import Screen
from sandbox.terminal.words import counted, place


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--files", type=Path, metavar="FOLDER", help="read the files below this folder")
    where.add_argument("--lake", action="store_true", help="read the lake of the sandbox, not its archive")
    where.add_argument("--delta", action="store_true", help="read its Delta table")
    parser.add_argument("--pictures", type=Path, metavar="FOLDER", help="also draw each table, as SVG in this folder")
    parser.add_argument("--export", metavar="PLACE", help="a folder or URL with an export of Dataverse")
    parser.add_argument("--table", action="append", metavar="NAME", help="a table of the export (several: repeat it)")
    parser.add_argument("--sql", metavar="QUERY", help="answer this query instead")
    add_state_option(parser)


def main(options: argparse.Namespace) -> int:
    """0 if there was something to open."""
    try:
        if options.files is not None:
            return _show(options, lambda: Opened.of_folder(options.files))
        storage = endpoints_of(options.state).storage
        if options.delta:
            return _show(options, lambda: sandbox_table(storage))
        with tempfile.TemporaryDirectory() as folder:
            Archive(storage, "lake" if options.lake else "integration-events").download(Path(folder))
            return _show(options, lambda: Opened.of_folder(Path(folder)))
    except ResourceNotFoundError as error:
        raise CommandError("The container is not there: no event has ended yet, or the sandbox has no lake.") from error
    except AzureError as error:
        raise CommandError(f"Storage does not answer ({type(error).__name__}). See run.py logs azurite") from error


def sandbox_table(storage: str) -> Opened:
    """The Delta table of a sandbox. Raises `NothingFoundError` while there is none, or its container is not there."""
    with BlobServiceClient.from_connection_string(storage) as account:
        if not account.get_container_client(DELTA_TABLE.split("/")[2]).exists():
            raise NothingFoundError("The sandbox has no Delta table.")
        return Opened.of_delta(DELTA_TABLE, delta_options(storage))


def _show(options: argparse.Namespace, open_: Callable[[], Opened]) -> int:
    screen = Screen()
    try:
        with open_() as opened:
            asked = QUESTIONS
            if options.export is not None:
                _join(opened, options.export, options.table, screen)
                asked = QUESTIONS | QUESTIONS_OF_AN_EXPORT
            if options.sql:
                asked = {"answer": options.sql}
            tables = [opened.ask(title, query) for title, query in asked.items()]
            files = opened.files
    except ExportError as error:
        raise CommandError(str(error)) from error
    except NothingFoundError as error:
        raise CommandError(f"{error} No event has ended yet?" if options.files is None else str(error)) from error
    except duckdb.Error as error:
        raise CommandError(f"DuckDB: {str(error).splitlines()[0]}") from error
    for figures in tables:
        screen.title(figures.title)
        if figures.rows:
            shown = [["" if value is None else str(value) for value in row] for row in figures.rows]
            screen.table(figures.columns, shown)
        else:
            screen.say("none", indent=2)
    screen.say(f"Read from {counted(files, 'file')}.")
    if options.pictures is not None:
        _draw(options.pictures, tables, screen)
    return 0


def _join(opened: Opened, place: str, named: Sequence[str] | None, screen: Screen) -> None:
    """With the rows of these tables; without names, of those that events are about and the export has."""
    with tempfile.TemporaryDirectory() as folder:
        exported: dict[str, Path] = {}
        for table in named or opened.tables:
            path = Path(folder) / f"{len(exported)}.jsonl"
            try:
                write_rows(place, table, path)
            except UnknownTableError as error:
                if named:
                    raise
                screen.say(f"left out: {error}")
            else:
                exported[table] = path
        opened.join(exported)


def _draw(folder: Path, tables: list[Figures], screen: Screen) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for figures in tables:
        if figures.rows and len(figures.columns) > 1:
            path = folder / f"{figures.title.partition(',')[0].replace(' ', '-')}.svg"
            column = figures.columns.index("p95") if "p95" in figures.columns else 1
            path.write_text(bars(figures, column), encoding="utf-8")
            screen.say(f"written: {place(path.absolute())}")
