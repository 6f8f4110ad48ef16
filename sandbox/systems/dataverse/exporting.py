"""Exports rows to a storage account as Azure Synapse Link for Dataverse does: CSV with model.json, or Delta tables.

Also as a Data Factory copies them: Parquet, without deletions (the pipelines of infra/modules/datafactory.bicep).

Sources: "Query and analyze the incremental updates" and "Advanced configuration options in Azure Synapse Link" in
Microsoft's documentation, and what users have published of their files: no header, numbers and ids without quotes,
texts and times in quotes, American times in Sink columns, a comma at the end of a line, `IsDelete` in append-only
files, and the folder that is being written in Changelog/changelog.info.
"""

import asyncio
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from aiohttp import web
from azure.storage.blob import ContainerClient

from sandbox.storage import delta_options
from sandbox.systems.dataverse.schema import Column, Schema, Table
from sandbox.systems.dataverse.store import Row, Store

_FOLDER: Final = "%Y-%m-%dT%H.%M.%SZ"
_AMERICAN: Final = "%m/%d/%Y %I:%M:%S %p"
_BARE: Final = frozenset({"Integer", "BigInt", "Decimal", "Double", "Money", "Picklist", "State", "Status"})
_IDS: Final = frozenset({"Uniqueidentifier", "Lookup", "Customer", "Owner"})
_DATA_TYPES: Final = {"Boolean": "boolean", "DateTime": "dateTime", "Decimal": "decimal", "Money": "decimal"}
_FORMAT: Final = {
    "$type": "CsvFormatSettings",
    "columnHeaders": False,
    "delimiter": ",",
    "quoteStyle": "QuoteStyle.Csv",
    "csvStyle": "CsvStyle.QuoteAlways",
    "encoding": "UTF-8",
}


@dataclass(frozen=True)
class Wanted:
    """What is exported.

    `layout`: `intervals`, the rows that have changed since the last export to this container, in a folder of their own;
    `whole`, all rows as they are; `delta`, the changed rows appended to a Delta table; `parquet`, the same in a file of
    the day. `finished` false leaves the folder of an interval as one that is still being written.
    """

    connection: str
    container: str
    tables: list[str]
    layout: str = "intervals"
    finished: bool = True


@dataclass(frozen=True)
class _File:
    name: str
    content: bytes


class Exporting:
    """Writes when it is asked to, other than Synapse Link, which does so in intervals."""

    def __init__(self, store: Store, schema: Schema) -> None:
        self._store, self._schema = store, schema

    async def export(self, request: web.Request) -> web.Response:
        """POST /control/export; answers with the folder."""
        wanted = Wanted(**await request.json())
        now = self._moment(wanted)
        if wanted.layout in {"delta", "parquet"}:
            tables = [(self._schema[it], *self._changed(wanted, self._schema[it])) for it in wanted.tables]
            await asyncio.to_thread(_write, wanted, [])
            for table, rows, deleted in tables:
                if wanted.layout == "delta":
                    await asyncio.to_thread(_append, wanted, table, rows, deleted, now)
                else:
                    await asyncio.to_thread(_copy, wanted, table, rows, now)
            self._store.set_setting(_mark(wanted), str(self._store.version()))
        else:
            files = self._intervals(wanted, now) if wanted.layout == "intervals" else self._whole(wanted, now)
            await asyncio.to_thread(_write, wanted, list(files))
        return web.json_response({"folder": now.strftime(_FOLDER)})

    def _moment(self, wanted: Wanted) -> datetime:
        """Now, and later than the folder before."""
        name = f"export {wanted.container} at"
        before, now = self._store.setting(name), datetime.now(UTC).replace(microsecond=0)
        if before is not None:
            now = max(now, datetime.fromisoformat(before) + timedelta(seconds=1))
        self._store.set_setting(name, now.isoformat())
        return now

    def _changed(self, wanted: Wanted, table: Table) -> tuple[list[Row], list[str]]:
        """What was written and deleted since the last export to this container."""
        since = int(self._store.setting(_mark(wanted)) or 0)
        return self._store.rows(table.name, since=since), self._store.deleted(table.name, since=since) if since else []

    def _intervals(self, wanted: Wanted, now: datetime) -> Iterator[_File]:
        folder, upto = now.strftime(_FOLDER), self._store.version()
        yield _File("Changelog/changelog.info", folder.encode())
        tables = []
        for table in (self._schema[it] for it in wanted.tables):
            rows, deleted = self._changed(wanted, table)
            lines = [*_lines(table, rows, now), *_deletions(table, deleted, now)]
            if lines:  # a table without changes has no file
                tables.append(table)
                yield _File(f"{folder}/{table.name}/{now:%Y}.csv", "".join(lines).encode())
        yield _File(f"{folder}/model.json", _model(tables, f"{folder}/").encode())
        if wanted.finished:
            yield _File("Changelog/changelog.info", (now + timedelta(minutes=15)).strftime(_FOLDER).encode())
        self._store.set_setting(_mark(wanted), str(upto))

    def _whole(self, wanted: Wanted, now: datetime) -> Iterator[_File]:
        tables = [self._schema[it] for it in wanted.tables]
        for table in tables:
            yield _File(
                f"{table.name}/{now:%Y}.csv", "".join(_lines(table, self._store.rows(table.name), now)).encode()
            )
        yield _File("model.json", _model(tables, "").encode())


def _mark(wanted: Wanted) -> str:
    return f"export {wanted.container}"


def _columns(table: Table) -> list[Column]:
    return [it for it in table.columns.values() if it.name not in {table.id_column, "versionnumber"}]


