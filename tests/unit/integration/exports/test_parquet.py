"""Exports as plain Parquet, which another library has written."""

from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from integration.errors import Permanent
from integration.exports.changes import Change, UnknownTable, current
from integration.exports.files import LocalFiles
from integration.exports.opening import open_export
from integration.exports.parquet import parquet_files

BEGIN = datetime(2026, 11, 1, tzinfo=UTC)
ROW = "a0000000-0000-0000-0000-000000000001"


def write(path: Path, columns: str) -> None:
    """A file with one row."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as connection:
        connection.execute(f"COPY (SELECT {columns}) TO '{path}' (FORMAT parquet)")


def copied(path: Path, version: int, day: int, key: str = "accountid") -> None:
    """As a Data Factory copies a row: the table's own names, times without a zone, which are UTC."""
    write(
        path,
        f"'{ROW.upper()}' AS {key}, {version}::BIGINT AS versionnumber, '2026-11-{day} 10:00'::TIMESTAMP AS modifiedon",
    )


def changes(folder: Path, since: datetime = BEGIN, table: str = "account") -> list[Change]:
    return list(open_export(str(folder), table).changes(table, since))


def change(version: int, day: int) -> Change:
    return Change(ROW, version, at=datetime(2026, 11, day, 10, tzinfo=UTC))


@pytest.mark.parametrize("name", ["account/part-0.snappy.parquet", "Files/account/1.parquet", "account.parquet"])
def test_the_files_of_a_table_are_found_where_copies_put_them(tmp_path: Path, name: str) -> None:
    """Not those of another table, nor those that Spark is writing."""
    copied(tmp_path / name, 7, 26)
    copied(tmp_path / "contact/part-0.parquet", 1, 1)
    copied(tmp_path / "account/_temporary/0/part-0.parquet", 9, 26)
    assert changes(tmp_path) == [change(7, 26)]


def test_a_place_may_be_the_folder_of_the_table_itself(tmp_path: Path) -> None:
    copied(tmp_path / "account/part-0.parquet", 7, 26)
    assert changes(tmp_path / "account") == [change(7, 26)]


def test_the_copies_of_a_data_factory_are_read_from_the_day_on_that_is_asked_for(tmp_path: Path) -> None:
    """The copy of the whole table is always read: nothing says what it has."""
    copied(tmp_path / "account/initial/5f0c/a.parquet", 3, 20)
    for day in (24, 25, 26):
        copied(tmp_path / f"account/daily/2026-11-{day}/a.parquet", day, day)
    assert changes(tmp_path, datetime(2026, 11, 25, 18, tzinfo=UTC)) == [change(25, 25), change(26, 26), change(3, 20)]
    assert changes(tmp_path, datetime(2026, 11, 26, tzinfo=UTC)) == [change(26, 26), change(3, 20)]
    assert current(changes(tmp_path)) == [change(26, 26)]


def test_columns_of_synapse_link_say_deletions(tmp_path: Path) -> None:
    """As somebody has copied them out of its tables; what was written before is left out."""
    sink = "'2026-11-26 12:00+00'::TIMESTAMPTZ AS SinkModifiedOn"
    write(tmp_path / "account/1.parquet", f"'{ROW}' AS Id, {sink}, true AS IsDelete, NULL::BIGINT AS versionnumber")
    assert changes(tmp_path) == [Change(ROW, deleted=True, at=datetime(2026, 11, 26, 12, tzinfo=UTC))]
    assert changes(tmp_path, datetime(2026, 11, 27, tzinfo=UTC)) == []


def test_what_is_no_parquet_is_refused_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "account").mkdir()
    (tmp_path / "account/1.parquet").write_bytes(b"PAR1, and no more")
    with pytest.raises(Permanent, match=r"account/1\.parquet cannot be read"):
        changes(tmp_path)


def test_a_table_without_files_is_unknown(tmp_path: Path) -> None:
    copied(tmp_path / "account/1.parquet", 7, 26)
    assert parquet_files(LocalFiles(tmp_path), "contact") == []
    with pytest.raises(UnknownTable, match="neither a Delta table nor Parquet files of contact"):
        changes(tmp_path, table="contact")
