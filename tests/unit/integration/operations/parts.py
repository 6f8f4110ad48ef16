"""The services of operations over a ledger in memory, beside a worker."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypedDict
from unittest.mock import Mock

from integration.dataverse import Row
from integration.errors import Permanent, Transient
from integration.events import IntegrationEvent, to_envelope
from integration.ledger import EventStatus, State, keys
from integration.ledger.problems import Problems
from integration.ledger.queries import Queries
from integration.messaging import DeadLetterQueue, DeadMessage
from integration.operations.audit import Audit
from integration.operations.bulk import BulkControl, BulkRunner, BulkStore, Planner
from integration.operations.carried import Carried
from integration.operations.edit import EditedRetry
from integration.operations.originals import Originals
from integration.operations.postpone import Postpone
from integration.operations.queueing import Queueing
from integration.operations.repair import Repair
from integration.operations.replays import Replays
from integration.operations.search import Search
from integration.tables import Entity
from integration.transport import Call
from integration.worker import DeadLettered, Outcome, Work
from tests.builders import event
from tests.memory_table import MemoryLedger, MemoryTable, World


class Who(TypedDict):
    """Who does something, and why."""

    by: str
    why: str


WHO: Who = {"by": "support", "why": "the ERP was mended"}


def event_status(state: State, event_id: str, at: datetime, **changed: Any) -> EventStatus:
    """An event of the caller `flow` as the ledger shows it."""
    whole = EventStatus(
        event_id=event_id,
        correlation_id="c",
        organisation="o",
        table="account",
        record_id="r",
        message="Update",
        state=state,
        accepted_time=at,
        attempts=1,
        detail="what the ERP has said",
        caller="flow",
    )
    return replace(whole, **changed)


class Letters(DeadLetterQueue):
    """A dead-letter queue in memory; notes where it was looked at."""

    def __init__(self) -> None:
        super().__init__(Mock(), "work")
        self.messages: list[DeadMessage] = []
        self.looked: list[int] = []
        self.away = False

    def put(self, body: bytes, cause: str = "MaxDeliveryCountExceeded") -> None:
        self.messages.append(DeadMessage(len(self.messages) + 1, body, cause))

    def peek(self, after: int, most: int) -> list[DeadMessage]:
        if self.away:
            raise Transient("away", reason="broker-unavailable")
        self.looked.append(after)
        return [it for it in self.messages if it.sequence_number > after][:most]

    def find(self, event_id: str) -> bytes | None:
        return next((it.body for it in self.messages if event_id.encode() in it.body), None)

    def remove(self, sequence_numbers: Collection[int]) -> int:
        before = len(self.messages)
        self.messages = [it for it in self.messages if it.sequence_number not in sequence_numbers]
        return before - len(self.messages)


@dataclass
class Numbered:
    """Rows of Dataverse by their number in another system; notes what was asked for."""

    rows: dict[str, tuple[str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    async def find(self, number: str) -> list[tuple[str, str]]:
        self.asked.append(number)
        return [self.rows[number]] if number in self.rows else []


@dataclass
class Desk:
    """What the support desk has, and the world that it works on."""

    world: World = field(default_factory=World.make)
    declared: frozenset[str] = frozenset()
    numbers: Numbered = field(default_factory=Numbered)

    def __post_init__(self) -> None:
        ledger, clock = self.world.ledger, self.world.clock
        self.claim_check = self.world.claim_check
        self.audit = Audit(ledger, clock)
        self.queueing = Queueing(ledger, self.world.queue, self.claim_check)
        self.originals = Originals(ledger, clock)
        self.letters = Letters()
        self.carried = Carried(self.letters, self.claim_check, lambda _table, _message: self.declared)
        self.wire()
        self.edit = EditedRetry(self.originals, self.carried, self.replays, self.audit)
        self.postpone = Postpone(ledger, self.originals, self.world.postponements, self.audit, clock)

    def wire(self) -> None:
        """Make anew what sends, after a test has replaced `queueing`."""
        ledger, clock = self.world.ledger, self.world.clock
        self.replays = Replays(self.originals, self.queueing, clock)
        self.repair = Repair(ledger, self.originals, self.carried, self.replays, self.audit, clock)
        self.search = Search(Queries(ledger), Problems(ledger), self.numbers, clock)
        self.store = BulkStore(ledger, clock)
        self.planner = Planner(self.search, self.store, self.audit, lambda _table, _message: {"erp": 2}, clock)
        self.bulks = BulkControl(self.store, self.audit, clock)

    def another(self) -> "Desk":
        """A desk of another process: the same tables, queues and clock, and nothing else in common."""
        ledger = MemoryLedger(self.world.clock)
        ledger._tables = self.world.ledger._tables
        desk = Desk(replace(self.world, ledger=ledger), self.declared, self.numbers)
        desk.queueing = Queueing(ledger, self.world.queue, desk.claim_check, patience=0.01)
        desk.letters = self.letters
        desk.wire()
        return desk

    def runner(self, *, run_seconds: float = 10_000.0) -> BulkRunner:
        """Another instance's; waiting only moves the clock."""
        clock = self.world.clock

        async def sleep(seconds: float) -> None:
            clock.advance(seconds)

        return BulkRunner(
            self.store,
            self.repair,
            ledger=self.world.ledger,
            audit=self.audit,
            clock=clock,
            sleep=sleep,
            run_seconds=run_seconds,
        )

    @property
    def audited(self) -> list[Entity]:
        """What was written down, in its order; `outcome` is empty where nothing was written down after it."""
        rows = {row: it for (partition, row), it in self.audit_table.entities.items() if partition == "all"}
        opened = {row: it for row, it in rows.items() if not row.endswith(".end")}
        return [{"outcome": "", **rows.get(f"{row}.end", {}), **it} for row, it in opened.items()]

    @property
    def audit_table(self) -> MemoryTable:
        """The audit of the month."""
        return self.table(keys.audit_table("202611"))

    def table(self, name: str) -> MemoryTable:
        return self.world.ledger.table(name)

    async def dead_letter(
        self, error: Exception | None = None, *, call: Call | None = None, **changes: object
    ) -> IntegrationEvent:
        """An event that the worker has dead-lettered, after this call; its row exists."""
        about = replace(event(), **changes)  # type: ignore[arg-type] # fields of the event by name
        self.world.put_row(str(about.record_id), "one")
        refused = error or Permanent("refused", reason="erp-rejected", service="erp")

        async def fail(work: Work, _row: Row) -> Outcome:
            if call is not None and work.context.calls is not None:
                work.context.calls.note(call)
            raise refused

        self.world.handler.script.append(fail)
        await self.world.ledger.accept(about, urgent=True)
        try:
            await self.world.worker.handle(to_envelope(about))
        except DeadLettered:
            self.letters.put(to_envelope(about))
            await self.world.ledger.close()
        return about

    async def work(self) -> None:
        """The worker takes all that was sent."""
        while self.world.queue.sent:
            await self.world.worker.handle(to_envelope(self.world.queue.sent.pop(0)))
        await self.world.ledger.close()
