"""Exports as CSV with model.json: what is read of them, in either layout, and what is refused."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from integration.errors import ConfigurationError, IntegrationError, Permanent
from integration.exports.changes import Change
from integration.exports.csv_folders import CsvExport
from integration.exports.files import LocalFiles, lines

BEGIN = datetime(2026, 11, 1, tzinfo=UTC)
COLUMNS = ("Id", "SinkCreatedOn", "SinkModifiedOn", "name", "modifiedon", "versionnumber", "IsDelete")
FIRST, SECOND, THIRD = (f"{number}0000000-0000-0000-0000-000000000000" for number in (1, 2, 3))


class Lake:
    """A folder with an export."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, name: str, content: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8", newline="")

    def model(self, below: str = "", columns: tuple[str, ...] = COLUMNS, table: str = "account") -> None:
        entity = {"name": table, "attributes": [{"name": it} for it in columns]}
        self.write(f"{below}model.json", json.dumps({"name": "cdm", "entities": [entity]}))

    def changes(self, since: datetime = BEGIN, table: str = "account") -> list[Change]:
        return list(CsvExport(LocalFiles(self.folder)).changes(table, since))


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path)


def line(row_id: str, version: int, *, day: int = 26, name: str = "Contoso", more: str = ",") -> str:
    sink = f'"11/{day}/2026 3:05:00 PM"'
    return f'{row_id},{sink},{sink},"{name}","2026-11-{day}T14:00:00.0000000Z",{version},False{more}\n'


def deleted(row_id: str, *, day: int = 26) -> str:
    sink = f'"11/{day}/2026 3:05:00 PM"'
    return f"{row_id},{sink},{sink},,,,True,\n"


def test_a_table_in_one_file_for_each_part_is_read_with_its_model(lake: Lake) -> None:
    """Line feeds, commas and quotes in texts, a comma at the end of a line, a byte order mark; no snapshots."""
    lake.model()
    lake.write("account/2025.csv", "\ufeff" + line(FIRST, 7, name='Say ""hello"",\nfriend'))
    lake.write("account/2026.csv", line(SECOND, 8, more="") + deleted(THIRD))
    lake.write("account/Snapshot/2026_1.csv", line(THIRD, 1))
    assert lake.changes() == [
        Change(FIRST, 7, deleted=False, at=datetime(2026, 11, 26, 14, tzinfo=UTC)),
        Change(SECOND, 8, deleted=False, at=datetime(2026, 11, 26, 14, tzinfo=UTC)),
        Change(THIRD, 0, deleted=True, at=datetime(2026, 11, 26, 15, 5, tzinfo=UTC)),
    ]


def test_folders_of_intervals_are_read_in_their_order_each_with_its_own_columns(lake: Lake) -> None:
    """A column that was added later stands in the models from then on; an empty folder is passed over."""
    lake.model("2026-11-25T10.00.00Z/", COLUMNS[:3] + COLUMNS[5:])
    lake.write("2026-11-25T10.00.00Z/account/2026.csv", f'{FIRST},,"11/25/2026 1:00:00 AM",5,False\n')
    lake.model("2026-11-26T10.15.00Z/")
    lake.write("2026-11-26T10.15.00Z/account/2026.csv", line(FIRST, 9))
    (lake.folder / "2026-11-26T10.30.00Z").mkdir()
    lake.model("2026-11-26T10:45:00.123Z/".replace(":", "."), table="contact")
    found = lake.changes()
    assert [(it.version, it.at) for it in found] == [
        (5, datetime(2026, 11, 25, 1, tzinfo=UTC)),
        (9, datetime(2026, 11, 26, 14, tzinfo=UTC)),
    ]


def test_a_folder_that_is_being_written_is_not_read(lake: Lake) -> None:
    for number, hour in enumerate((10, 11, 12), 1):
        lake.model(f"2026-11-26T{hour}.00.00Z/")
        lake.write(f"2026-11-26T{hour}.00.00Z/account/2026.csv", line(FIRST, number))
    lake.write("Changelog/changelog.info", "2026-11-26T12.00.00Z")
    assert [it.version for it in lake.changes()] == [1, 2]


def test_only_intervals_since_a_time_are_read_and_the_one_before_it(lake: Lake) -> None:
    """A change of the window may stand in the folder that was begun before it."""
    for day in (20, 21, 22, 23):
        lake.model(f"2026-11-{day}T00.00.00Z/")
        lake.write(f"2026-11-{day}T00.00.00Z/account/2026.csv", line(FIRST, day))
    assert [it.version for it in lake.changes(datetime(2026, 11, 22, 5, tzinfo=UTC))] == [22, 23]
    assert [it.version for it in lake.changes(datetime(2026, 11, 21, 23, tzinfo=UTC))] == [21, 22, 23]


def test_a_line_from_before_a_column_was_added_is_shorter(lake: Lake) -> None:
    """Synapse Link puts new columns behind the others, and leaves the lines that there are as they were."""
    lake.model(columns=(*COLUMNS, "new_column"))
    lake.write("account/2026.csv", line(FIRST, 3, more=""))
    assert [it.version for it in lake.changes()] == [3]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (f"{FIRST},,,,,many,False\n", "account/2026.csv, line 1"),
        (f'{FIRST},,,"no end', "account/2026.csv, line"),
        (f"{FIRST},,,,26.11.2026,1,False\n", "account/2026.csv, line 1"),
    ],
)
def test_what_is_not_as_its_model_says_is_refused_with_its_line(lake: Lake, content: str, said: str) -> None:
    lake.model()
    lake.write("account/2026.csv", content)
    with pytest.raises(Permanent, match=said):
        lake.changes()


def test_what_is_no_export_says_what_is_missing(lake: Lake) -> None:
    def said(table: str = "account") -> str:
        with pytest.raises(IntegrationError) as raised:
            lake.changes(table=table)
        return str(raised.value)

    assert "no model.json, and no folders of intervals" in said()
    lake.write("model.json", "{")
    assert "is no model.json" in said()
    lake.model()
    assert "has no table contact; it has account" in said("contact")
    lake.model("2026-11-26T10.00.00Z/")
    assert "has no table contact; it has account" in said("contact")
    with pytest.raises(ConfigurationError):
        lake.changes(table="contact")


def test_a_character_may_lie_across_two_pieces_of_a_file() -> None:
    content = "a,Ä\nb,€\n".encode()
    for size in range(1, 6):
        pieces = [content[start : start + size] for start in range(0, len(content), size)]
        assert list(lines(pieces, "utf-8")) == ["a,Ä\n", "b,€\n"]
