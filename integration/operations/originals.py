"""Events that people repair: reading them from the ledger, checking their state, and marking them."""

from collections.abc import Callable, Mapping
from typing import Final

from integration.clock import Clock, iso
from integration.errors import Rejected
from integration.ledger import EventStatus, Ledger, Memory, State, keys
from integration.operations.audit import Entry
from integration.operations.status import unknown
from integration.tables import Entity

_FROM: Final[Mapping[str, frozenset[State]]] = {
    "retry": frozenset({State.DEAD_LETTERED, State.WAITING}),
    "edit": frozenset({State.DEAD_LETTERED}),
    "discard": frozenset({State.DEAD_LETTERED}),
    "restore": frozenset({State.DISCARDED}),
    "postpone": frozenset({State.WAITING}),
}
"""What each action is possible from."""
_DONE: Final = {
    "retry": "sent again",
    "edit": "edited",
    "discard": "discarded",
    "restore": "restored",
    "postpone": "postponed",
}


class Originals:
    """Raises `Rejected` (404 unknown, 409 not in this state) with a sentence that says what to do, and `Transient`."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock

    async def known(self, event_id: str) -> EventStatus:
        """The event's status."""
        found = await self._ledger.read(event_id)
        if found is None:
            raise unknown(event_id)
        return found

    async def remember(self, original: EventStatus, alter: Callable[[Memory], None]) -> None:
        """Change what its record remembers.

        As a guest: an invocation that works on the record keeps its claim, and writes on top of this.
        """
        if original.table:
            record = await self._ledger.record(original.session_id, guest=True)
            await record.write(alter)

    async def end(self, original: EventStatus, state: State, entry: Entry, more: Entity | None = None) -> None:
        """Take the original from its record's dead letters and from the problems, and mark it.

        What people see is written last: until then whoever asks again goes through all of it once more.
        """
        await self.remember(original, lambda memory: memory.end(original.event_id, state))
        for problem in (State.DEAD_LETTERED, State.WAITING):
            await self._ledger.table(keys.PROBLEMS).delete(*keys.problem_keys(problem.value, original.event_id))
        await self.show(original, entry, {"state": state.value, "changedTime": iso(self._clock.now()), **(more or {})})

    async def show(self, original: EventStatus, entry: Entry, columns: Entity) -> None:
        """Write into the original's row, with a note of who did it and why."""
        partition, row = keys.event_keys(original.event_id)
        shown: Entity = {"PartitionKey": partition, "RowKey": row, "note": f"{entry.by}: {entry.why}", **columns}
        await self._ledger.table(keys.events_table(keys.month_of(original.event_id))).merge(shown)


def possible(status: EventStatus) -> frozenset[str]:
    """The actions that its state allows."""
    return frozenset(action for action, states in _FROM.items() if status.state in states)


def check(original: EventStatus, action: str) -> None:
    """Raise `Rejected` unless the event's state allows the action."""
    if original.state not in _FROM[action]:
        raise Rejected(409, f"The event cannot be {_DONE[action]}", _ADVICE[original.state].format(original))


_ADVICE: Final[Mapping[State, str]] = {
    State.ACCEPTED: "It is queued and not yet worked on: wait.",
    State.PROCESSING: "An attempt is under way: wait until it has ended.",
    State.WAITING: "It waits for its next attempt: send it again to try it now, or pause the system that it waits for.",
    State.COMPLETED: "It has ended well. To do its effects again, send the record again (resync).",
    State.SUPERSEDED: "Another event of the record has done its work. To do it again, send the record again (resync).",
    State.NO_HANDLER: "Nothing handles it, so there is nothing to do.",
    State.DEAD_LETTERED: "It is dead-lettered: send it again, or discard it.",
    State.RESOLVED: "A later event of the record, {0.resolved_by}, has made up for it: there is nothing to do.",
    State.RESUBMITTED: "It was sent again as event {0.replayed_by}: look at that one.",
    State.DISCARDED: "Somebody has discarded it: restore it first.",
}