def _lines(table: Table, rows: Iterable[Row], now: datetime) -> Iterator[str]:
    for row in rows:
        values = [it for column in _columns(table) for it in _values(column, row.values.get(column.name))]
        yield _line([row.id, *_sink(now), *values, str(row.version), "False"])


def _deletions(table: Table, ids: Iterable[str], now: datetime) -> Iterator[str]:
    """Nothing but the id and when it was noticed."""
    blank = [it for column in _columns(table) for it in _values(column, None)]
    for row_id in ids:
        yield _line([row_id, *_sink(now), *blank, "", "True"])


def _line(values: Iterable[str]) -> str:
    return ",".join(values) + ",\n"


def _sink(now: datetime) -> tuple[str, str]:
    at = _quoted(now.strftime(_AMERICAN).lstrip("0").replace("/0", "/"))
    return at, at


def _values(column: Column, value: Any) -> Iterator[str]:
    """A column, and for a lookup the table of its row too."""
    if column.is_lookup:
        yield "" if value is None else str(value["id"])
        yield "" if value is None else _quoted(value["table"])
    elif value is None:
        yield ""
    elif column.type in _BARE or column.type in _IDS or isinstance(value, bool):
        yield str(value)
    else:
        yield _quoted(value if isinstance(value, str) else json.dumps(value))


def _quoted(text: str) -> str:
    doubled = text.replace('"', '""')
    return f'"{doubled}"'


def _model(tables: Iterable[Table], folder: str) -> str:
    entities = [
        {
            "$type": "LocalEntity",
            "name": table.name,
            "description": table.name,
            "annotations": [{"name": "Athena:PartitionGranularity", "value": "Year"}],
            "attributes": list(_attributes(table)),
            "partitions": [
                {"name": "1", "location": f"https://lake.example/{folder}{table.name}", "fileFormatSettings": _FORMAT}
            ],
        }
        for table in tables
    ]
    return json.dumps({"name": "cdm", "description": "cdm", "version": "1.0", "entities": entities})


def _attributes(table: Table) -> Iterator[dict[str, Any]]:
    yield {"name": "Id", "dataType": "guid"}
    yield from ({"name": name, "dataType": "dateTime"} for name in ("SinkCreatedOn", "SinkModifiedOn"))
    for column in _columns(table):
        if column.is_lookup:
            yield {"name": column.name, "dataType": "guid"}
            yield {"name": f"{column.name}_entitytype", "dataType": "string"}
        else:
            usual = "int64" if column.type in _BARE else "guid" if column.type in _IDS else "string"
            yield {"name": column.name, "dataType": _DATA_TYPES.get(column.type, usual)}
    yield {"name": "versionnumber", "dataType": "int64"}
    yield {"name": "IsDelete", "dataType": "boolean"}


def _write(wanted: Wanted, files: Iterable[_File]) -> None:
    """In this order: whoever reads meanwhile sees what is being written."""
    with ContainerClient.from_connection_string(wanted.connection, wanted.container) as container:
        if not container.exists():
            container.create_container()
        for it in files:
            container.upload_blob(it.name, it.content, overwrite=True)


def _append(wanted: Wanted, table: Table, rows: Sequence[Row], deleted: Sequence[str], now: datetime) -> None:
    """Append to the Delta table as Synapse Link does in append-only mode; only the columns that a change is told by."""
    from arro3.core import Array, DataType  # noqa: PLC0415 -- slow to import, and for this form only
    from arro3.core import Table as Arrow  # noqa: PLC0415 -- as above
    from deltalake import write_deltalake  # noqa: PLC0415 -- as above

    texts, whole, count = DataType.utf8(), DataType.int64(), len(rows) + len(deleted)
    at = Array([int(now.timestamp() * 1e6)] * count, type=whole).cast(DataType.timestamp("us", tz="UTC"))
    versions = [*(it.version for it in rows), *(None for _ in deleted)]
    modified = [*(it.values.get("modifiedon") for it in rows), *(None for _ in deleted)]
    exported = Arrow.from_pydict(
        {
            "Id": Array([*(it.id for it in rows), *deleted], type=texts),
            "SinkModifiedOn": at,
            "modifiedon": Array(modified, type=texts),
            "versionnumber": Array(versions, type=whole),
            "IsDelete": Array([it >= len(rows) for it in range(count)], type=DataType.bool()),
        }
    )
    uri = f"az://{wanted.container}/deltalake/{table.name}_partitioned"
    write_deltalake(uri, exported, mode="append", storage_options=delta_options(wanted.connection))


def _copy(wanted: Wanted, table: Table, rows: Sequence[Row], now: datetime) -> None:
    """The rows that there are, with the table's own names; only the columns that a change is told by."""
    from arro3.core import Array, DataType  # noqa: PLC0415 -- slow to import, and for this form only
    from arro3.core import Table as Arrow  # noqa: PLC0415 -- as above
    from arro3.io import write_parquet  # noqa: PLC0415 -- as above

    times, file = DataType.timestamp("us", tz="UTC"), io.BytesIO()
    moments = [datetime.fromisoformat(str(it.values["modifiedon"])) for it in rows]
    copied: dict[str, Any] = {
        table.id_column: Array([it.id for it in rows], type=DataType.utf8()),
        "modifiedon": Array([int(it.timestamp() * 1e6) for it in moments], type=DataType.int64()).cast(times),
        "versionnumber": Array([it.version for it in rows], type=DataType.int64()),
    }
    write_parquet(Arrow.from_pydict(copied), file, compression="snappy")
    name = f"{table.name}/daily/{now:%Y-%m-%d}/data_{now:%H%M%S}.snappy.parquet"
    _write(wanted, [_File(name, file.getvalue())])
