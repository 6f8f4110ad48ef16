"""A flow of the app with its worker, over the stand-in of Dataverse, and a reconciliation beside it."""

import dataclasses
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from integration import flows
from integration.admission import CallerKeys, Senders
from integration.clock import SystemClock
from integration.errors import NotFound
from integration.events import IntegrationEvent
from integration.flow import Flow
from integration.flow.discovery import flows_in
from integration.flow.handler import FlowHandler, Tools
from integration.intake import TakingIn
from integration.operations.audit import Audit
from integration.pull.comparing import Difference, FlowComparing
from integration.pull.deletions import Deletions
from integration.pull.events import PulledEvents
from integration.pull.pace import Pace
from integration.pull.queueing import PulledQueue
from integration.pull.reconciling import Reconciled, Reconciliation
from integration.pull.window import Window
from integration.settings import Settings
from integration.systems import Customer, CustomerState
from integration.worker.reading import Rows
from integration.worker.write_back import WriteBack
from tests.builders import event
from tests.claim_kit import claim_check
from tests.contract.integration.pull.support import ORGANISATION, Pulling
from tests.memory_table import HubStub, QueueStub
from tests.unit.integration.settings.test_reading import environment
from tests.worker_kit import status_after, worker_of

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


class Books:
    """An ERP that keeps customers in a dictionary."""

    def __init__(self) -> None:
        self.customers: dict[str, CustomerState] = {}
        self.puts = 0
        self.gets = 0

    async def put_customer(self, customer_id: str, customer: Customer, **_: Any) -> CustomerState:
        self.puts += 1
        state = CustomerState(
            id=customer_id, number=f"C-{customer_id}", status=customer.status, source_version=customer.source_version
        )
        self.customers[customer_id] = state
        return state

    async def get_customer(self, customer_id: str, **_: Any) -> CustomerState:
        self.gets += 1
        if customer_id not in self.customers:
            raise NotFound("no such customer", service="erp")
        return self.customers[customer_id]

    async def block_customer(self, customer_id: str, **_: Any) -> CustomerState:
        state = self.customers[customer_id]
        self.customers[customer_id] = state.model_copy(update={"status": "blocked"})
        return self.customers[customer_id]


@dataclass
class Reconciling:
    """Accounts, their events, and what a reconciliation finds of those that were lost."""

    pulling: Pulling
    books: Books = field(default_factory=Books)
    rows: int = 500

    def __post_init__(self) -> None:
        it, dataverse = self.pulling, self.pulling.dataverse
        write_back = WriteBack(dataverse, it.clock, prefix="new", tag="test")
        known: dict[str, Flow[Any]] = {flow.table: flow for flow in flows_in(flows).values()}
        tools = Tools(dataverse, Rows(dataverse), write_back, {"erp": self.books}, known)
        self.worker = worker_of(
            [FlowHandler(flow, tools) for flow in known.values()],
            tools.rows,
            ledger=it.ledger,
            queue=QueueStub(),
            hub=HubStub(),
            clock=SystemClock(),  # whose deadlines the transport obeys
        )
        settings = Settings.from_environment(environment())
        senders = Senders(CallerKeys(settings.intake_keys))
        taking_in = TakingIn(settings, senders, it.queue, it.ledger, claim_check(), it.clock)

        async def sleep(seconds: float) -> None:
            it.clock.advance(seconds)

        self.reconciliation = Reconciliation(
            known,
            comparing=FlowComparing(it.ledger, dataverse, write_back, tools.systems, rows=self.rows),
            deletions=Deletions(it.ledger, dataverse),
            events=PulledEvents(ORGANISATION, it.clock),
            queue=PulledQueue(taking_in, it.ledger, Pace(6_000, it.spent, it.clock, sleep=sleep)),
            ledger=it.ledger,
            audit=Audit(it.ledger, it.clock),
            clock=it.clock,
        )

    async def bring(self, row_id: str, **fields: Any) -> str:
        """Let the worker have an event of this account; the state in which it ends."""
        given = {"table": "account", "record_id": row_id, "changed_columns": None, **fields}
        return await self.handle(dataclasses.replace(event(), **given))

    async def handle(self, it: IntegrationEvent) -> str:
        """Let the worker have this event; the state in which it ends."""
        status = await status_after(self.worker, self.pulling.ledger, it)
        assert status is not None
        return status.state.value

    async def handle_queued(self) -> list[str]:
        """Let the worker have what was queued; the states in which the events end."""
        events, self.pulling.queue.envelopes = self.pulling.queue.events, []
        return [await self.handle(it) for it in events]

    async def all_pages(self, *, heal: bool = False, **window: Any) -> tuple[int, list[Difference]]:
        """How many rows were compared, and every difference."""
        asked = {"since": LONG_AGO, "until": datetime.now(UTC) + timedelta(minutes=1), **window}
        wanted = Window("account", **asked)
        compared, found, following = 0, list[Difference](), ""
        while True:
            page: Reconciled = (
                await self.reconciliation.heal(wanted, following, by="anna", why="events were lost")
                if heal
                else await self.reconciliation.look(wanted, following)
            )
            compared += page.compared
            found += page.differences
            following = page.following
            if not following:
                return compared, found
