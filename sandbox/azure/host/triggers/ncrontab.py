"""NCRONTAB schedules: `{second} {minute} {hour} {day} {month} {day of week}`, five fields (no seconds), or a TimeSpan.

As in the NCrontab library, a day must match both day and day of week. All times are UTC: Functions on Linux Consumption
and Flex Consumption know no other zone.
"""

import calendar
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Protocol

from sandbox.azure.host import timespan
from sandbox.azure.host.errors import HostStartError

_MONTHS = {name.lower(): number for number, name in enumerate(calendar.month_abbr) if name}
_DAYS = {name.lower(): (number + 1) % 7 for number, name in enumerate(calendar.day_abbr)}
_RANGES: tuple[tuple[str, int, int, Mapping[str, int]], ...] = (
    ("second", 0, 59, {}),
    ("minute", 0, 59, {}),
    ("hour", 0, 23, {}),
    ("day", 1, 31, {}),
    ("month", 1, 12, _MONTHS),
    ("day of week", 0, 6, _DAYS),
)
_PART = re.compile(r"(\*|[0-9a-zA-Z]+)(?:-([0-9a-zA-Z]+))?(?:/(\d+))?")
_YEARS_AHEAD = 30  # 29 February on one day of the week comes within 28 years


class Schedule(Protocol):
    """When a timer runs."""

    def next(self, after: datetime) -> datetime:
        """The first time later than `after`."""


class ConstantSchedule:
    """Runs at a constant interval in seconds."""

    def __init__(self, seconds: float) -> None:
        self._interval = timedelta(seconds=seconds)

    def next(self, after: datetime) -> datetime:
        """The first time later than `after`."""
        return after + self._interval


class CronSchedule:
    """An NCRONTAB expression; raises `HostStartError` for one that is malformed or never falls due."""

    def __init__(self, expression: str) -> None:
        fields = expression.split()
        if len(fields) == 5:
            fields.insert(0, "0")
        if len(fields) != 6:
            raise HostStartError(f"The schedule '{expression}' is no cron expression of five or six fields.")
        values = [_values(text, *limits) for text, limits in zip(fields, _RANGES, strict=True)]
        self._seconds, self._minutes, self._hours, self._days, self._months, self._weekdays = values
        if not any(
            day in self._days for month in self._months for day in range(1, calendar.monthrange(2024, month)[1] + 1)
        ):
            raise HostStartError(f"The schedule '{expression}' never falls due.")

    def next(self, after: datetime) -> datetime:
        """The first time later than `after`."""
        start = after.replace(microsecond=0) + timedelta(seconds=1)
        for year in range(start.year, start.year + _YEARS_AHEAD):
            for month in self._months:
                if (year, month) < (start.year, start.month):
                    continue
                found = self._in_month(start, year, month)
                if found is not None:
                    return found
        raise ValueError("the schedule does not come for decades")

    def _in_month(self, start: datetime, year: int, month: int) -> datetime | None:
        first_weekday, length = calendar.monthrange(year, month)
        for day in self._days:
            weekday = (first_weekday + day) % 7  # Sunday is 0: monthrange counts from Monday, days from 1
            if day > length or weekday not in self._weekdays:
                continue
            midnight = start.replace(year=year, month=month, day=day, hour=0, minute=0, second=0)
            if midnight.date() >= start.date():
                found = self._in_day(start if midnight.date() == start.date() else midnight)
                if found is not None:
                    return found
        return None

    def _in_day(self, start: datetime) -> datetime | None:
        now = (start.hour, start.minute, start.second)
        for hour in self._hours:
            if hour < now[0]:
                continue
            for minute in self._minutes:
                if (hour, minute) < now[:2]:
                    continue
                for second in self._seconds:
                    if (hour, minute, second) >= now:
                        return start.replace(hour=hour, minute=minute, second=second)
        return None


def parse(text: str) -> Schedule:
    """The schedule that a timer trigger's `schedule` means; raises `HostStartError`."""
    if ":" in text:
        return ConstantSchedule(timespan.seconds(text))
    return CronSchedule(text)


def _values(text: str, name: str, low: int, high: int, names: Mapping[str, int]) -> list[int]:
    found: set[int] = set()
    for part in text.split(","):
        match = _PART.fullmatch(part)
        if match is None:
            raise HostStartError(f"The schedule's field {name} '{text}' cannot be read.")
        first, last, step = match.groups()
        if first == "*":
            start, end = low, high
        else:
            start = _number(first, names, name)
            end = _number(last, names, name) if last else high if step else start
        if not (low <= start <= high and low <= end <= high and start <= end) or step == "0":
            raise HostStartError(f"The schedule's field {name} '{text}' is outside {low}-{high}.")
        found.update(range(start, end + 1, int(step or 1)))
    return sorted(found)


def _number(text: str, names: Mapping[str, int], name: str) -> int:
    if text.isdigit():
        return int(text)
    number = names.get(text.lower()[:3])
    if number is None:
        raise HostStartError(f"The schedule's field {name}: '{text}' is no name of a day or month.")
    return number
