"""Reads Delta tables as somebody else does: with the engine of the library, which knows nothing of our sink."""

from collections.abc import Mapping
from typing import Any

from deltalake import DeltaTable, QueryBuilder
from deltalake.exceptions import TableNotFoundError


def read_delta(uri: str, options: Mapping[str, str]) -> list[dict[str, Any]]:
    """The rows of a table by the order of the hub; none if there is no table."""
    try:
        table = DeltaTable(uri, storage_options=dict(options))
    except TableNotFoundError:
        return []
    query = 'SELECT * FROM read ORDER BY "HubPartition", "SequenceNumber"'
    found = QueryBuilder().register("read", table).execute(query).read_all()
    columns = {name: found.column(name).to_pylist() for name in found.column_names}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
