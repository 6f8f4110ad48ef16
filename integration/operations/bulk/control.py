"""What bulk operations can be asked to do, and in which state; each is written into the audit."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from integration.clock import Clock, iso
from integration.errors import Rejected
from integration.operations.audit import Audit, Entry, Subject
from integration.operations.bulk.model import CANARY_FAILED, Action, Bulk, BulkState, Item
from integration.operations.bulk.store import BulkStore
from integration.operations.rights import Right

_Change = Callable[[Bulk, Entry], Bulk]
_FROM: Final[Mapping[str, frozenset[BulkState]]] = {
    "start": frozenset({BulkState.PLANNED}),
    "pause": frozenset({BulkState.RUNNING}),
    "resume": frozenset({BulkState.PAUSED}),
    "cancel": frozenset({BulkState.PLANNED, BulkState.RUNNING, BulkState.PAUSED}),
    "acknowledge": frozenset({BulkState.FINISHED, BulkState.CANCELLED}),
}
"""What each action is possible from."""
_DONE: Final = {
    "start": "started",
    "pause": "paused",
    "resume": "resumed",
    "cancel": "cancelled",
    "acknowledge": "acknowledged",
}


def possible(bulk: Bulk) -> frozenset[str]:
    """The actions that its state allows."""
    return frozenset(action for action, states in _FROM.items() if bulk.state in states)


def right_for(action: Action, *, force: bool = False) -> Right:
    """What somebody needs to plan such an operation; without `force`, also to act on one."""
    return Right.ADMINISTER if force or action is Action.DISCARD else Right.REPAIR


class BulkControl:
    """Raises `Rejected` (404, 409 with what to do) and `Transient`."""

    def __init__(self, store: BulkStore, audit: Audit, clock: Clock) -> None:
        self._store = store
        self._audit = audit
        self._clock = clock
        self.actions: Final = {
            "start": self.start,
            "pause": self.pause,
            "resume": self.resume,
            "cancel": self.cancel,
            "acknowledge": self.acknowledge,
        }
        """By the names that they have in routes and forms."""

    async def start(self, bulk_id: str, *, by: str, why: str) -> Bulk:
        """Let it be done; an instance of the app begins within seconds."""

        def change(bulk: Bulk, _entry: Entry) -> Bulk:
            _check(bulk, "start")
            return replace(bulk, state=BulkState.RUNNING, started=iso(self._clock.now()))

        return await self._changed("bulk-start", bulk_id, change, by=by, why=why)

    async def pause(self, bulk_id: str, *, by: str, why: str) -> Bulk:
        """Hold it; what is being sent at this moment is still sent."""

        def change(bulk: Bulk, entry: Entry) -> Bulk:
            _check(bulk, "pause")
            return bulk.stopped(BulkState.PAUSED, f"{entry.by}: {entry.why}")

        return await self._changed("bulk-pause", bulk_id, change, by=by, why=why)

    async def resume(self, bulk_id: str, *, by: str, why: str) -> Bulk:
        """Go on; after a canary that failed this means that the rest is wanted nevertheless."""

        def change(bulk: Bulk, _entry: Entry) -> Bulk:
            _check(bulk, "resume")
            passed = bulk.canary_passed or bulk.note.startswith(CANARY_FAILED)
            return replace(bulk, state=BulkState.RUNNING, canary_passed=passed, note="")

        return await self._changed("bulk-resume", bulk_id, change, by=by, why=why)

    async def cancel(self, bulk_id: str, *, by: str, why: str) -> Bulk:
        """End it; what was done stays done, and nothing more is."""

        def change(bulk: Bulk, entry: Entry) -> Bulk:
            _check(bulk, "cancel")
            return bulk.stopped(BulkState.CANCELLED, f"{entry.by}: {entry.why}", iso(self._clock.now()))

        return await self._changed("bulk-cancel", bulk_id, change, by=by, why=why)

    async def acknowledge(self, bulk_id: str, *, by: str, why: str) -> Bulk:
        """Take note of how it has ended: it is then no longer shown among what is under way."""

        def change(bulk: Bulk, entry: Entry) -> Bulk:
            _check(bulk, "acknowledge")
            return replace(bulk, acknowledged=bulk.acknowledged or entry.by)

        return await self._changed("bulk-acknowledge", bulk_id, change, by=by, why=why)

    async def read(self, bulk_id: str) -> Bulk:
        """How far it is; while it runs, its counts are some seconds old."""
        return await self._store.read(bulk_id)

    async def recent(self) -> list[Bulk]:
        """Those of this month and the last one, newest first."""
        return await self._store.recent()

    async def read_with_items(self, bulk_id: str, *, after: str = "") -> tuple[Bulk, list[Item]]:
        """How far it is, and 100 of its items, behind that of an event id."""
        return await self._store.read(bulk_id), await self._store.items(bulk_id, after=after)

    async def _changed(self, what: str, bulk_id: str, change: _Change, *, by: str, why: str) -> Bulk:
        async with self._audit.action(what, Subject(bulk_id=bulk_id), by=by, why=why) as entry:
            return await self._store.change(bulk_id, lambda bulk: change(bulk, entry))


def _check(bulk: Bulk, action: str) -> None:
    if bulk.state not in _FROM[action]:
        raise Rejected(409, f"The bulk operation cannot be {_DONE[action]}", _ADVICE[bulk.state].format(bulk))


_ADVICE: Final[Mapping[BulkState, str]] = {
    BulkState.PLANNING: "Its events are still written down. If that does not end, it was interrupted: plan it anew.",
    BulkState.PLANNED: "It is planned and not started: start it, or cancel it.",
    BulkState.RUNNING: "It is running: pause it, or cancel it.",
    BulkState.PAUSED: "It is paused ({0.note}): resume it, or cancel it.",
    BulkState.CANCELLED: "It was cancelled ({0.note}): plan another one for what is left.",
    BulkState.FINISHED: "It is finished: plan another one for what has failed since.",
}
