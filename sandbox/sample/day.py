"""The sample as lines of an exported ledger (docs/how-to/ledger.md), which `run.py ledger import` takes.

Every time is relative to now, so that the day is always the last one. Nothing of it exists in Dataverse or in the ERP:
an event of it that is sent again finds no row, and ends without effect.
"""

import hashlib
import json
import random
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sandbox.sample.moments import iso

_TIMEOUT: Final = "credit did not answer within 20 s"
_ORGANISATION: Final = "a939603b-3dc7-46c5-a4c4-8406060c0af7"
_ENTITY = dict[str, Any]
_STEPS: Final = {
    "account": (("erp-customer", "customer C-{number}"),),
    "contact": (("erp-customer", "customer C-{number}"),),
    "opportunity": (("credit-score", "score {score}, {grade}"), ("erp-order", "order SO-{number}")),
}
_HOURS: Final = (2, 1, 1, 1, 2, 4, 9, 22, 41, 52, 55, 47, 30, 44, 58, 56, 48, 31, 16, 9, 7, 5, 4, 3)
"""Events in each hour of the day, UTC: people work from eight to six."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Events that fail alike; the first failed so many hours ago, and the last so many."""

    reason: str
    system: str
    table: str
    count: int
    first: float
    last: float
    details: Sequence[str]
    message: str = "Update"
    attempts: int = 1


FAILURES: Final = (
    Failure(
        "erp-period-closed", "erp", "opportunity", 23, 3.4, 0.1,
        ("Posting date 30 Nov is not within the range of allowed posting dates.",),
    ),
    Failure(
        "row-incomplete", "", "opportunity", 6, 21.0, 4.2,
        ("estimatedvalue is empty", "the opportunity has no customer", "transactioncurrencyid is empty"),
    ),
    Failure(
        "erp-value-too-long", "erp", "account", 3, 17.0, 9.0,
        ('emailaddress1 is longer than 80 characters: "procurement.department.northern.europe@fourthcoffee.example"',),
    ),
    Failure("currency-without-code", "", "opportunity", 2, 30.0, 26.0, ("the currency Festival has no ISO code",)),
    Failure(
        "retries-exhausted", "credit", "opportunity", 1, 12.0, 12.0,
        ("credit did not answer within 20 s, at each of 31 attempts over 4 days",), attempts=31,
    ),
)  # fmt: skip
EXCHANGES: Final = {
    "erp-period-closed": (
        "put order", "PUT", "https://erp.contoso.example/orders/{record}", 422,
        {"customerNumber": "C-10233", "currency": "EUR", "amount": "18450.00", "orderDate": "2026-11-30",
         "lines": [{"description": "Mountain bikes, 12 pieces", "amount": "18450.00"}]},
        {"type": "https://erp.contoso.example/problems/period-closed", "title": "The period is closed", "status": 422,
         "detail": "Posting date 30 Nov is not within the range of allowed posting dates.",
         "errors": [{"pointer": "/orderDate", "detail": "is in November"}]},
    ),
    "erp-value-too-long": (
        "put customer", "PUT", "https://erp.contoso.example/customers/{record}", 422,
        {"name": "Fourth Coffee", "email": "procurement.department.northern.europe@fourthcoffee.example"},
        {"type": "https://erp.contoso.example/problems/value-too-long", "title": "A value is too long", "status": 422,
         "errors": [{"pointer": "/email", "detail": "has at most 80 characters"}]},
    ),
    "retries-exhausted": (
        "score", "POST", "https://credit.contoso.example/scores", 0,
        {"subject": "account", "name": "Adventure Works", "amount": "7200.00", "currency": "EUR"}, {},
    ),
}  # fmt: skip
"""What was sent and what came back, by reason."""
NOTES: Final = (
    (2.9, "mara.lindqvist", "pause", "erp", "Finance closes November until the afternoon"),
    (1.6, "mara.lindqvist", "resume", "erp", "The period is open again for orders"),
    (5.2, "tomas.reyes", "pause", "credit", "Credit scoring moves to its new data centre"),
    (4.9, "tomas.reyes", "resume", "credit", "The move is done"),
)


def lines(now: datetime, *, seed: int = 7) -> Iterator[str]:
    """The lines of the file: a header, the entities, and the end."""
    rows = list(_Day(now.astimezone(UTC), random.Random(seed)).rows())
    head = {
        "ledger": "dataverse-integration",
        "format": 1,
        "recordSchema": 1,
        "rowSchema": 1,
        "exportedTime": iso(now),
    }
    for line in (
        head,
        *({"table": table, "entity": entity} for table, entity in rows),
        {"end": True, "entities": len(rows)},
    ):
        yield json.dumps(line, ensure_ascii=False, separators=(",", ":"))


