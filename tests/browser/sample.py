"""A console in memory with a lifelike day, a failed order whose flow goes by what it carries, and a planned retry."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from unittest.mock import AsyncMock

from integration.errors import Permanent
from integration.events import Choice, IntegrationEvent, Money
from integration.ledger import keys, transfer
from integration.ledger.shared_state import TableState
from integration.operations.bulk.model import Action
from integration.operations.bulk.planner import Wanted
from integration.operations.causes import Causes
from integration.operations.search import Filter
from sandbox.sample import comparisons, day
from tests.unit.integration.operations.console_kit import Console, Served, fill_aside, served

CARRIED = frozenset({"amount", "note", "target"})


@dataclass
class Sample:
    """What the tests look at: `order` is an event that carries values, `bulk_id` a planned retry."""

    served: Served
    order: IntegrationEvent
    bulk_id: str

    def address(self, path: str = "") -> str:
        """The address of a page."""
        return f"{self.served.url}/api/console" + (f"/{path}" if path else "")

    def example(self, reason: str) -> str:
        """The newest dead letter of a reason."""
        found: Causes = self.served.run(self.served.console.services.causes.now())
        return next(it.example for it in found.causes if it.reason == reason)

    def pages(self) -> dict[str, str]:
        """Every page, by a name for it."""
        return {
            "overview": "",
            "causes": "causes",
            "events": "events?state=dead-lettered&reason=erp-period-closed",
            "nothing-found": "events?q=nothing",
            "event": f"events/{self.example('erp-period-closed')}",
            "attempts": f"events/{self.example('retries-exhausted')}",
            "unreadable": f"events/{self.example('unreadable')}",
            "edit": f"events/{self.order.event_id}/edit",
            "bulks": "bulk",
            "bulk-plan": "bulk/plan?reason=erp-period-closed&table=opportunity",
            "bulk": f"bulk/{self.bulk_id}",
            "systems": "systems",
            "queue": "queue",
            "reconciliation": "reconciliation",
            "set-aside": "set-aside",
            "set-aside-rows": "set-aside/lake",
            "set-aside-row": "set-aside/lake/2026-11-20-partition-2-00000000000000000009",
            "audit": "audit",
            "access": "access",
            "sign-in": "sign-in",
            "not-there": "nothing-here",
        }


@contextmanager
def sampled() -> Iterator[Sample]:
    """Serve it until the end of the block."""
    console = Console(CARRIED, compare=AsyncMock())

    async def fill() -> tuple[IntegrationEvent, str]:
        world = console.desk.world
        await transfer.restore(world.ledger, day.lines(world.clock.now()))
        await console.figures.take()
        for key, document in comparisons.documents(world.clock.now()).items():
            await TableState(world.ledger.table(keys.SYSTEMS)).write(key, document, None)
        await console.switches["credit"].pause(by="tomas.reyes", why="Credit scoring moves to its new data centre")
        await console.spending.report("instance", {"dataverse": 2_280}, pause=lambda: 0.0)
        order = await console.desk.dead_letter(
            Permanent("the ERP refuses the amount", reason="erp-rejected", service="erp"),
            values={"amount": Money(Decimal("10.50")), "note": "for Ms Fernandez"},
            parameters={"target": Choice(1)},
            changed_columns=("amount",),
        )
        console.desk.letters.put(b"hello")
        await fill_aside(console.aside)
        console.services.causes.forget()
        wanted = Wanted(Action.RETRY, Filter(reason="erp-period-closed"), canary=5)
        plan = await console.desk.planner.plan(wanted, by="mara.lindqvist", why="The period is open again")
        return order, plan.bulk.bulk_id

    with served(console) as found:
        order, bulk_id = found.run(fill())
        yield Sample(found, order, bulk_id)
