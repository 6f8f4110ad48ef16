"""Repair of one event: send it again, discard it, take a discard back."""

import dataclasses

from integration.clock import Clock, iso
from integration.ledger import DeadLetter, Ledger, State, keys, rows
from integration.ledger.memory import RETURNS
from integration.operations.audit import Audit, Subject
from integration.operations.carried import Carried
from integration.operations.originals import Originals, check
from integration.operations.replays import Replays


class Repair:
    """Each method refuses (`Rejected`: 404 unknown, 409 not in this state) with a sentence that says what to do.

    Raises `Transient` where broker or tables are away: ask again, nothing is lost and nothing is done twice.
    """

    def __init__(  # noqa: PLR0917 -- called once
        self, ledger: Ledger, originals: Originals, carried: Carried, replays: Replays, audit: Audit, clock: Clock
    ) -> None:
        self._ledger = ledger
        self._originals = originals
        self._carried = carried
        self._replays = replays
        self._audit = audit
        self._clock = clock

    async def retry(
        self, event_id: str, *, by: str, why: str, force: bool = False, request: str = "", bulk_id: str = ""
    ) -> str:
        """Send the event again as a new one; its id. The original becomes `resubmitted`, with `replayedBy`.

        For a dead-lettered event, or one that waits and is to be tried now. `force`: what is remembered of effects does
        not count, each is done again (a charged one is charged again). `bulk_id` is what it is part of.
        """
        about = Subject(event_id, bulk_id=bulk_id)
        async with self._audit.action("force" if force else "retry", about, by=by, why=why) as entry:
            original = await self._originals.known(event_id)
            if self._replays.is_done(original, request):
                again_id = self._replays.id_of(original, request)
                entry.outcome = f"was done before: {again_id}"
                return again_id
            check(original, "retry")
            carried = await self._carried.event(original) if self._carried.names(original) else None
            again = self._replays.of(original, request, carried=carried, force=force)
            return await self._replays.send(original, again, entry)

    async def discard(self, event_id: str, *, by: str, why: str, bulk_id: str = "") -> None:
        """Decide that nothing is to be done for a dead-lettered event."""
        async with self._audit.action("discard", Subject(event_id, bulk_id=bulk_id), by=by, why=why) as entry:
            original = await self._originals.known(event_id)
            if original.state is State.DISCARDED:
                entry.outcome = "was done before"
            else:
                check(original, "discard")
            await self._originals.end(original, State.DISCARDED, entry)

    async def restore(self, event_id: str, *, by: str, why: str) -> None:
        """Take a discard back: the event is dead-lettered again, with the reason that it had."""
        async with self._audit.action("restore", Subject(event_id), by=by, why=why) as entry:
            original = await self._originals.known(event_id)
            check(original, "restore")
            now = self._clock.now()
            letter = DeadLetter(
                original.reason or "", original.detail or "", now.isoformat(), RETURNS, reported=("row", "hub")
            )
            await self._originals.remember(original, lambda memory: memory.bury(event_id, letter))
            buried = dataclasses.replace(original, state=State.DEAD_LETTERED)
            await self._ledger.table(keys.PROBLEMS).merge(rows.problem_row(buried, iso(now)))
            await self._originals.show(original, entry, {"state": State.DEAD_LETTERED.value, "changedTime": iso(now)})
