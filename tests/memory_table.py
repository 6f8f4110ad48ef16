"""A table in memory, and a world around a worker: the ledger's own code runs over it."""

import dataclasses
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

from integration.claim_check import ClaimCheck
from integration.dataverse import Row
from integration.errors import NotFound, Outage
from integration.events import IntegrationEvent, from_envelope, to_envelope
from integration.ledger import Ledger, Memory, State, keys
from integration.ledger.record import read_memory
from integration.ledger.shared_state import TableState
from integration.messaging import EventPublisher, WorkQueue
from integration.protection import DebugDetail, Postponements, TablePauses
from integration.tables import Entity, EntityExists, Page, PreconditionFailed, Table, Versioned
from integration.tables.entity import Property, encode
from integration.transport import CallContext, RetryPolicy
from integration.worker import Handler, Holds, Outcome, Work, Worker
from integration.worker.reading import Reads, Rows
from tests.builders import event as new_event
from tests.claim_kit import MemoryContents, claim_check
from tests.odata_filter import parse
from tests.worker_kit import worker_of


class MemoryTable(Table):
    """What `Table` does, in a dictionary; `away` makes every call fail, `calls` counts them by operation."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.entities: dict[tuple[str, str], Entity] = {}
        self.versions: dict[tuple[str, str], int] = {}
        self.calls: list[str] = []
        self.away = False

    async def get(self, partition: str, row: str) -> Versioned | None:
        self._called("get")
        key = (partition, row)
        return Versioned(dict(self.entities[key]), self._etag(key)) if key in self.entities else None

    async def insert(self, entity: Mapping[str, Property]) -> str:
        self._called("insert")
        if _key(entity) in self.entities:
            raise EntityExists("exists")
        return self._store(entity, {})

    async def merge(self, entity: Mapping[str, Property]) -> None:
        self._called("merge")
        self._store(entity, self.entities.get(_key(entity), {}))

    async def replace(self, entity: Mapping[str, Property], *, etag: str | None) -> str:
        self._called("replace")
        if etag is not None and etag != self._etag(_key(entity)):
            raise PreconditionFailed("changed")
        return self._store(entity, {})

    async def delete(self, partition: str, row: str, *, etag: str = "*") -> bool:
        self._called("delete")
        if etag not in {"*", self._etag((partition, row))}:
            raise PreconditionFailed("changed")
        return self.entities.pop((partition, row), None) is not None

    async def merge_all(self, entities: Sequence[Mapping[str, Property]]) -> None:
        merged: dict[tuple[str, str], Entity] = {}
        for entity in entities:
            merged[_key(entity)] = {**merged.get(_key(entity), {}), **entity}
        for entity in merged.values():
            await self.merge(entity)

    async def page(
        self,
        where: str | None,
        *,
        select: Sequence[str] = (),
        top: int = 1_000,
        following: Mapping[str, str] | None = None,
    ) -> Page:
        self._called("query")
        holds = parse(where) if where else lambda _entity: True
        after = tuple((following or {}).values())
        found = [self.entities[key] for key in sorted(self.entities) if key > after and holds(self.entities[key])]
        page = [{name: it for name, it in one.items() if not select or name in select} for one in found[:top]]
        last = dict(zip(("NextPartitionKey", "NextRowKey"), _key(found[top - 1]), strict=True)) if found[top:] else None
        return Page(page, last)

    def _called(self, operation: str) -> None:
        self.calls.append(operation)
        if self.away:
            raise Outage("the tables are away", reason="ledger-unavailable", service="ledger")

    def _store(self, entity: Mapping[str, Property], beneath: Entity) -> str:
        encode(entity)
        key = _key(entity)
        self.entities[key] = {**beneath, **entity}
        self.versions[key] = self.versions.get(key, 0) + 1
        return self._etag(key)

    def _etag(self, key: tuple[str, str]) -> str:
        return f'W/"{self.versions.get(key, 0)}"'


def _key(entity: Mapping[str, Property]) -> tuple[str, str]:
    return str(entity["PartitionKey"]), str(entity["RowKey"])


class MemoryLedger(Ledger):
    """The ledger over tables in memory."""

    def __init__(self, clock: "ManualClock") -> None:
        super().__init__(None, None, clock)  # type: ignore[arg-type] # no account: `table` is all that reaches outside

    def table(self, name: str) -> MemoryTable:
        table = self._tables.setdefault(name, MemoryTable(name))
        assert isinstance(table, MemoryTable)
        return table

    async def names(self) -> list[str]:
        return sorted(name for name in self._tables if self.table(name).entities)

    @property
    def records(self) -> MemoryTable:
        """Where records are."""
        return self.table(keys.RECORDS)

    def memory(self, session_id: str) -> Memory:
        """What is stored of a record."""
        entity = self.records.entities.get(keys.record_keys(session_id))
        return read_memory(entity) if entity else Memory()


class ManualClock:
    """A clock that tests move."""

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 20, 20, 0, tzinfo=UTC)
        self.seconds = 1_000.0

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        self.seconds += seconds
        self.time += timedelta(seconds=seconds)


class QueueStub(WorkQueue):
    """Takes events and copies; `full` refuses them."""

    name = "work"

    def __init__(self) -> None:
        self.sent: list[IntegrationEvent] = []
        self.scheduled: list[tuple[IntegrationEvent, datetime]] = []
        self.full = False

    def send(self, event: IntegrationEvent, envelope: bytes) -> "Future[None]":
        future: Future[None] = Future()
        if self.full:
            future.set_exception(Outage("full", reason="broker-unavailable"))
        else:
            assert from_envelope(envelope) == event
            self.sent.append(event)
            future.set_result(None)
        return future

    def schedule(self, event: IntegrationEvent, due: datetime) -> "Future[None]":
        future: Future[None] = Future()
        if self.full:
            future.set_exception(Outage("full", reason="broker-unavailable"))
        else:
            self.scheduled.append((event, due))
            future.set_result(None)
        return future


class HubStub(EventPublisher):
    """Takes settled events; `away` acknowledges none."""

    name = "integration-events"

    def __init__(self) -> None:
        self.published: list[bytes] = []
        self.away = False

    def publish(self, key: str, body: bytes, *, content_type: str = "") -> "Future[None]":
        future: Future[None] = Future()
        if self.away:
            future.set_exception(Outage("away", reason="hub-unavailable"))
        else:
            self.published.append(body)
            future.set_result(None)
        return future


class RowsStub(Rows):
    """Rows of Dataverse by record id; what is not there does not exist."""

    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}
        self.reads = 0
        self.error: Exception | None = None

    async def read(self, reads: Reads, record_id: str, context: CallContext) -> Row:
        self.reads += 1
        if self.error is not None:
            raise self.error
        if record_id not in self.rows:
            raise NotFound("no such row", reason="dataverse-not-found", service="dataverse", record_id=record_id)
        return self.rows[record_id]


Step = Callable[[Work, Row], Awaitable[Outcome]]


class CountingHandler(Handler):
    """Does one effect with the row's name; `script` is raised or done in its place first, in order."""

    table = "opportunity"
    messages = frozenset({"Create", "Update", "Delete", "Assign"})
    ignored = frozenset({"Assign"})
    answers = MappingProxyType({"order": ("number",)})

    def __init__(self) -> None:
        self.script: list[Exception | Step] = []
        self.keys: list[str] = []
        self.marked: list[str] = []
        self.mark_error: Exception | None = None
        self.charged = False

    @property
    def reads(self) -> Reads:
        return Reads("opportunities", ("name",))

    async def present(self, work: Work, row: Row) -> Outcome:
        if self.script:
            scripted = self.script.pop(0)
            if isinstance(scripted, Exception):
                raise scripted
            return await scripted(work, row)

        async def do(key: str) -> Mapping[str, Any]:
            self.keys.append(key)
            return {"number": f"N-{len(self.keys)}", "secret": "x"}

        await work.effects.once("order", str(row.values["name"]), do, charged=self.charged)
        return Outcome.completed("ordered") if work.trace.drove else Outcome.superseded("nothing to do")

    async def deleted(self, work: Work) -> Outcome:
        return Outcome.completed("deleted")

    async def mark_failed(self, event: IntegrationEvent, reason: str) -> int:
        if self.mark_error is not None:
            raise self.mark_error
        self.marked.append(reason)
        return 7


