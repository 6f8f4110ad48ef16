"""For tests of flows into Dataverse: a record of another system, rows, events, and what the flow does with them.

erp = System(order_report=OrderReport(number="SO-1", status="shipped"))
it = InboundKit(erp_order.flow, erp=erp)
it.row("opportunities", new_erpnumber="SO-1")
outcome = it.handle("order-shipped", record="o-1")
assert outcome.state == "completed"
assert it.columns()["new_erporderstatus"] == 3
"""

import asyncio
import dataclasses
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from integration.events import IntegrationEvent
from integration.flow import InboundFlow
from integration.flow.custom_api_handler import CustomApiHandler
from integration.flow.inbound_handler import InboundFlowHandler
from integration.ledger import Memory
from integration.worker.handler import InboundHandler
from integration.worker.reading import Rows
from tests.builders import event
from tests.flow_kit import PREFIX, Dataverse, Outcome
from tests.memory_table import HubStub, ManualClock, MemoryLedger, QueueStub
from tests.worker_kit import status_after, worker_of


class InboundKit:
    """An inbound flow with its worker. `systems` are what `kit.system(...)` gives.

    `wrapped` makes another handler of the flow's, once its Dataverse is there.
    """

    def __init__(
        self,
        flow: InboundFlow,
        dataverse: Dataverse | None = None,
        wrapped: Callable[[InboundHandler, Dataverse], InboundHandler] = lambda handler, _dataverse: handler,
        **systems: object,
    ) -> None:
        self.flow = flow
        self.dataverse = dataverse or Dataverse()
        self.clock = ManualClock()
        self.ledger = MemoryLedger(self.clock)
        self.queue = QueueStub()
        self.hub = HubStub()
        handler: InboundHandler = (
            InboundFlowHandler(flow, self.dataverse, systems, prefix=PREFIX, tag="test")
            if flow.custom_api is None
            else CustomApiHandler(flow, flow.custom_api, self.dataverse, systems, tag="test")
        )
        handler = wrapped(handler, self.dataverse)
        self.worker = worker_of(
            [handler], Rows(self.dataverse), ledger=self.ledger, queue=self.queue, hub=self.hub, clock=self.clock
        )

    def row(self, entity_set: str, /, row_id: str | None = None, **columns: Any) -> str:
        """A row of Dataverse, by the names of its columns with prefix; its id."""
        row_id = row_id or str(uuid.uuid4())
        self.dataverse.put(entity_set, row_id, columns)
        return row_id

    def columns(self, entity_set: str | None = None) -> dict[str, Any]:
        """The columns of the one row of a table."""
        [found] = [it.values for (name, _), it in self.dataverse.rows.items() if entity_set in {None, name}]
        return found

    def event(self, name: str, record: str, **fields: Any) -> IntegrationEvent:
        """An event of the record, of now."""
        now = self.clock.now()
        at = {"operation_time": now, "accepted_time": now}
        return dataclasses.replace(
            event(), **{"table": self.flow.table, "message": name, "record_id": record, **at, **fields}
        )

    def handle(self, it: str | IntegrationEvent, record: str = "", **fields: Any) -> Outcome:
        """Work on an event; `fields` as for `event`."""
        made = self.event(it, record, **fields) if isinstance(it, str) else it
        return Outcome.of(asyncio.run(status_after(self.worker, self.ledger, made)))

    def late(self, name: str, record: str, seconds: float) -> IntegrationEvent:
        """An event that was taken in so long ago."""
        return self.event(name, record, accepted_time=self.clock.now() - timedelta(seconds=seconds))

    def memory(self, record: str) -> Memory:
        """What the ledger remembers of the record."""
        return self.ledger.memory(f"{self.flow.table}:{record}")
