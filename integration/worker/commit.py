"""Events that were sent before their transaction was committed: the row may not show them yet, or never.

A synchronous step posts inside the transaction (stage 40 and below, IsInTransaction); what it announces can be read
only after the commit, and is undone by a rollback. A transaction lasts two minutes at most (Dataverse, "Design
customizations for scalability: transaction timeouts").
"""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from integration.dataverse import Row
from integration.events import Choice, Choices, IntegrationEvent, Lookup, Money
from integration.events.values import Value

_YOUNG: Final = timedelta(seconds=15)
"""A row that a Create names and that is not there so long after is not merely late."""


def waits_for_commit(  # noqa: PLR0911 -- one return for each case
    event: IntegrationEvent, row: Row | None, now: datetime, longest: timedelta
) -> bool:
    """Whether the row does not show yet what the event announces, and still may; `longest` lasts a transaction."""
    age = now - event.accepted_time
    if age > longest:
        return False
    if row is None:
        if event.uncommitted:
            return event.message != "Delete"
        return event.message == "Create" and age < _YOUNG
    if not event.uncommitted:
        return False
    if event.message == "Delete":
        return True
    if event.expected:
        return not all(_shows(row, column, value) for column, value in event.expected.items())
    return event.changed_columns is None or event.trimmed


def _shows(row: Row, column: str, value: Value) -> bool:
    """Whether the row has this value; of a kind that is not compared, it counts as shown."""
    if isinstance(value, Lookup):
        found = row.lookups.get(column)
        return found is not None and found.id.lower() == value.id.lower()
    if f"_{column}_value" in row.values:
        return value is None and row.values[f"_{column}_value"] is None
    if column not in row.values:
        return True
    return bool(_comparable(row.values[column]) == _comparable(value))


def _comparable(value: Any) -> Any:
    if isinstance(value, Money):
        return Decimal(value.amount)
    if isinstance(value, Choice):
        return value.value
    if isinstance(value, Choices):
        return ",".join(map(str, value.values))
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, str):
        return _time_or_text(value)
    return value


def _time_or_text(text: str) -> float | str:
    """Times are written in more than one way; what is no time stays text."""
    if len(text) < 10 or text[4:5] != "-":
        return text
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return text
