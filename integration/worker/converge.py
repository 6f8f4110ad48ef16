"""Driving to the state of a row that may change meanwhile, be overtaken, or go away."""

from collections.abc import Callable

from integration.dataverse import ROW_GONE
from integration.errors import Conflict, NotFound, Transient
from integration.ledger import RecordMemory
from integration.worker.handler import Outcome
from integration.worker.work import Work

_ROUNDS = 3


def converge(drive: Callable[[], Outcome], *, gone: Callable[[], Outcome] | None = None) -> Outcome:
    """Run `drive` until the row holds still; `gone` where it does not exist, without that superseded by its deletion.

    `drive` raises `Conflict` when columns that decide have changed since it read them: then it starts over. Raises
    `Transient` (row-contended) after three rounds.
    """
    for _ in range(_ROUNDS):
        try:
            return drive()
        except Conflict:
            continue
        except NotFound as error:
            if error.reason != ROW_GONE:
                raise
            return gone() if gone else Outcome.superseded("the row is gone")
    raise Transient("the row changes while it is worked on", reason="row-contended")


def nothing_to_do(work: Work, row_version: int, memory: RecordMemory) -> Outcome:
    """Superseded where another event has acted on this state of the row or a newer one; else there was no need."""
    if work.has_acted or memory.event_id == work.event.event_id:
        return Outcome.completed("all was done by an earlier delivery")
    if memory.event_id and memory.row_version >= row_version:
        return Outcome.superseded(f"by event {memory.event_id}, which acted on row version {memory.row_version}")
    return Outcome.completed("nothing to do: no column that matters has changed")