@dataclass
class _Day:
    now: datetime
    chance: random.Random
    numbers: Iterator[int] = field(default_factory=lambda: iter(range(10_233, 99_999)))

    def rows(self) -> Iterator[tuple[str, _ENTITY]]:
        for back in range(24):
            hour = self.now - timedelta(hours=back)
            for _ in range(_HOURS[hour.hour]):
                yield from self._ended(hour - timedelta(seconds=self.chance.uniform(0, 3600)))
        for failure in FAILURES:
            for number in range(failure.count):
                share = (number / max(failure.count - 1, 1)) ** 0.8
                ago = failure.first + (failure.last - failure.first) * share + self.chance.uniform(-0.04, 0.04)
                yield from self._failed(failure, self.now - timedelta(hours=max(ago, 0.02)), number)
        yield from self._unreadable(self.now - timedelta(hours=7.3))
        for hours, who, what, system, why in NOTES:
            yield from self._audit(self.now - timedelta(hours=hours), who, what, why, system)

    def _ended(self, at: datetime) -> Iterator[tuple[str, _ENTITY]]:
        table = self.chance.choices(("opportunity", "account", "contact"), (6, 3, 2))[0]
        state = self.chance.choices(("completed", "superseded", "resolved", "waiting-once"), (88, 8, 1, 3))[0]
        event_id, common = self._event(table, at, self.chance.choice(("Update", "Update", "Update", "Create")))
        ended = at + timedelta(seconds=self.chance.uniform(0.25, 0.9))
        columns: _ENTITY = {"attempts": 1, "startedAttempt": 1}
        if state == "waiting-once":
            columns = {
                "attempts": 2,
                "startedAttempt": 2,
                "attempt01": _attempt(1, ended, "credit-timeout", _TIMEOUT),
            }
            ended += timedelta(seconds=self.chance.uniform(3, 14))
        if state == "resolved":
            later, after = self._event(table, at + timedelta(minutes=14), "Update", str(common["recordId"]))
            columns |= {
                "attempt01": _attempt(1, ended, "row-incomplete", "estimatedvalue is empty"),
                "resolvedBy": later,
            }
            columns |= {"reason": "row-incomplete", "detail": "estimatedvalue is empty"}
            yield from self._row(later, after, {"state": "completed", "attempts": 1, "startedAttempt": 1,
                                                "changedTime": iso(at + timedelta(minutes=14, seconds=1)),
                                                "steps": self._steps(table, at + timedelta(minutes=14))})  # fmt: skip
        word = "completed" if state == "waiting-once" else state
        columns |= {"state": word, "changedTime": iso(ended)}
        if word == "completed":
            columns |= {"steps": self._steps(table, ended - timedelta(seconds=0.2)), "publishedTime": iso(ended)}
        yield from self._row(event_id, common, columns)

    def _failed(self, failure: Failure, at: datetime, number: int) -> Iterator[tuple[str, _ENTITY]]:
        accepted = at - timedelta(hours=3 * (failure.attempts - 1))
        event_id, common = self._event(failure.table, accepted, failure.message)
        detail = failure.details[number % len(failure.details)]
        ended = at + timedelta(seconds=self.chance.uniform(0.5, 1.4))
        has_score = failure.table == "opportunity" and failure.reason != "row-incomplete" and failure.system != "credit"
        started = self._step_list("opportunity", accepted)[:1] if has_score else []
        first = max(failure.attempts - 19, 1)
        history = {
            f"attempt{count % 20:02}": _attempt(
                count, ended - timedelta(hours=3 * (failure.attempts - count)),
                *((failure.reason, detail) if count == failure.attempts else ("credit-timeout", _TIMEOUT)),
            )
            for count in range(first, failure.attempts + 1)
        }  # fmt: skip
        why = {"reason": failure.reason, "detail": detail, "system": failure.system}
        columns = {
            "state": "dead-lettered", "attempts": failure.attempts, "startedAttempt": failure.attempts,
            "changedTime": iso(ended), "steps": json.dumps(started), **why, **history,
        }  # fmt: skip
        yield from self._row(event_id, common, columns)
        yield "problems", _problem(event_id, _named(common), {**why, "attempts": failure.attempts}, ended)
        if failure.reason in EXCHANGES:
            yield f"exchanges{ended:%Y%m%d}", _exchange(event_id, common, failure, ended)

    def _unreadable(self, at: datetime) -> Iterator[tuple[str, _ENTITY]]:
        """A message that somebody has put into the queue by hand."""
        event_id = f"unreadable-{hashlib.sha256(b'hello').hexdigest()[:32]}"
        why: _ENTITY = {"reason": "unreadable", "detail": "the message is not JSON", "system": "", "attempts": 1}
        named = {"table": "", "recordId": "", "message": ""}
        yield (
            "events000000",
            {"PartitionKey": _digest(event_id)[:8], "RowKey": event_id, "schema": 1, **named, **why, "organisation": "",
             "correlationId": "", "acceptedTime": iso(at), "caller": "", "replayOf": "", "state": "dead-lettered",
             "startedAttempt": 1, "changedTime": iso(at), "steps": "[]"},
        )  # fmt: skip
        yield "problems", _problem(event_id, named, why, at)

    def _event(self, table: str, at: datetime, message: str, record: str = "") -> tuple[str, _ENTITY]:
        record = record or str(uuid.UUID(int=self.chance.getrandbits(128), version=4))
        partition = _digest(f"{table}:{record}")[:8]
        event_id = f"{at:%Y%m%d%H%M}-{partition}{self.chance.getrandbits(96):024x}"
        common = {
            "table": table, "recordId": record, "message": message, "organisation": _ORGANISATION,
            "correlationId": str(uuid.UUID(int=self.chance.getrandbits(128), version=4)), "acceptedTime": iso(at),
            "caller": "dataverse", "replayOf": "",
        }  # fmt: skip
        return event_id, common

    def _row(self, event_id: str, common: _ENTITY, columns: _ENTITY) -> Iterator[tuple[str, _ENTITY]]:
        month, digest = event_id[:6], _digest(str(common["correlationId"]))
        row = {
            "PartitionKey": event_id[13:21],
            "RowKey": event_id,
            "schema": 1,
            "steps": "[]",
            "nextAttempt": "",
            "reason": "",
            "detail": "",
            "system": "",
        }
        yield f"events{month}", {**row, **common, **columns}
        yield (
            f"index{month}",
            {"PartitionKey": f"c.{int(digest[0], 16) % 4}", "RowKey": f"{digest}.{event_id}", "eventId": event_id},
        )
        by_time = {"PartitionKey": f"t.{event_id[6:10]}", "RowKey": event_id, "eventId": event_id}
        yield f"index{month}", {**by_time, **_named(common)}

    def _steps(self, table: str, at: datetime) -> str:
        return json.dumps(self._step_list(table, at))

    def _step_list(self, table: str, at: datetime) -> list[dict[str, str]]:
        found = []
        for place, (name, says) in enumerate(_STEPS[table]):
            score = self.chance.randint(38, 97)
            said = says.format(
                number=next(self.numbers), score=score, grade="low risk" if score > 60 else "medium risk"
            )
            found.append(
                {"name": name, "state": "done", "at": iso(at + timedelta(seconds=0.1 * place)), "detail": said}
            )
        return found

    def _audit(self, at: datetime, who: str, what: str, why: str, system: str) -> Iterator[tuple[str, _ENTITY]]:
        row = f"{10**16 - int(at.timestamp() * 1_000_000):016}.{self.chance.getrandbits(32):08x}"
        digest = _digest(who)[:16]
        for partition in ("all", f"who.{digest}"):
            first = {"schema": 1, "what": what, "who": who, "why": why, "time": iso(at), "system": system}
            yield f"audit{at:%Y%m}", {"PartitionKey": partition, "RowKey": row, **first}
            end = {"schema": 1, "outcome": "done", "endedTime": iso(at + timedelta(seconds=0.1))}
            yield f"audit{at:%Y%m}", {"PartitionKey": partition, "RowKey": f"{row}.end", **end}


