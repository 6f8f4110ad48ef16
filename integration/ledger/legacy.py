"""The layout of release 0.1, read for one release where the present tables have nothing yet.

It had three tables: `events` (partition: the minute of the event id; a row per event and one per effect),
`correlations`, and `records` (partition `table:record id`, row `state`). A record's note becomes a `Memory` the first
time that the record is worked on; `run.py ledger rebuild` carries over all other notes.

This module, its test and the argument `old_layout` of `Ledger` can be deleted on two conditions: every installation has
run `run.py ledger rebuild` with this release (it says when no note remains), and nobody asks for events of the old
layout any more. Then delete the tables `events` and `correlations` by hand.
"""

import hashlib
import json
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from integration.ledger.memory import Effect, Memory
from integration.ledger.rows import UNKNOWN_TIME
from integration.ledger.status import EventStatus, State, Step
from integration.tables import Account, Entity, Table, quoted
from integration.transport import Transport

_EVENTS, _CORRELATIONS, _RECORDS, _NOTE = "events", "correlations", "records", "state"
_PREFIX: Final = "basis_"
_STARTED: Final = "begun"
_SCORE: Final = "credit-score"
_CUSTOMER: Final = "erp-customer"
"""Later effects need its answer; if that is not found the effect is sent again, which does no harm."""
_HELD: Final = "on-hold"
_HELD_FINGERPRINT: Final = hashlib.sha256(b'["on-hold"]').hexdigest()[:16]
"""The fingerprint of the effect erp-order for an order on hold; the old layout has the text `on-hold`."""


class OldLayout:
    """Reads the tables of release 0.1, if the account has them. Raises `Outage` if the tables are unavailable."""

    def __init__(self, account: Account, transport: Transport) -> None:
        self._account = account
        self._transport = transport
        self._exists: bool | None = None
        self._events = Table(account, transport, _EVENTS)
        self._correlations = Table(account, transport, _CORRELATIONS)
        self._records = Table(account, transport, _RECORDS)

    async def memory(self, session_id: str) -> Memory | None:
        """The memory from the old note of a record; None if there is no note."""
        if not await self.exists():
            return None
        found = await self._records.get(session_id, _NOTE)
        return await self._to_memory(found.entity) if found else None

    async def read(self, event_id: str) -> EventStatus | None:
        """The status of an event in the old layout; None if the event is not there."""
        if not await self.exists():
            return None
        return _to_status(event_id, await self._rows(event_id))

    async def by_correlation(self, correlation_id: str, most: int) -> list[str]:
        """The ids of the events of the old layout that share a correlation id."""
        if not await self.exists():
            return []
        prefix = hashlib.sha256(correlation_id.encode()).hexdigest()[:32]
        where = f"PartitionKey eq '{_CORRELATIONS}' and RowKey ge '{prefix}.' and RowKey lt '{prefix}~'"
        return [str(it["eventId"]) for it in await self._correlations.first(where, most, select=["eventId"])]

    async def notes(self) -> AsyncIterator[tuple[str, Memory]]:
        """All remaining notes: the record's session id, and the memory from its note."""
        if await self.exists():
            async for entity in self._records.query(f"RowKey eq '{_NOTE}'"):
                yield str(entity["PartitionKey"]), await self._to_memory(entity)

    async def forget(self, session_id: str) -> None:
        """Delete a note that was carried over."""
        await self._records.delete(session_id, _NOTE)

    async def erase(self, table: str, record_id: str) -> int:
        """Delete everything that the old layout has of a record; returns the number of rows.

        Slow, as it reads every event.
        """
        if not await self.exists():
            return 0
        deleted = int(await self._records.delete(f"{table}:{record_id}", _NOTE))
        where = f"recordId eq '{quoted(record_id)}' and table eq '{quoted(table)}'"
        async for event in self._events.query(where):
            partition, key = str(event["PartitionKey"]), str(event["RowKey"])
            digest = hashlib.sha256(str(event.get("correlationId", "")).encode()).hexdigest()[:32]
            for row in await self._rows(f"{partition}-{key}"):
                deleted += await self._events.delete(partition, str(row["RowKey"]))
            deleted += await self._correlations.delete(_CORRELATIONS, f"{digest}.{partition}-{key}")
        return deleted

    async def exists(self) -> bool:
        """Whether the account has tables of the old layout; checked once."""
        if self._exists is None:
            self._exists = _EVENTS in await self._account.tables(self._transport)
        return self._exists

    async def _rows(self, event_id: str) -> list[Entity]:
        """The row of an event and those of its effects."""
        minute, dash, digest = event_id.partition("-")
        if not dash or not (minute.isdigit() or minute == "unreadable") or not digest.isalnum():
            return []
        where = f"PartitionKey eq '{minute}' and RowKey ge '{digest}' and RowKey lt '{digest}~'"
        return [it async for it in self._events.query(where)]

    async def _to_memory(self, note: Entity) -> Memory:
        event_id = str(note.get("eventId", ""))
        answers = {
            step.name: json.loads(str(row.get("answer") or "{}"))
            for row in await self._rows(event_id)
            if "state" in row and (step := _step(row)) is not None and step.state == "done"
        }
        effects = {
            name: _effect(name, str(value), answers.get(name, {}), event_id)
            for column, value in note.items()
            if column.startswith(_PREFIX) and (name := column.removeprefix(_PREFIX).replace("_", "-"))
        }
        for fingerprint, answer in json.loads(str(note.get("paid") or "{}")).items():
            effects[_SCORE] = Effect(number=1, done=fingerprint, answer=answer, answered=fingerprint, event_id=event_id)
        if note.get("failed"):  # an event was given up, and nothing says which of its effects are missing
            effects.setdefault(_SCORE, Effect(number=1))
        return Memory(
            effects=effects,
            row_version=int(note.get("rowVersion") or 0),
            acted_by=event_id,
            acted_time=_minute(event_id),
        )


