"""The services that ask Dataverse, built from what they work on."""

from dataclasses import dataclass

from integration.clock import Clock
from integration.dataverse.changes import ChangeTracking
from integration.flow.handler import Tools
from integration.intake import TakingIn
from integration.ledger import Ledger
from integration.operations.audit import Audit
from integration.protection import SharedState, Spending
from integration.pull.comparing import FlowComparing
from integration.pull.deletions import Deletions
from integration.pull.events import PulledEvents
from integration.pull.loading import Loading
from integration.pull.pace import Pace
from integration.pull.queueing import PulledQueue
from integration.pull.reconciling import Reconciliation
from integration.pull.tables import tracked_tables
from integration.pull.tracking import PAGE, TableChanges


@dataclass(frozen=True, slots=True)
class Pull:
    """What timers and routes call."""

    changes: TableChanges
    reconciliation: Reconciliation
    loading: Loading


def build_pull(
    tools: Tools,
    taking_in: TakingIn,
    ledger: Ledger,
    shared: SharedState,
    *,
    organisation: str,
    budget: int,
    clock: Clock,
) -> Pull:
    """Over the tables of these flows; `budget` is how many requests Dataverse takes in five minutes."""
    events = PulledEvents(organisation, clock)
    queue = PulledQueue(taking_in, ledger, Pace(budget, Spending(shared, clock), clock))
    deletions, audit = Deletions(ledger, tools.dataverse), Audit(ledger, clock)
    return Pull(
        changes=TableChanges(
            tracked_tables(tools.flows.values()),
            tracking=ChangeTracking(tools.dataverse, size=PAGE),
            deletions=deletions,
            events=events,
            queue=queue,
            shared=shared,
            clock=clock,
        ),
        reconciliation=Reconciliation(
            tools.flows,
            comparing=FlowComparing(ledger, tools.dataverse, tools.write_back, tools.systems),
            deletions=deletions,
            events=events,
            queue=queue,
            ledger=ledger,
            audit=audit,
            clock=clock,
        ),
        loading=Loading(
            tools.flows,
            dataverse=tools.dataverse,
            events=events,
            queue=queue,
            shared=shared,
            audit=audit,
            clock=clock,
        ),
    )
