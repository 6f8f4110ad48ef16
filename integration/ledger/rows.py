"""How events and effects are laid out in the table `events`.

The event id `yyyyMMddHHmm-<hash>` gives partition (the minute) and row key (the hash); an effect's row key is the
event's with `.<effect>` behind it. So an event and its effects are read in one query and written in one transaction,
rows of one intake batch go in one transaction, and old partitions can be dropped whole.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from integration.events import IntegrationEvent
from integration.ledger.operation import Operation, State, Step

Row = dict[str, Any]

CORRELATIONS = "correlations"
"""The one partition of the table `correlations`, so that an intake batch is one transaction. A partition takes 2,000
rows a second (learn.microsoft.com, "Scalability targets for Table storage"), four times what a Service Bus namespace
does.
"""


def event_keys(event_id: str) -> tuple[str, str]:
    """Partition key and row key of an event."""
    minute, dash, digest = event_id.partition("-")
    return (minute, digest) if dash else ("other", event_id)


OF_EVENT = "PartitionKey eq @partition and RowKey ge @first and RowKey lt @end"


def event_range(event_id: str) -> dict[str, str]:
    """The parameters with which `OF_EVENT` selects an event and its effects."""
    partition, key = event_keys(event_id)
    return {"partition": partition, "first": key, "end": f"{key}~"}


def event_row(event: IntegrationEvent) -> Row:
    """What the intake and, where that failed, the worker write down about an event."""
    partition, key = event_keys(event.event_id)
    return {
        "PartitionKey": partition,
        "RowKey": key,
        "table": event.table,
        "recordId": event.record_id or "",
        "message": event.message,
        "organisation": event.organisation,
        "correlationId": event.correlation_id,
        "acceptedTime": event.accepted_time,
        "caller": event.caller or "",
    }


def effect_row(event_id: str, name: str, values: Mapping[str, Any]) -> Row:
    """One effect of an event."""
    partition, key = event_keys(event_id)
    return {"PartitionKey": partition, "RowKey": f"{key}.{name}", **values}


def correlation_prefix(correlation_id: str) -> str:
    """Correlation ids are the caller's: hashed, as a row key takes neither every character nor every length."""
    return hashlib.sha256(correlation_id.encode()).hexdigest()[:32]


def correlation_row(event: IntegrationEvent) -> Row:
    """Where an event is found by its correlation id."""
    return {
        "PartitionKey": CORRELATIONS,
        "RowKey": f"{correlation_prefix(event.correlation_id)}.{event.event_id}",
        "eventId": event.event_id,
    }


def to_operation(event_id: str, rows: Iterable[Mapping[str, Any]]) -> Operation | None:
    """Read an event's rows; None where the event's own row is missing."""
    _, key = event_keys(event_id)
    head: Mapping[str, Any] | None = None
    steps = []
    for row in rows:
        if row["RowKey"] == key:
            head = row
        else:
            steps.append(_to_step(row["RowKey"].removeprefix(f"{key}."), row))
    if head is None:
        return None
    if published := _utc(head.get("publishedTime")):
        steps.append(Step("publish", "done", published, "", "", {}))
    state, attempts = State(head.get("state", State.ACCEPTED)), head.get("attempts", 0)
    if state is State.ACCEPTED and steps:  # the first attempt's effects are under way
        state, attempts = State.PROCESSING, 1
    return Operation(
        event_id=event_id,
        correlation_id=head.get("correlationId", ""),
        organisation=head.get("organisation", ""),
        table=head.get("table", ""),
        record_id=head.get("recordId") or None,
        message=head.get("message", ""),
        state=state,
        accepted_time=_utc(head.get("acceptedTime")) or datetime.min.replace(tzinfo=UTC),
        attempts=attempts,
        next_attempt=_utc(head.get("nextAttempt")) if state is State.WAITING else None,
        reason=head.get("reason") or None,
        detail=head.get("detail") or None,
        history=tuple(json.loads(head.get("history", "[]"))),
        steps=tuple(sorted(steps, key=lambda step: step.at)),
        caller=head.get("caller") or None,
    )


def _to_step(name: str, row: Mapping[str, Any]) -> Step:
    return Step(
        name=name,
        state=row["state"],
        at=_utc(row["at"]) or datetime.min.replace(tzinfo=UTC),
        detail=row.get("detail", ""),
        basis=row.get("basis", ""),
        answer=json.loads(row.get("answer", "{}")),
    )


def _utc(value: datetime | None) -> datetime | None:
    """The SDK gives its own subclass of datetime; the rest of the project knows the plain one."""
    return None if value is None else datetime.fromtimestamp(value.timestamp(), UTC)
