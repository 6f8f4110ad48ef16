"""Rows of the table of settled events (columns.py) as Arrow, of which Parquet and Delta are made; JSON is text there.

Arrow is arro3 (33 MB installed with what writes Parquet; pyarrow has 171 MB), which only a package made with `--lake`
or `--delta` has.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from arro3.core import Array, DataType, Field, RecordBatch, Schema

from integration.analytics.columns import SCHEMA, Kind

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_TEXT: Final = DataType.utf8()
_WHOLE: Final = DataType.int64()
_TIME: Final = DataType.timestamp("us", tz="UTC")
_TYPES: Final[Mapping[Kind, DataType]] = {"string": _TEXT, "long": _WHOLE, "datetime": _TIME, "dynamic": _TEXT}
FIELDS: Final = Schema([Field(it.name, _TYPES[it.kind], nullable=True) for it in SCHEMA])


def record_batch(rows: Sequence[Mapping[str, Any]]) -> RecordBatch:
    """Rows as `columns.table_row` gives them; the schema is the same whatever they have."""
    columns = [_column(it.kind, [row[it.name] for row in rows]) for it in SCHEMA]
    return RecordBatch.from_arrays(columns, schema=FIELDS)


def microseconds(time: str) -> int:
    """Since 1970, of a time in ISO 8601 with its offset."""
    return (datetime.fromisoformat(time) - _EPOCH) // _MICROSECOND


def _column(kind: Kind, values: Sequence[Any]) -> Array:
    if kind == "datetime":
        return Array([None if it is None else microseconds(it) for it in values], type=_WHOLE).cast(_TIME)
    if kind == "dynamic":
        return Array([None if it is None else json.dumps(it) for it in values], type=_TEXT)
    if kind == "string":  # a half of a surrogate pair, which JSON can have, is no UTF-8
        return Array([None if it is None else it.encode("utf-8", "replace").decode() for it in values], type=_TEXT)
    return Array(values, type=_TYPES[kind])
