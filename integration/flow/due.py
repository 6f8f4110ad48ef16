"""What is left to do for a row, from the row and what is remembered: nobody is asked, and nothing is done."""

from typing import Any

from integration.errors import Permanent
from integration.flow.columns import Columns
from integration.flow.flow import Effect, Flow
from integration.ledger import Memory
from integration.worker.effects import fingerprint


def due(flow: Flow[Any], row: Columns, memory: Memory) -> list[str]:
    """The effects that an event of the row would do now; one that the row is incomplete for is due, too."""
    return [effect.name for effect in flow.effects if _is_due(effect, row, memory)]


def _is_due(effect: Effect[Any], row: Columns, memory: Memory) -> bool:
    known = memory.effect(effect.name)
    try:
        if not effect.when(row):
            undo = effect.undone_by
            return undo is not None and bool(known.number) and known.done != undo.fingerprint
        done_with = fingerprint(*effect.of(row))
    except Permanent:
        return True
    return known.done != done_with and not (effect.charged and known.answered == done_with)
