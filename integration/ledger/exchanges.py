"""What was sent to other systems and what came back, for people who look for a cause.

That is kept of attempts that failed, and of all attempts of events that debug detail is on for.

Nothing else in the ledger has values of columns. So these rows are in tables of their own, one for each day
(`exchanges<yyyyMMdd>`), which are dropped as a whole after a few days. They are no part of the ledger's copies, and are
erased with the record.

Headers are kept by name, of a list: whatever admits a caller is never among them. In addresses and bodies, values whose
name says that they are secret are replaced.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from integration.batching import Batcher, each
from integration.clock import iso
from integration.errors import IntegrationError
from integration.events import IntegrationEvent
from integration.ledger import keys, rows
from integration.tables import Entity, Table
from integration.telemetry import get_logger
from integration.transport import Call

LONGEST: Final = 16_000
"""Characters of a body that are kept; a text column of Azure Tables takes 32,000."""
_LONGEST_URL: Final = 2_000
_LINGER_SECONDS: Final = 1.0
_MOST_WAITING: Final = 200
_HIDDEN: Final = "(not kept)"
_HEADERS: Final = frozenset({
    "accept", "content-language", "content-type", "date", "etag", "idempotency-key", "if-match", "if-none-match",
    "location", "mscrm.tag", "odata-entityid", "prefer", "preference-applied", "request-id", "retry-after",
    "www-authenticate", "x-correlation-id", "x-ms-correlation-request-id", "x-ms-dop-hint", "x-ms-service-request-id",
    "x-request-id",
})  # fmt: skip
_WORDS: Final = "passw|secret|token|credential|api[-_]?key|authori[sz]ation|signature|client-?state"
_NAMES: Final = rf"[^\"&=?\s]{{0,60}}(?:{_WORDS})[^\"&=?\s]{{0,60}}"
"""Names of values that are secret; of bounded length, so that no body takes long to look through."""
_IN_JSON: Final = re.compile(rf'("{_NAMES}"\s*:\s*)(?:"(?:[^"\\]|\\.)*(?:"|\\?$)|[^\s"\[\]{{}},]+)', re.IGNORECASE)
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_IN_FORM: Final = re.compile(rf"((?:^|[?&])(?:{_NAMES}|sig|code|key)=)[^&#\s]*", re.IGNORECASE)
_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Body:
    """The beginning of a body as text; `size` is how many bytes all of it had."""

    text: str
    size: int
    headers: Mapping[str, str]

    @property
    def cut(self) -> bool:
        """Whether only the beginning was kept."""
        return len(self.text) == LONGEST


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request of an attempt that failed and its answer; `status` is 0 where there was none, `seconds` how long."""

    event_id: str
    attempt: int
    at: datetime
    seconds: float
    system: str
    operation: str
    method: str
    url: str
    status: int
    sent: Body
    received: Body


class Exchanges:
    """Keeps them without holding up an event, and lists them. Lists raise `Outage` if the tables are unavailable."""

    def __init__(self, table: Callable[[str], Table]) -> None:
        self._table = table
        self._rows: Batcher[Entity] = Batcher(self._write, linger=_LINGER_SECONDS, largest_batch=_MOST_WAITING)

    def keep(self, event: IntegrationEvent, calls: Sequence[Call]) -> None:
        """Write the calls of this attempt down soon; where too many wait, or the tables are away, nothing is kept."""
        if self._rows.waiting + len(calls) > _MOST_WAITING:
            _log.warning("exchanges-not-kept", event=event, count=len(calls))
            return
        for number, call in enumerate(calls):
            self._rows.submit(exchange_row(event, number, call))

    async def of_event(self, event_id: str, names: Sequence[str]) -> list[Exchange]:
        """Those of an event, in the order in which they were sent; `names` are the tables that exist."""
        partition, row = keys.event_keys(event_id)
        where = f"PartitionKey eq '{partition}' and RowKey gt '{row}.' and RowKey lt '{row}.~'"
        found = await each(
            lambda name: self._table(name).first(where, 200), [it for it in names if keys.day_of_exchanges(it)]
        )
        exchanges = [_exchange(it) for entities in found for it in entities]
        return sorted(exchanges, key=lambda it: (it.attempt, it.at))

    async def drain(self) -> None:
        """Write what is waiting."""
        await self._rows.drain()

    async def _write(self, entities: Sequence[Entity]) -> None:
        by_day: dict[str, list[Entity]] = {}
        for entity in entities:
            day = str(entity["at"])[:10].replace("-", "")
            by_day.setdefault(keys.exchanges_table(day), []).append(entity)
        try:
            for name, of_day in by_day.items():
                await self._table(name).merge_all(of_day)
        except IntegrationError as error:
            _log.warning("exchanges-not-kept", error=error, count=len(entities))
            raise


def exchange_row(event: IntegrationEvent, number: int, call: Call) -> Entity:
    """The row of one call of an attempt, which is its `number`th that is kept."""
    partition, row = keys.event_keys(event.event_id)
    request, answer = call.request, call.answer
    return {
        "PartitionKey": partition,
        "RowKey": f"{row}.{event.attempt:05}.{number}",
        "schema": rows.SCHEMA,
        "table": event.table,
        "recordId": event.record_id or "",
        "attempt": event.attempt,
        "at": iso(call.at.astimezone(UTC)),
        "milliseconds": round(call.seconds * 1_000),
        "system": request.service,
        "operation": request.operation,
        "method": request.method,
        "url": _without_secrets(request.url)[:_LONGEST_URL],
        "status": answer.status if answer else 0,
        "sentHeaders": _headers(request.headers),
        "sent": _text(request.body or b""),
        "sentBytes": len(request.body or b""),
        "receivedHeaders": _headers(answer.headers if answer else {}),
        "received": _text(answer.body if answer else b""),
        "receivedBytes": len(answer.body) if answer else 0,
    }


def _exchange(row: Entity) -> Exchange:
    def body(name: str) -> Body:
        return Body(str(row[name]), int(row[f"{name}Bytes"]), json.loads(str(row[f"{name}Headers"])))

    return Exchange(
        event_id=str(row["RowKey"]).partition(".")[0],
        attempt=int(row["attempt"]),
        at=datetime.fromisoformat(str(row["at"])),
        seconds=int(row["milliseconds"]) / 1_000,
        system=str(row["system"]),
        operation=str(row["operation"]),
        method=str(row["method"]),
        url=str(row["url"]),
        status=int(row["status"]),
        sent=body("sent"),
        received=body("received"),
    )


def _headers(headers: Mapping[str, str]) -> str:
    kept = {name.lower(): _without_secrets(it)[:500] for name, it in headers.items() if name.lower() in _HEADERS}
    return json.dumps(kept, separators=(",", ":"))


def _text(body: bytes) -> str:
    """The beginning of a body as text; a mark stands in place of what is none."""
    text = _CONTROL.sub("\ufffd", body[: 4 * LONGEST].decode(errors="replace"))
    return _without_secrets(text)[:LONGEST]


def _without_secrets(text: str) -> str:
    return _IN_FORM.sub(rf"\g<1>{_HIDDEN}", _IN_JSON.sub(rf'\g<1>"{_HIDDEN}"', text))
