"""NCRONTAB expressions."""

from datetime import UTC, datetime

import pytest

from sandbox.azure.host.errors import HostStartError
from sandbox.azure.host.triggers import ncrontab

START = datetime(2026, 11, 20, 10, 30, 15, tzinfo=UTC)  # a Friday


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("* * * * * *", datetime(2026, 11, 20, 10, 30, 16, tzinfo=UTC)),
        ("0 */5 * * * *", datetime(2026, 11, 20, 10, 35, tzinfo=UTC)),
        ("*/5 * * * *", datetime(2026, 11, 20, 10, 35, tzinfo=UTC)),
        ("15 30 10 * * *", datetime(2026, 11, 21, 10, 30, 15, tzinfo=UTC)),
        ("0 30 9 * * 1-5", datetime(2026, 11, 23, 9, 30, tzinfo=UTC)),
        ("0 0 0 * * SUN", datetime(2026, 11, 22, tzinfo=UTC)),
        ("0 0 12 1,15 JAN *", datetime(2027, 1, 1, 12, tzinfo=UTC)),
        ("0 0 0 29 2 *", datetime(2028, 2, 29, tzinfo=UTC)),
        ("0 0 0 13 * 5", datetime(2027, 8, 13, tzinfo=UTC)),  # day and day of week must both match
        ("0 10-20/5 11 * * *", datetime(2026, 11, 20, 11, 10, tzinfo=UTC)),
        ("00:01:00", datetime(2026, 11, 20, 10, 31, 15, tzinfo=UTC)),
    ],
)
def test_the_next_time_comes(schedule: str, expected: datetime) -> None:
    assert ncrontab.parse(schedule).next(START) == expected


@pytest.mark.parametrize("schedule", ["* * * *", "61 * * * * *", "a * * * * *", "0 0 0 31 2 *", "0 */0 * * * *"])
def test_a_malformed_schedule_stops_the_start(schedule: str) -> None:
    with pytest.raises(HostStartError):
        ncrontab.parse(schedule)
