"""Rows for people: the status of an event, and the indexes that find it. They decide nothing and can be rebuilt.

An event's row is merged, never replaced: the intake writes who and what, the worker writes the progress. `state` is
written only when an attempt has ended, so that a late write of an invocation that has lost its session changes no
state.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from integration.clock import iso
from integration.events import IntegrationEvent
from integration.ledger import keys
from integration.ledger.memory import DeadLetter, Memory
from integration.ledger.status import EventStatus, State, Step
from integration.tables import Entity

SCHEMA: Final = 1
UNKNOWN_TIME: Final = datetime.min.replace(tzinfo=UTC)
_HISTORY_KEPT: Final = 20
_LONGEST_DETAIL: Final = 1_000


def event_row(event: IntegrationEvent) -> Entity:
    """The part of an event's row that is known when the event is accepted."""
    partition, row = keys.event_keys(event.event_id)
    return {
        "PartitionKey": partition,
        "RowKey": row,
        "schema": SCHEMA,
        "table": event.table,
        "recordId": event.record_id or "",
        "message": event.message,
        "organisation": event.organisation,
        "correlationId": event.correlation_id,
        "acceptedTime": iso(event.accepted_time),
        "caller": event.caller or "",
        "replayOf": event.replay_of or "",
        "cause": event.cause or "",
        "traceparent": event.traceparent or "",
    }


def index_rows(event: IntegrationEvent | EventStatus) -> list[Entity]:
    """The index entries of an event: by its correlation id and by its time."""
    by_correlation = keys.correlation_keys(event.correlation_id, event.event_id)
    by_time = keys.time_keys(event.event_id)
    return [
        {"PartitionKey": by_correlation[0], "RowKey": by_correlation[1], "eventId": event.event_id},
        {
            "PartitionKey": by_time[0],
            "RowKey": by_time[1],
            "eventId": event.event_id,
            "table": event.table,
            "recordId": event.record_id or "",
            "message": event.message,
        },
    ]


def started(event: IntegrationEvent, steps: Sequence[Step], now: datetime) -> Entity:
    """The row while an attempt is under way."""
    return {**event_row(event), "startedAttempt": event.attempt, "startedTime": iso(now), "steps": _steps(steps)}


def ended(
    event: IntegrationEvent,
    state: State,
    *,
    now: datetime,
    steps: Sequence[Step],
    reason: str = "",
    detail: str = "",
    system: str = "",
    next_attempt: datetime | None = None,
    published: bool = False,
) -> Entity:
    """The row when an attempt has ended in `state`; a failed attempt also adds to the history."""
    row: Entity = {
        **event_row(event),
        "state": state.value,
        "attempts": event.attempt,
        "startedAttempt": event.attempt,
        "changedTime": iso(now),
        "nextAttempt": iso(next_attempt) if next_attempt else "",
        "reason": reason,
        "detail": detail[:_LONGEST_DETAIL],
        "system": system,
        "steps": _steps(steps),
    }
    if published:
        row["publishedTime"] = iso(now)
    if reason:
        attempt = {"attempt": event.attempt, "at": iso(now), "reason": reason, "detail": detail[:_LONGEST_DETAIL]}
        row[f"attempt{event.attempt % _HISTORY_KEPT:02}"] = json.dumps(attempt)
    return row


def problem_row(status: EventStatus, since: str) -> Entity:
    """The row in the list of problems for an event that waits or is dead-lettered."""
    partition, row = keys.problem_keys(status.state.value, status.event_id)
    return {
        "PartitionKey": partition,
        "RowKey": row,
        "schema": SCHEMA,
        "table": status.table,
        "recordId": status.record_id or "",
        "message": status.message,
        "reason": status.reason or "",
        "detail": status.detail or "",
        "system": status.system or "",
        "attempts": status.attempts,
        "since": since,
        "nextAttempt": iso(status.next_attempt) if status.next_attempt else "",
    }


def behind_row(event: IntegrationEvent, system: str, now: datetime) -> Entity:
    """The row in the list of problems for a system that has lost what it had confirmed, as `event` noticed."""
    partition, row = keys.problem_keys("system-behind", event.event_id)
    return {
        "PartitionKey": partition,
        "RowKey": row,
        "schema": SCHEMA,
        "table": event.table,
        "recordId": event.record_id or "",
        "message": event.message,
        "reason": f"{system}-behind",
        "detail": f"the {system} held an older state than it has confirmed",
        "system": system,
        "attempts": event.attempt,
        "since": iso(now),
        "nextAttempt": "",
    }


