"""The worker as tests have it: everything of its own is real, what it reaches is given."""

import contextlib
from collections.abc import Iterable

from integration.claim_check import ClaimCheck
from integration.clock import Clock
from integration.events import IntegrationEvent
from integration.events.envelope import to_envelope
from integration.ledger import EventStatus, Ledger
from integration.messaging import EventPublisher, WorkQueue
from integration.protection import DebugDetail, MemoryState, Postponements, TablePauses
from integration.transport import RetryPolicy
from integration.worker import Copies, DeadLettered, Executor, Handlers, Holds, Pace, Reports, Worker
from integration.worker.handler import AnyHandler
from integration.worker.hub import Hub
from integration.worker.reading import Rows
from tests.claim_kit import claim_check


def worker_of(
    handlers: Iterable[AnyHandler],
    rows: Rows,
    *,
    ledger: Ledger,
    queue: WorkQueue,
    hub: EventPublisher,
    clock: Clock,
    holds: Holds | None = None,
    detail: DebugDetail | None = None,
    policy: RetryPolicy | None = None,
    claims: ClaimCheck | None = None,
    pace: float = 0.0,
) -> Worker:
    """A worker that draws no chance; without `holds`, nothing is held back."""
    claims = claims or claim_check()
    copies = Copies(queue, policy or RetryPolicy(), clock, draw=lambda: 0.5)
    return Worker(
        handlers=Handlers(handlers),
        rows=rows,
        ledger=ledger,
        executor=Executor(ledger, copies, Reports(Hub(hub, clock), copies, clock), claims, clock),
        copies=copies,
        claim_check=claims,
        holds=holds or Holds(TablePauses(MemoryState(), clock), Postponements(MemoryState(), clock)),
        pace=Pace(pace, clock),
        clock=clock,
        detail=detail,
    )


async def status_after(worker: Worker, ledger: Ledger, it: IntegrationEvent) -> EventStatus | None:
    """Work on an event; what people see of it then."""
    with contextlib.suppress(DeadLettered):
        await worker.handle(to_envelope(it))
    await ledger.close()
    return await ledger.read(it.event_id)
