"""The columns by which an export says what has happened to a row, and how their values are read.

Synapse Link names a row by `Id`, whatever its table; a copy of a table has the table's own key. `SinkModifiedOn` is
when Synapse Link has written the row, `IsDelete` is there where deletions are written. Texts of numbers, flags and
times are read here for all forms of files.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from integration.errors import Permanent
from integration.exports.changes import Change
from integration.odata import record_id

ID: Final = "id"
VERSION: Final = "versionnumber"
DELETED: Final = "isdelete"
WRITTEN: Final = "sinkmodifiedon"
TIMES: Final = ("modifiedon", WRITTEN)
"""The first that a row has says when it was changed."""
_ACTIVITY: Final = "activityid"
"""The key of e-mails, tasks and other activities."""
_AMERICAN: Final = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4}) (\d{1,2}):(\d\d):(\d\d)(?: (AM|PM))?")
_FRACTION: Final = re.compile(r"(\.\d{6})\d+")


def read_change(values: Sequence[str | None], place: str) -> Change:
    """A change of its id, version, deletion and time; raises `Permanent`, with the place, for what cannot be read."""
    row_id, version, deleted, at = values
    try:
        is_deleted = (deleted or "").lower() in {"true", "1"}
        return Change(record_id(row_id or ""), int(version or 0), is_deleted, read_time(at))
    except (ValueError, Permanent) as error:
        raise Permanent(f"{place} cannot be read: {error}", reason="export-unreadable") from error


def read_time(text: str | None) -> datetime | None:
    """A time as exports write it: ISO 8601 with up to seven decimals, or `1/31/2026 3:05:00 PM`; both are UTC."""
    if not text:
        return None
    if found := _AMERICAN.fullmatch(text):
        month, day, year, hour, minute, second = (int(it) for it in found.groups()[:6])
        if found[7]:
            hour = hour % 12 + (12 if found[7] == "PM" else 0)
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    at = datetime.fromisoformat(_FRACTION.sub(r"\1", text))
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


def query(types: Mapping[str, str], table: str, since: datetime, source: str) -> str:
    """The changes in `source` as SQL: id, version, deletion and time as texts, oldest first where times are there.

    `types` are the types of its columns by their names. Raises `Permanent` for a table without an id.
    """
    names = {it.lower(): it for it in types}
    key = next((it for it in (ID, f"{table}id", _ACTIVITY) if it in names), None)
    if key is None:
        raise Permanent(f"the exported table {table} has no column Id", reason="export-unreadable")

    def text(name: str) -> str:
        return f'cast("{names[name]}" as varchar)' if name in names else "null"

    times = [text(it) for it in TIMES if it in names]
    at = f"coalesce({', '.join(times)})" if times else "null"
    where = ""
    if WRITTEN in names and "timestamp" in types[names[WRITTEN]].lower():
        where = f" where \"{names[WRITTEN]}\" >= timestamp '{since.isoformat()}'"
    order = ", ".join(f'"{names[it]}"' for it in (WRITTEN, DELETED) if it in names)
    columns = f"{text(key)} as id, {text(VERSION)} as version, {text(DELETED)} as deleted, {at} as at"
    ordered = f" order by {order}" if order else ""
    return f"select {columns} from {source}{where}{ordered}"  # noqa: S608 -- names are those of the table's own schema
