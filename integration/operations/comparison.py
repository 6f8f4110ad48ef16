"""The broker's dead-letter queue and the ledger, compared message by message."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from integration.batching import each
from integration.errors import Unreadable
from integration.events import from_envelope
from integration.events.identity import unreadable_id
from integration.ledger import EventStatus, Ledger, State
from integration.ledger.problems import Problems
from integration.messaging import DeadLetterQueue, DeadMessage
from integration.operations.audit import Audit, Subject
from integration.operations.dead_letters import OVER, DeadLetterReader

COMPARED: Final = 1_000
_AT_ONCE: Final = 20
_RUNS: Final = 20


@dataclass(frozen=True, slots=True)
class Message:
    """A message of the dead-letter queue; `says` is what is wrong between it and the ledger, empty where nothing is.

    `readable` is whether it is an event of ours; `cause` why the broker moved it, where the broker did.
    """

    event_id: str
    state: str
    table: str
    cause: str
    size: int
    says: str
    readable: bool = True


@dataclass(frozen=True, slots=True)
class Compared:
    """The messages, and the ids of dead-lettered events without one; `more`: only the oldest 1,000 were compared."""

    messages: Sequence[Message]
    without: Sequence[str]
    more: bool

    @property
    def unreadable(self) -> Sequence[Message]:
        """The messages that are no events of ours."""
        return [it for it in self.messages if not it.readable]

    @property
    def different(self) -> Sequence[Message]:
        """The messages of which the ledger says something else."""
        return [it for it in self.messages if it.says]


class Comparison:
    """Looks at both sides; raises `Transient` where one of them is away."""

    def __init__(
        self, queue: DeadLetterQueue, ledger: Ledger, problems: Problems, reader: DeadLetterReader, audit: Audit
    ) -> None:
        self._queue = queue
        self._ledger = ledger
        self._problems = problems
        self._reader = reader
        self._audit = audit

    async def look(self) -> Compared:
        """The oldest 1,000 messages beside the ledger. A message that cannot be read hides no other."""
        messages = await asyncio.to_thread(self._queue.peek, 0, COMPARED)
        found = await each(self._message, messages, at_once=_AT_ONCE)
        if len(messages) == COMPARED:
            return Compared(found, (), more=True)
        dead = await self._problems.first(State.DEAD_LETTERED.value, COMPARED)
        there = {it.event_id for it in found}
        return Compared(found, [it.event_id for it in dead if it.event_id not in there], more=False)

    async def repair(self, *, by: str, why: str) -> None:
        """Do now what the timer does every minute: give reasons that are missing, and remove what is dealt with."""
        async with self._audit.action("compare", Subject(), by=by, why=why):
            for _ in range(_RUNS):
                if await self._reader.look():
                    return

    async def _message(self, message: DeadMessage) -> Message:
        try:
            event = from_envelope(message.body)
            event_id, table, readable = event.event_id, event.table, True
        except Unreadable:
            event_id, table, readable = unreadable_id(message.body), "", False
        status = await self._ledger.read(event_id)
        state = status.state.value if status else ""
        return Message(event_id, state, table, message.cause, len(message.body), _difference(status), readable)


def _difference(status: EventStatus | None) -> str:
    if status is None:
        return "The ledger does not know its event."
    if status.state is State.DEAD_LETTERED:
        return ""
    if status.state in OVER or status.state.settled:
        return "Its event is dealt with: the message can go."
    return f"The ledger has its event as {status.state.value}: the worker ended without a word."
