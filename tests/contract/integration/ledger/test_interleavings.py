"""Whatever two invocations and a guest do to one record, in whatever order: who is fenced changes nothing."""

import asyncio
import itertools
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integration.clock import SystemClock
from integration.errors import Fenced, Outage
from integration.ledger import Ledger, Record, State, keys
from integration.ledger.record import read_memory
from integration.tables import Account, Table, table_account
from integration.tables.entity import Property
from tests.contract.integration.ledger.faults import FaultyTransport
from tests.memory_table import MemoryTable

OWNERS, GUEST = ("a", "b"), "g"
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("open"), st.sampled_from(OWNERS)),
        st.tuples(st.just("write"), st.sampled_from([*OWNERS, GUEST]), st.sampled_from(["", "away", "lost", "twice"])),
    ),
    max_size=14,
)


@dataclass
class Actor:
    """An invocation as the model knows it: whose claim it has seen, and what it has yet to write."""

    record: Record
    name: str
    seen: str
    pending: set[str] = field(default_factory=set)


@dataclass
class Model:
    """What must be stored: whose claim holds, and which changes got through."""

    claim: str = ""
    kept: set[str] = field(default_factory=set)

    def allows(self, actor: Actor) -> bool:
        return actor.name == GUEST or self.claim in {actor.seen, actor.name}

    def applied(self, actor: Actor) -> None:
        self.kept |= actor.pending
        if actor.name != GUEST:
            self.claim = actor.seen = actor.name


class FaultyTable(MemoryTable):
    """A table in memory on which the next write gets lost, as `fault` says."""

    fault = ""

    async def insert(self, entity: Mapping[str, Property]) -> str:
        return await self._faulty(lambda: super(FaultyTable, self).insert(entity))

    async def replace(self, entity: Mapping[str, Property], *, etag: str | None) -> str:
        return await self._faulty(lambda: super(FaultyTable, self).replace(entity, etag=etag))

    async def _faulty(self, write: Callable[[], Awaitable[str]]) -> str:
        fault, self.fault = self.fault, ""
        if fault == "away":
            raise Outage("it did not arrive")
        written = await write()
        if fault == "lost":
            raise Outage("its answer was lost")
        return await write() if fault == "twice" else written


class Play:
    """One record, its actors, and what the model says of it."""

    def __init__(self, table: Table, break_next: Callable[[str], None]) -> None:
        self._table = table
        self._break_next = break_next
        self._session_id = f"opportunity:{uuid.uuid4()}"
        self._actors: dict[str, Actor] = {}
        self._numbers = itertools.count()
        self._model = Model()

    async def play(self, steps: Sequence[tuple[str, ...]]) -> None:
        """Do the steps, and compare what is stored with the model after each."""
        for name in (*OWNERS, GUEST):
            await self._open(name)
        for step, who, *how in steps:
            if step == "open":
                await self._open(who)
            else:
                await self._write(self._actors[who], f"{who}{next(self._numbers)}", how[0])
            assert await self._changes() == self._model.kept

    async def _open(self, name: str) -> None:
        found = await self._table.get(*keys.record_keys(self._session_id))
        record = Record(self._table, self._session_id, found, guest=name == GUEST)
        self._actors[name] = Actor(record, name if name == GUEST else f"{name}{next(self._numbers)}", self._model.claim)

    async def _write(self, actor: Actor, change: str, fault: str) -> None:
        actor.pending.add(change)
        self._break_next(fault)
        try:
            await actor.record.write(lambda memory: memory.end(change, State.COMPLETED))
        except Fenced:
            assert not self._model.allows(actor)
        except Outage:
            if self._model.allows(actor) and change in await self._changes():
                assert fault == "lost"
                self._model.applied(actor)
        else:
            assert self._model.allows(actor)
            self._model.applied(actor)
            actor.pending.clear()

    async def _changes(self) -> set[str]:
        found = await self._table.get(*keys.record_keys(self._session_id))
        return set(read_memory(found.entity).recent) if found else set()


@given(STEPS)
@settings(max_examples=400, deadline=None)
def test_no_interleaving_lets_a_fenced_invocation_change_anything(steps: list[tuple[str, ...]]) -> None:
    """Nor loses what a guest or the holder of the claim has written."""
    table = FaultyTable("records")
    asyncio.run(Play(table, lambda fault: setattr(table, "fault", fault)).play(steps))


@given(STEPS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_so_it_is_on_azurite(storage: str, steps: list[tuple[str, ...]]) -> None:
    """With the service's own ETags, and answers that get lost on their way."""

    async def on_azurite() -> None:
        account: Account = table_account(connection_string=storage, account_name=None)
        transport = FaultyTransport(account)
        ledger = Ledger(account, transport, SystemClock())
        try:
            await Play(ledger.table(keys.RECORDS), transport.break_next).play(steps)
        finally:
            await transport.aclose()

    asyncio.run(on_azurite())