def _effect(name: str, noted: str, answer: dict[str, Any], event_id: str) -> Effect:
    if noted == _STARTED:
        return Effect(number=1, started="unknown", event_id=event_id)
    known = name != _CUSTOMER or answer
    fingerprint = _HELD_FINGERPRINT if noted == _HELD else noted
    return Effect(number=1, done=fingerprint if known else None, answer=answer, event_id=event_id)


def _minute(event_id: str) -> str:
    """The time of an event's operation, rounded down to the minute in its id."""
    try:
        return datetime.strptime(event_id.partition("-")[0], "%Y%m%d%H%M").replace(tzinfo=UTC).isoformat()
    except ValueError:
        return ""


def _to_status(event_id: str, rows: list[Entity]) -> EventStatus | None:
    digest = event_id.partition("-")[2]
    head: Mapping[str, Any] | None = next((row for row in rows if row["RowKey"] == digest), None)
    if head is None:
        return None
    steps = [step for row in rows if (step := _step(row)) is not None]
    if published := _time(head.get("publishedTime")):
        steps.append(Step("publish", "done", published))
    state, attempts = State(head.get("state", State.ACCEPTED)), int(head.get("attempts", 0))
    if state is State.ACCEPTED and steps:
        state, attempts = State.PROCESSING, 1
    return EventStatus(
        event_id=event_id,
        correlation_id=head.get("correlationId", ""),
        organisation=head.get("organisation", ""),
        table=head.get("table", ""),
        record_id=head.get("recordId") or None,
        message=head.get("message", ""),
        state=state,
        accepted_time=_time(head.get("acceptedTime")) or UNKNOWN_TIME,
        attempts=attempts,
        changed_time=_time(head.get("changedTime")),
        next_attempt=_time(head.get("nextAttempt")) if state is State.WAITING else None,
        reason=head.get("reason") or None,
        detail=head.get("detail") or None,
        history=tuple(json.loads(head.get("history") or "[]")),
        steps=tuple(sorted(steps, key=lambda step: step.at)),
        published_time=published,
    )


def _step(row: Mapping[str, Any]) -> Step | None:
    """The effect that a row of the table `events` holds; None for the row of the event itself."""
    _, dot, name = str(row["RowKey"]).partition(".")
    if not dot:
        return None
    at = _time(row.get("at")) or UNKNOWN_TIME
    return Step(name, str(row.get("state", "")), at, str(row.get("detail", "")))


def _time(text: str | None) -> datetime | None:
    """A time as the SDK has stored it: ISO 8601 with up to seven decimal places of a second."""
    return datetime.fromisoformat(text) if text else None
