"""Dates as Dataverse's serialisers write them: `/Date(ms)/`, `/Date(ms+hhmm)/`, ISO 8601."""

import re
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_JSON_DATE = re.compile(r"/Date\((-?\d{1,20})(?:([+-])(\d\d)(\d\d))?\)/", re.ASCII)
_ISO_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)?", re.ASCII)


def looks_like_json_date(text: str) -> bool:
    """Whether `text` has the form `/Date(...)/`."""
    return text.startswith("/Date(") and _JSON_DATE.fullmatch(text) is not None


def looks_like_iso_date(text: str) -> bool:
    """Whether `text` has the form of an ISO 8601 date with time."""
    return 19 <= len(text) <= 35 and _ISO_DATE.fullmatch(text) is not None


def to_time(raw: object) -> datetime:
    """A moment in UTC.

    Milliseconds count from 1970 in UTC, and an offset behind them changes nothing; ISO without offset is UTC.
    """
    if isinstance(raw, str):
        if match := _JSON_DATE.fullmatch(raw):
            return _moment(int(match[1]))
        if looks_like_iso_date(raw):
            return _iso(raw)
    raise ValueError("must be a date with time: /Date(ms)/ or ISO 8601")


def to_operation_time(raw: object) -> datetime:
    """OperationCreatedOn in UTC.

    When the asynchronous service writes this date, it treats its UTC clock as local time: the milliseconds are wrong by
    the server's offset, so the offset is added back. Only this way do both captures from servers that are not on UTC
    agree to the second with their row's modifiedon (Microsoft's sample at -0700, an on-premises one at +0300).
    """
    if isinstance(raw, str) and (match := _JSON_DATE.fullmatch(raw)):
        minutes = int(match[3]) * 60 + int(match[4]) if match[2] else 0
        return _moment(int(match[1]) + (minutes if match[2] == "+" else -minutes) * 60_000)
    return to_time(raw)


def milliseconds_of(moment: datetime) -> int:
    """Whole milliseconds since 1970; a moment without an offset is in UTC. What is left over is cut, as .NET does."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (aware - _EPOCH) // timedelta(milliseconds=1)


def _moment(milliseconds: int) -> datetime:
    try:
        return _EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError:
        raise ValueError("must be a date between the years 1 and 9999") from None


def _iso(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise ValueError("must be a date that exists") from None
