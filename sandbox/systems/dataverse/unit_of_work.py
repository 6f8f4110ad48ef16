"""All or nothing, also while synchronous steps are called outside of the transaction.

The work of a request, a bulk message or a change set runs in one transaction of the database and never waits in it.
When it fires synchronous steps, it is rolled back, the steps are called in their order, and it runs again, with the
same new ids. Meanwhile its rows are kept from other requests. As in a real environment, a step may thus have been
called for a change that failed.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from sandbox.systems.dataverse import values
from sandbox.systems.dataverse.change import Change
from sandbox.systems.dataverse.context import Step
from sandbox.systems.dataverse.errors import ODataError
from sandbox.systems.dataverse.jobs import Jobs
from sandbox.systems.dataverse.registration import REGISTRATION_TABLES, Registrations
from sandbox.systems.dataverse.store import Store

Result = TypeVar("Result")
RowKey = tuple[str, str]


@dataclass
class _Turn:
    """What is known from one attempt to the next."""

    ids: list[str] = field(default_factory=list)
    called: int = 0
    held: set[RowKey] = field(default_factory=set)


@dataclass
class _Waiting:
    """A synchronous step that has to be called before a change is written; `part` is where in a batch it came up."""

    change: Change
    step: Step
    part: int


class _NotYet(Exception):
    """Steps have to be called before the work can be committed."""


class _Busy(Exception):
    """Another request keeps a row until its steps were called."""

    def __init__(self, free: asyncio.Event) -> None:
        super().__init__()
        self.free = free


class Unit:
    """One attempt; `part` counts the operations of a change set, so that its error can say which one failed."""

    def __init__(self, turn: _Turn, busy: dict[RowKey, asyncio.Event]) -> None:
        self._turn, self._busy = turn, busy
        self.touched: set[RowKey] = set()
        self.waiting: list[_Waiting] = []
        self.jobs: list[str] = []
        self.part = 0
        self._ids = self._fired = 0

    def new_id(self) -> str:
        """A new primary key, the same in every attempt."""
        if self._ids == len(self._turn.ids):
            self._turn.ids.append(values.new_guid())
        self._ids += 1
        return self._turn.ids[self._ids - 1]

    def touch(self, table: str, row_id: str) -> None:
        """A row is about to be changed."""
        key = (table, row_id)
        if key in self._busy and key not in self._turn.held:
            raise _Busy(self._busy[key])
        self.touched.add(key)

    def fire(self, change: Change, step: Step) -> None:
        """A change fires a synchronous step; nothing happens where an earlier attempt has called it."""
        self._fired += 1
        if self._fired > self._turn.called:
            self.waiting.append(_Waiting(change, step, self.part))


class UnitOfWork:
    """Runs the work of requests."""

    def __init__(self, store: Store, registrations: Registrations, jobs: Jobs) -> None:
        self._store, self._registrations, self._jobs = store, registrations, jobs
        self._busy: dict[RowKey, asyncio.Event] = {}

    async def run(self, work: Callable[[Unit], Result]) -> Result:
        """The result of `work` once everything it did is committed; its `ODataError` when nothing is.

        `work` may run several times, and must not wait.
        """
        turn = _Turn()
        try:
            while True:
                unit = Unit(turn, self._busy)
                try:
                    result = self._attempt(work, unit)
                except _Busy as busy:
                    self._release(turn)
                    await busy.free.wait()
                except _NotYet:
                    await self._call(unit, turn)
                except ODataError as refused:
                    refused.part = unit.part
                    await self._call(unit, turn)
                    raise
                else:
                    self._jobs.run(unit.jobs)
                    return result
        finally:
            self._release(turn)

    def _attempt(self, work: Callable[[Unit], Result], unit: Unit) -> Result:
        try:
            with self._store.transaction():
                result = work(unit)
                if unit.waiting:
                    raise _NotYet
        finally:
            if any(table in REGISTRATION_TABLES for table, _ in unit.touched):
                self._registrations.changed()
        return result

    async def _call(self, unit: Unit, turn: _Turn) -> None:
        for key in unit.touched - turn.held:
            self._busy[key] = asyncio.Event()
        turn.held |= unit.touched
        for waiting in unit.waiting:
            outcome = await self._jobs.call_now(waiting.change, waiting.step)
            turn.called += 1
            if not outcome.succeeded:
                said = f"The webhook call failed for step '{waiting.step.name}'. {outcome.message}"
                raise ODataError(400, "0x80050203", said, part=waiting.part)

    def _release(self, turn: _Turn) -> None:
        for key in turn.held:
            self._busy.pop(key).set()
        turn.held.clear()
