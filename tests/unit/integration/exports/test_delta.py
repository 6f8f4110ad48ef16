"""Exports as Delta tables, which the library writes that reads them in other tools too."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from arro3.core import Array, DataType, Table
from deltalake import write_deltalake

from integration.errors import Permanent
from integration.exports.changes import Change
from integration.exports.opening import open_export

BEGIN = datetime(2026, 11, 1, tzinfo=UTC)
FIRST, SECOND = (f"{number}0000000-0000-0000-0000-000000000000" for number in (1, 2))


def times(*days: int) -> Any:
    found = [int(datetime(2026, 11, day, 12, tzinfo=UTC).timestamp() * 1e6) for day in days]
    return Array(found, type=DataType.int64()).cast(DataType.timestamp("us", tz="UTC"))


def write(folder: Path, **columns: Any) -> None:
    write_deltalake(str(folder), Table.from_pydict(columns), mode="append")


def texts(*values: str | None) -> Any:
    return Array(list(values), type=DataType.utf8())


@pytest.mark.parametrize("place", ["account", "Tables/account", "deltalake/account_partitioned", ""])
def test_a_table_is_found_where_synapse_link_and_fabric_put_it(tmp_path: Path, place: str) -> None:
    """Its deletions are told where it is append-only; only what was written since a time is read."""
    for day, deleted in ((2, False), (26, True)):
        write(
            tmp_path / place,
            Id=texts(FIRST.upper(), SECOND),
            SinkModifiedOn=times(day, day),
            modifiedon=texts("2026-11-01T10:00:00Z", None),
            versionnumber=Array([day, None], type=DataType.int64()),
            IsDelete=Array([False, deleted], type=DataType.bool()),
        )
    found = list(open_export(str(tmp_path), "account").changes("account", datetime(2026, 11, 20, tzinfo=UTC)))
    assert found == [
        Change(FIRST, 26, deleted=False, at=datetime(2026, 11, 1, 10, tzinfo=UTC)),
        Change(SECOND, 0, deleted=True, at=datetime(2026, 11, 26, 12, tzinfo=UTC)),
    ]


def test_a_lakehouse_has_the_tables_own_names_of_columns(tmp_path: Path) -> None:
    write(tmp_path / "Tables/account", accountid=texts(FIRST), versionnumber=Array([4], type=DataType.int64()))
    found = list(open_export(str(tmp_path), "account").changes("account", BEGIN))
    assert found == [Change(FIRST, 4, deleted=False, at=None)]


def test_a_table_without_an_id_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "account", name=texts("Contoso"))
    with pytest.raises(Permanent, match="has no column Id"):
        list(open_export(str(tmp_path), "account").changes("account", BEGIN))
