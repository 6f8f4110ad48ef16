"""The services of operations over a ledger in memory, beside a worker."""

from dataclasses import dataclass, field
from typing import TypedDict

from integration.errors import Permanent
from integration.events import IntegrationEvent, to_envelope
from integration.ledger import keys
from integration.operations.audit import Audit
from integration.operations.originals import Originals
from integration.operations.postpone import Postpone
from integration.operations.queueing import Queueing
from integration.operations.repair import Repair
from integration.tables import Entity
from integration.worker import DeadLettered
from tests.builders import event
from tests.unit.integration.worker.memory_table import MemoryTable, World


class Who(TypedDict):
    """Who does something, and why."""

    by: str
    why: str


WHO: Who = {"by": "support", "why": "the ERP was mended"}


@dataclass
class Desk:
    """What the support desk has, and the world that it works on."""

    world: World = field(default_factory=World.make)

    def __post_init__(self) -> None:
        ledger, clock = self.world.ledger, self.world.clock
        self.audit = Audit(ledger, clock)
        self.queueing = Queueing(ledger, self.world.queue)
        self.originals = Originals(ledger, clock)
        self.repair = Repair(ledger, self.originals, self.queueing, self.audit, clock)
        self.postpone = Postpone(ledger, self.originals, self.world.postponements, self.audit, clock)

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

    async def dead_letter(self, error: Exception | None = None) -> IntegrationEvent:
        """An event that the worker has dead-lettered; its row exists."""
        about = event()
        self.world.put_row(str(about.record_id), "one")
        self.world.handler.script.append(error or Permanent("refused", reason="erp-rejected", service="erp"))
        await self.world.ledger.accept(about)
        try:
            await self.world.worker.handle(to_envelope(about))
        except DeadLettered:
            await self.world.ledger.close()
        return about

    async def work(self) -> None:
        """The worker takes all that was sent."""
        while self.world.queue.sent:
            await self.world.worker.handle(to_envelope(self.world.queue.sent.pop(0)))
        await self.world.ledger.close()