def resolved(event_id: str, *, by: str, now: datetime, letter: DeadLetter | None = None) -> Entity:
    """The row of a dead-lettered event that a later event has resolved; its `letter` says why it was dead-lettered."""
    partition, row = keys.event_keys(event_id)
    why = {"reason": letter.reason, "detail": letter.detail[:_LONGEST_DETAIL]} if letter else {}
    return {
        "PartitionKey": partition,
        "RowKey": row,
        "state": State.RESOLVED.value,
        "resolvedBy": by,
        "changedTime": iso(now),
        **why,
    }


def to_status(row: Mapping[str, Any]) -> EventStatus:
    """Read an event's row."""
    attempts, latest = int(row.get("attempts", 0)), int(row.get("startedAttempt", 0))
    state = State(row["state"]) if row.get("state") else State.ACCEPTED
    if latest > attempts and not state.final:
        state, attempts = State.PROCESSING, latest
    history = [json.loads(value) for name, value in row.items() if name.startswith("attempt") and name[7:].isdigit()]
    published = time(row.get("publishedTime"))
    steps = [_step(it) for it in json.loads(row.get("steps") or "[]")]
    if published:
        steps.append(Step("publish", "done", published))
    return EventStatus(
        event_id=row["RowKey"],
        correlation_id=row.get("correlationId", ""),
        organisation=row.get("organisation", ""),
        table=row.get("table", ""),
        record_id=row.get("recordId") or None,
        message=row.get("message", ""),
        state=state,
        accepted_time=time(row.get("acceptedTime")) or UNKNOWN_TIME,
        attempts=attempts,
        caller=row.get("caller") or None,
        changed_time=time(row.get("changedTime")) or time(row.get("startedTime")),
        next_attempt=time(row.get("nextAttempt")) if state is State.WAITING else None,
        reason=row.get("reason") or None,
        detail=row.get("detail") or None,
        system=row.get("system") or None,
        history=tuple(sorted(history, key=lambda it: int(it["attempt"]))),
        steps=tuple(sorted(steps, key=lambda step: step.at)),
        published_time=published,
        resolved_by=row.get("resolvedBy") or None,
        replay_of=row.get("replayOf") or None,
        cause=row.get("cause") or None,
        traceparent=row.get("traceparent") or None,
        replayed_by=row.get("replayedBy") or None,
        note=row.get("note") or None,
    )


def time(text: str | None) -> datetime | None:
    """The time that `iso` wrote."""
    return datetime.fromisoformat(text) if text else None


def _steps(steps: Sequence[Step]) -> str:
    return json.dumps(
        [{"name": it.name, "state": it.state, "at": iso(it.at), "detail": it.detail} for it in steps],
        separators=(",", ":"),
    )


def _step(content: Mapping[str, Any]) -> Step:
    return Step(content["name"], content["state"], time(content["at"]) or UNKNOWN_TIME, content["detail"])


def again(event: IntegrationEvent, state: State, memory: Memory, *, published: datetime | None = None) -> Entity:
    """An earlier event, whose final row may have been lost with the process that was to write it."""
    row: Entity = {
        **event_row(event),
        "state": state.value,
        "attempts": event.attempt,
        "steps": _steps(steps_of(memory, event.event_id)),
    }
    return row | {"publishedTime": iso(published)} if published else row


def steps_of(memory: Memory, event_id: str) -> list[Step]:
    """The effects that the event has done, as the record remembers them."""
    return [
        Step(name, "done" if effect.done is not None else "started", datetime.fromisoformat(effect.at), effect.detail)
        for name, effect in memory.effects.items()
        if effect.event_id == event_id and effect.at
    ]


def from_memory(status: EventStatus, memory: Memory) -> Entity | None:
    """The row that says how the event ended, from what its record remembers; None if the record knows no end."""
    partition, row = keys.event_keys(status.event_id)
    keyed: Entity = {"PartitionKey": partition, "RowKey": row}
    keyed["steps"] = _steps(status.steps or steps_of(memory, status.event_id))
    if state := memory.recent.get(status.event_id):
        return {**keyed, "state": state.value, "attempts": max(status.attempts, 1), "reason": ""}
    if letter := memory.dead_letters.get(status.event_id):
        why = {"reason": letter.reason, "detail": letter.detail, "changedTime": letter.at}
        return {**keyed, "state": State.DEAD_LETTERED.value, "attempts": max(status.attempts, 1), **why}
    return None
