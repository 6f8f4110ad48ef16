"""The upkeep of the Delta table: fewer files, the same rows, and nothing of what the sink knows by them is lost."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

from deltalake import DeltaTable

from integration.analytics.delta_table import OpenTable
from integration.analytics.delta_upkeep import Upkeep
from integration.analytics.row import Row
from integration.analytics.sink import Receipt
from integration.analytics.sinks.delta import DeltaSink
from integration.worker.settled import encoded
from tests.delta import read_delta

AT = datetime(2026, 11, 20, tzinfo=UTC)


def rows(*numbers: int) -> list[Row]:
    return [Row.read("3", it, AT, encoded({"id": f"e-{it}", "data": {"state": "completed"}})) for it in numbers]


def test_small_files_become_one_and_the_sink_goes_on_where_it_was(tmp_path: Path) -> None:
    """The sink has the table open meanwhile, and has read its files before."""
    place = str(tmp_path)
    sink = DeltaSink(OpenTable(place, dict), hub="hub")
    for number in range(6):
        asyncio.run(sink.write(rows(number)))
    Upkeep(OpenTable(place, dict)).run()
    assert len(DeltaTable(place).file_uris()) == 1

    assert asyncio.run(sink.write(rows(4, 5, 6))) == Receipt()
    assert [it["SequenceNumber"] for it in read_delta(place, {})] == [0, 1, 2, 3, 4, 5, 6]
    Upkeep(OpenTable(place, dict)).run()
    again = DeltaSink(OpenTable(place, dict), hub="hub")
    assert asyncio.run(again.write(rows(5, 6))) == Receipt()
    assert len(read_delta(place, {})) == 7