@dataclasses.dataclass
class World:
    """A worker and all around it."""

    clock: ManualClock
    ledger: MemoryLedger
    queue: QueueStub
    hub: HubStub
    rows: RowsStub
    handler: CountingHandler
    worker: Worker
    pauses: TablePauses
    detail: DebugDetail
    postponements: Postponements
    contents: MemoryContents
    claim_check: ClaimCheck

    @classmethod
    def make(cls, policy: RetryPolicy | None = None, *, pace: float = 0.0) -> "World":
        clock, queue, hub, rows, handler = ManualClock(), QueueStub(), HubStub(), RowsStub(), CountingHandler()
        ledger = MemoryLedger(clock)
        shared = TableState(ledger.table(keys.SYSTEMS))
        pauses, postponements = TablePauses(shared, clock), Postponements(shared, clock)
        detail = DebugDetail(pauses.document, clock)
        contents = MemoryContents()
        claims = claim_check(contents)
        worker = worker_of(
            [handler],
            rows,
            ledger=ledger,
            queue=queue,
            hub=hub,
            clock=clock,
            holds=Holds(pauses, postponements),
            detail=detail,
            policy=policy,
            claims=claims,
            pace=pace,
        )
        return cls(clock, ledger, queue, hub, rows, handler, worker, pauses, detail, postponements, contents, claims)

    def put_row(self, record_id: str, name: str, version: int = 1) -> None:
        """The row as Dataverse has it now."""
        self.rows.rows[record_id] = Row("opportunities", record_id, {"name": name}, f'W/"{version}"', version)

    def event(self, name: str = "a", version: int = 1, **changes: object) -> IntegrationEvent:
        """A new event of a record whose row is there."""
        it = dataclasses.replace(new_event(), **changes)  # type: ignore[arg-type] # fields of the event by name
        assert it.record_id is not None
        self.put_row(it.record_id, name, version)
        return it

    async def handle(self, event: IntegrationEvent) -> None:
        """Let the worker have the event's message."""
        await self.worker.handle(to_envelope(event))

    async def status(self, event: IntegrationEvent) -> State | None:
        """What people see of the event."""
        await self.ledger.close()
        found = await self.ledger.read(event.event_id)
        return found.state if found else None