def _problem(event_id: str, named: _ENTITY, why: _ENTITY, since: datetime) -> _ENTITY:
    """A row of the list of what is dead-lettered."""
    partition = f"dead-lettered.{_digest(event_id)[:1]}"
    times = {"since": iso(since), "nextAttempt": ""}
    return {"PartitionKey": partition, "RowKey": event_id, "schema": 1, **named, **why, **times}


def _exchange(event_id: str, common: _ENTITY, failure: Failure, at: datetime) -> _ENTITY:
    """The request of the last attempt, and its answer."""
    operation, method, url, status, sent, received = EXCHANGES[failure.reason]
    bodies = [json.dumps(it, separators=(",", ":")) if it else "" for it in (sent, received)]
    effect = f"{failure.system}-{operation.rpartition(' ')[2]}"
    key = f"{effect}:{common['table']}:{common['recordId']}:1:{_digest(event_id)[:16]}"
    headers = [
        {"content-type": "application/json", "idempotency-key": key},
        {"content-type": "application/problem+json"} if status else {},
    ]
    return {
        "PartitionKey": event_id[13:21], "RowKey": f"{event_id}.{failure.attempts:05}.0", "schema": 1,
        "table": common["table"], "recordId": common["recordId"], "attempt": failure.attempts, "at": iso(at),
        "milliseconds": 312 if status else 20_000, "system": failure.system, "operation": operation,
        "method": method, "url": url.format(record=common["recordId"]), "status": status,
        "sentHeaders": json.dumps(headers[0]), "sent": bodies[0], "sentBytes": len(bodies[0]),
        "receivedHeaders": json.dumps(headers[1]), "received": bodies[1], "receivedBytes": len(bodies[1]),
    }  # fmt: skip


def _named(common: _ENTITY) -> _ENTITY:
    """What names the record and the change."""
    return {name: common[name] for name in ("table", "recordId", "message")}


def _digest(text: str) -> str:
    """The hash from which the ledger makes its keys."""
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _attempt(number: int, at: datetime, reason: str, detail: str) -> str:
    return json.dumps({"attempt": number, "at": iso(at), "reason": reason, "detail": detail})
