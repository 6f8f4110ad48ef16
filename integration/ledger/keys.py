"""Names and keys of the ledger's tables.

A hash spreads the entities over partitions. What grows with time is in a table per month, which is dropped as a whole.
The month and the partition of an event follow from its id, so that a point read finds it.
"""

import hashlib
import re
from datetime import UTC, datetime
from typing import Final

from integration.events.identity import partition_of

RECORDS: Final = "records"
PROBLEMS: Final = "problems"
SYSTEMS: Final = "systems"
REFERENCES: Final = "references"
CAUSES: Final = "causes"
SUBSCRIPTIONS: Final = "subscriptions"
EVENTS_PREFIX: Final = "events"
INDEX_PREFIX: Final = "index"
AUDIT_PREFIX: Final = "audit"
BULKS_PREFIX: Final = "bulks"
EXCHANGES_PREFIX: Final = "exchanges"
MONTHLY: Final = (EVENTS_PREFIX, INDEX_PREFIX, RECORDS, AUDIT_PREFIX, BULKS_PREFIX)
"""The beginning of the names of monthly tables, in front of the month."""

NO_MONTH: Final = "000000"
"""The month of a message that is not one of our events, and does not say when it came."""

_EVENT_ID: Final = re.compile(r"(\d{6})\d{6}-([0-9a-f]{8})[0-9a-f]{24}")


def hashed(text: str, digits: int) -> str:
    """The first `digits` hexadecimal digits of a hash of `text`."""
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()[:digits]


def records_table(session_id: str) -> str:
    """The table of a record's entity.

    An event without a record has its own session, and is in the table of its month.
    """
    month = month_of(session_id)
    return RECORDS if month == NO_MONTH else f"{RECORDS}{month}"


def record_keys(session_id: str) -> tuple[str, str]:
    """Partition and row key of a record's entity; `session_id` is `table:record id`."""
    return partition_of(session_id), session_id


def month_of(event_id: str) -> str:
    """`yyyyMM` of the event's operation; `000000` for an id that is not one of our event ids."""
    found = _EVENT_ID.fullmatch(event_id)
    return found[1] if found else NO_MONTH


def month_at(moment: datetime, *, back: int = 0) -> str:
    """`yyyyMM` of a moment, `back` months earlier."""
    utc = moment.astimezone(UTC)
    year, month = divmod(utc.year * 12 + utc.month - 1 - back, 12)
    return f"{year:04}{month + 1:02}"


def month_of_table(name: str) -> tuple[str, str] | None:
    """The kind of a monthly table (`events`, `index`, `records`, `audit`, `bulks`) and its month; else None."""
    prefix, month = name[:-6], name[-6:]
    return (prefix, month) if prefix in MONTHLY and month.isascii() and month.isdigit() else None


def events_table(month: str) -> str:
    """The table of the month's events."""
    return f"{EVENTS_PREFIX}{month}"


def index_table(month: str) -> str:
    """The table of the month's indexes: by correlation id and by time."""
    return f"{INDEX_PREFIX}{month}"


def audit_table(month: str) -> str:
    """The table of what people did in the month."""
    return f"{AUDIT_PREFIX}{month}"


def exchanges_table(day: str) -> str:
    """The table of the requests and answers of failed attempts of a day (`yyyyMMdd`)."""
    return f"{EXCHANGES_PREFIX}{day}"


def day_of_exchanges(name: str) -> str | None:
    """The day (`yyyyMMdd`) of a table of requests and answers; None for any other table."""
    day = name.removeprefix(EXCHANGES_PREFIX)
    return day if name != day and len(day) == 8 and day.isascii() and day.isdigit() else None


def bulks_table(month: str) -> str:
    """The table of the month's bulk operations."""
    return f"{BULKS_PREFIX}{month}"


def event_keys(event_id: str) -> tuple[str, str]:
    """Partition and row key of an event's row in its month's table."""
    found = _EVENT_ID.fullmatch(event_id)
    return (found[2] if found else hashed(event_id, 8)), event_id


def correlation_keys(correlation_id: str, event_id: str) -> tuple[str, str]:
    """Partition (one of four) and row key in the index by correlation id.

    Correlation ids are the caller's: hashed, as a row key takes neither every character nor every length. Partitions
    are few, so that one transaction takes what came in together; each takes 2,000 rows a second
    (learn.microsoft.com, "Scalability and performance targets for Table storage").
    """
    digest = hashed(correlation_id, 32)
    return f"c.{int(digest[0], 16) % 4}", f"{digest}.{event_id}"


def time_keys(event_id: str) -> tuple[str, str]:
    """Partition (day and hour) and row key in the index by time; the id begins with the minute."""
    return f"t.{event_id[6:10]}", event_id


def time_partition(hour: datetime) -> str:
    """The partition of the index by time that holds one hour."""
    return f"t.{hour.astimezone(UTC):%d%H}"


def problem_keys(state: str, event_id: str) -> tuple[str, str]:
    """Partition and row key in the table of events that wait or are dead-lettered."""
    return f"{state}.{hashed(event_id, 1)}", event_id


def problem_partitions(state: str) -> list[str]:
    """The partitions of the events in one of these states."""
    return [f"{state}.{digit:x}" for digit in range(16)]
