"""The services that ask Dataverse, built from what they work on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from integration.clock import Clock
from integration.dataverse.changes import ChangeTracking
from integration.flow import Flow
from integration.intake import TakingIn
from integration.ledger import Ledger
from integration.protection import SharedState, Spending
from integration.pull.deletions import Deletions
from integration.pull.events import PulledEvents
from integration.pull.pace import Pace
from integration.pull.queueing import PulledQueue
from integration.pull.tables import tracked_tables
from integration.pull.tracking import PAGE, TableChanges
from integration.systems_composition import Systems


@dataclass(frozen=True, slots=True)
class Pull:
    """What timers and routes call."""

    changes: TableChanges


def build_pull(
    flows: Sequence[Flow[Any]],
    systems: Systems,
    taking_in: TakingIn,
    ledger: Ledger,
    shared: SharedState,
    *,
    organisation: str,
    clock: Clock,
) -> Pull:
    """Over the tables of these flows; `organisation` is the id of the Dataverse organisation."""
    events = PulledEvents(organisation, clock)
    pace = Pace(systems.budgets["dataverse"], Spending(shared, clock), clock)
    return Pull(
        changes=TableChanges(
            tracked_tables(flows),
            tracking=ChangeTracking(systems.dataverse, size=PAGE),
            deletions=Deletions(ledger, systems.dataverse),
            events=events,
            queue=PulledQueue(taking_in, ledger, pace),
            shared=shared,
            clock=clock,
        )
    )
