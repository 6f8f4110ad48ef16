"""The outcome of an event for which nothing was left to do."""

from integration.dataverse import Row, version_of
from integration.worker.handler import Outcome
from integration.worker.work import Work


def nothing_to_do(work: Work, row: Row) -> Outcome:
    """Superseded where another event has acted on this state of the row or a newer one; else there was no need."""
    memory = work.memory
    if memory.acted_by == work.event.event_id or any(
        it.event_id == work.event.event_id for it in memory.effects.values()
    ):
        return Outcome.completed("all was done by an earlier delivery")
    if memory.acted_by and memory.row_version >= version_of(row):
        return Outcome.superseded(f"by event {memory.acted_by}, which acted on row version {memory.row_version}")
    return Outcome.completed("nothing to do: no column that matters has changed")
