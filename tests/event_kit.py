"""For tests of flows of custom APIs: calls, as Dataverse reports them, and what the flow does with them.

it = EventKit(customer_purchase.flow, loyalty=System(put=Answered(points="12")))
outcome = it.handle(Number="P-1", Customer="C-1", Total=Money(Decimal("12.5")))
assert outcome.state == "completed"
"""

import asyncio
import dataclasses
import uuid
from typing import Any

from integration.events import IntegrationEvent, Value
from integration.flow import EventFlow
from integration.flow.event_flow_handler import EventFlowHandler
from integration.worker.reading import Rows
from tests.builders import event
from tests.flow_kit import Dataverse, Outcome
from tests.memory_table import HubStub, ManualClock, MemoryLedger, QueueStub
from tests.worker_kit import status_after, worker_of


class EventKit:
    """A flow of a custom API with its worker. `systems` are what `kit.system(...)` gives."""

    def __init__(self, flow: EventFlow, **systems: object) -> None:
        self.flow = flow
        self.clock = ManualClock()
        self.ledger = MemoryLedger(self.clock)
        self.queue, self.hub = QueueStub(), HubStub()
        dataverse = Dataverse()
        handler = EventFlowHandler(flow, dataverse, systems)
        self.worker = worker_of(
            [handler], Rows(dataverse), ledger=self.ledger, queue=self.queue, hub=self.hub, clock=self.clock
        )

    def event(self, parameters: dict[str, Value], **fields: Any) -> IntegrationEvent:
        """The event of a call, of now."""
        now = self.clock.now()
        own = {"event_id": f"{now:%Y%m%d%H%M}-{uuid.uuid4().hex}", "operation_time": now, "accepted_time": now}
        call = {"table": self.flow.table, "message": self.flow.api.name, "record_id": None, "parameters": parameters}
        return dataclasses.replace(event(), **{**own, **call, **fields})

    def handle(self, again: IntegrationEvent | None = None, /, **parameters: Value) -> Outcome:
        """Work on the event of a call with these parameters, or on one that is given."""
        made = again or self.event(parameters)
        return Outcome.of(asyncio.run(status_after(self.worker, self.ledger, made)))
