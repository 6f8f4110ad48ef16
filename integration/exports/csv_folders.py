"""Exports as CSV with model.json, as Azure Synapse Link for Dataverse writes them without Delta.

    incremental   2026-11-27T06.15.00Z/model.json, 2026-11-27T06.15.00Z/account/*.csv: a folder for each interval
    classic       model.json, account/2026-11.csv: one file for each part of a table, whole or append-only

Sources: "Query and analyze the incremental updates" and "Advanced configuration options in Azure Synapse Link"
(learn.microsoft.com). How lines, dates and deletions look, and that Changelog/changelog.info names the folder that is
being written, was taken from what others have published of theirs; no export of a real environment was tried.
"""

import csv
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Final

from integration.errors import Permanent
from integration.exports.changes import Change, UnknownTable
from integration.exports.columns import DELETED, ID, TIMES, VERSION, read_change
from integration.exports.files import Files, lines
from integration.exports.model import Entity, Model, read_model

MODEL: Final = "model.json"
_BEING_WRITTEN: Final = "Changelog/changelog.info"
_INTERVAL: Final = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d)[.:](\d\d)[.:](\d\d)(?:[.:]\d+)?Z?")
_WIDEST: Final = 16_000_000
"""Characters of a value: descriptions and notes are longer than the 131,072 that the reader takes by itself."""


class CsvExport:
    """Reads either layout; each folder of an interval has the columns of its own time."""

    def __init__(self, files: Files) -> None:
        self._files = files
        csv.field_size_limit(_WIDEST)

    def changes(self, table: str, since: datetime) -> Iterator[Change]:
        """See `Export`. The interval before `since` is read too: a folder has the time at which it was begun."""
        names = self._files.names()
        intervals = _intervals(names)
        if not intervals:
            yield from self._folder("", names, table, required=True)
            return
        written = self._being_written(names)
        whole = [(at, name) for at, name in intervals if written is None or name < written]
        earlier = [name for at, name in whole if at <= since][-1:]
        wanted = [*earlier, *(name for at, name in whole if at > since)]
        inside_of: dict[str, list[str]] = {}
        for it in names:
            inside_of.setdefault(it.partition("/")[0], []).append(it)
        known: set[str] = set()
        for name in wanted:
            inside = inside_of.get(name, [])
            if f"{name}/{MODEL}" in inside:  # a folder may be empty, after an interval that was repeated
                known |= {it.name for it in self._model(name).entities}
                yield from self._folder(f"{name}/", inside, table, required=False)
        if wanted and known and table.lower() not in {it.lower() for it in known}:
            raise _unknown(self._files.place, table, known)

    def _folder(self, folder: str, names: list[str], table: str, *, required: bool) -> Iterator[Change]:
        if f"{folder}{MODEL}" not in names:
            raise UnknownTable(
                f"{self._files.place} has neither a Delta table nor Parquet files of {table}, no {MODEL}, and no "
                "folders of intervals"
            )
        model = self._model(folder.rstrip("/"))
        entity = model.table(table)
        if entity is None:
            if required:
                raise _unknown(self._files.place, table, {it.name for it in model.entities})
            return
        start = f"{folder}{entity.name}/".lower()
        for name in names:
            path = name.lower()
            if path.startswith(start) and path.endswith(".csv") and "/snapshot/" not in path:
                yield from self._file(name, entity)

    def _file(self, name: str, entity: Entity) -> Iterator[Change]:
        written = entity.format
        encoding = "utf-8-sig" if written.encoding.lower().replace("-", "") == "utf8" else written.encoding
        rows = csv.reader(lines(self._files.chunks(name), encoding), delimiter=written.delimiter, strict=True)
        columns = entity.columns
        if ID not in columns:
            raise Permanent(f"{name}: {MODEL} has no column Id for {entity.name}", reason="export-unreadable")
        try:
            if written.headers:
                columns = [it.lower() for it in next(rows, [])]
            for row in rows:
                if row:
                    # Newer columns stand behind the others: a line that was written before them is shorter.
                    yield _change(dict(zip(columns, row, strict=False)), f"{name}, line {rows.line_num}")
        except csv.Error as error:
            raise Permanent(f"{name}, line {rows.line_num}: {error}", reason="export-unreadable") from error

    def _model(self, folder: str) -> Model:
        name = f"{folder}/{MODEL}" if folder else MODEL
        return read_model(self._files.chunks(name), f"{self._files.place}/{name}")

    def _being_written(self, names: list[str]) -> str | None:
        if _BEING_WRITTEN not in names:
            return None
        return b"".join(self._files.chunks(_BEING_WRITTEN)).decode("utf-8-sig").strip().strip("/") or None


def _intervals(names: list[str]) -> list[tuple[datetime, str]]:
    """The folders of intervals, oldest first."""
    folders = {name.partition("/")[0] for name in names if "/" in name}
    found = ((_INTERVAL.fullmatch(it), it) for it in folders)
    return sorted((_at(match), name) for match, name in found if match)


def _at(match: re.Match[str]) -> datetime:
    day, hour, minute, second = match.groups()
    return datetime.fromisoformat(f"{day}T{hour}:{minute}:{second}+00:00")


def _change(row: dict[str, str], place: str) -> Change:
    at = next((row[name] for name in TIMES if row.get(name)), None)
    return read_change((row.get(ID), row.get(VERSION), row.get(DELETED), at), place)


def _unknown(place: str, table: str, known: set[str]) -> UnknownTable:
    return UnknownTable(f"{place} has no table {table}; it has {', '.join(sorted(known)) or 'none'}")
