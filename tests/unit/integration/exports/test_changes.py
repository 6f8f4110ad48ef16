"""Which change of a row counts, of all that an export has of it, and how its columns are read."""

from datetime import UTC, datetime, timedelta

import pytest

from integration.errors import Permanent
from integration.exports.changes import Change, current, newest
from integration.exports.columns import query, read_change, read_time

BEGIN, END = datetime(2026, 11, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
AT = datetime(2026, 11, 26, tzinfo=UTC)
FIRST, SECOND, THIRD = (f"{number}0000000-0000-0000-0000-000000000000" for number in (1, 2, 3))


def test_the_last_change_of_each_row_counts_within_the_window() -> None:
    """Files may name a change twice, and an older one after a newer one; a deletion ends what was before it."""
    at, before = AT, datetime(2026, 10, 1, tzinfo=UTC)
    found = newest(
        [
            Change(FIRST, 5, deleted=False, at=at),
            Change(FIRST, 4, deleted=False, at=before),
            Change(SECOND, 6, deleted=False, at=at),
            Change(SECOND, 0, deleted=True, at=at),
            Change(THIRD, 1, deleted=False, at=before),
        ],
        BEGIN,
        END,
    )
    assert [(it.row_id, it.version, it.deleted) for it in found] == [(FIRST, 5, False), (SECOND, 0, True)]


def test_a_deleted_row_is_there_again_only_with_a_higher_version() -> None:
    """An older change that comes once more does not bring it back; a row that was restored has a new version."""
    old, deleted = Change(FIRST, 5, at=AT), Change(FIRST, deleted=True, at=AT + timedelta(hours=1))
    restored = Change(FIRST, 8, at=AT + timedelta(hours=2))
    assert current([old, deleted, old]) == [deleted]
    assert current([old, deleted, old, restored]) == [restored]


def test_without_versions_the_later_change_counts() -> None:
    earlier, later = Change(FIRST, at=AT), Change(FIRST, at=AT + timedelta(hours=1))
    assert current([later, earlier]) == [later]
    deleted = Change(FIRST, deleted=True, at=AT + timedelta(minutes=30))
    assert current([earlier, deleted, earlier]) == [deleted]
    assert current([earlier, deleted, later]) == [later]


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("1/2/2026 3:04:05 PM", datetime(2026, 1, 2, 15, 4, 5, tzinfo=UTC)),
        ("12/31/2026 12:00:01 AM", datetime(2026, 12, 31, 0, 0, 1, tzinfo=UTC)),
        ("2026-01-02T03:04:05.1234567+01:00", datetime.fromisoformat("2026-01-02T03:04:05.123456+01:00")),
        ("2026-01-02T03:04:05", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("", None),
    ],
)
def test_times_are_read_as_exports_write_them(text: str, at: datetime | None) -> None:
    assert read_time(text) == at


def test_what_is_no_id_no_number_or_no_time_is_refused_with_its_place() -> None:
    for values in (("no id", "1", "", ""), (FIRST, "many", "", ""), (FIRST, "1", "", "26.11.2026")):
        with pytest.raises(Permanent, match="a file, line 7 cannot be read"):
            read_change(values, "a file, line 7")


def test_a_row_is_named_by_id_by_the_key_of_its_table_or_as_an_activity() -> None:
    for column, table in (("Id", "account"), ("accountid", "account"), ("activityid", "email")):
        assert f'cast("{column}" as varchar) as id' in query({column: "string"}, table, BEGIN, "exported")
    with pytest.raises(Permanent, match="has no column Id"):
        query({"name": "string"}, "account", BEGIN, "exported")
