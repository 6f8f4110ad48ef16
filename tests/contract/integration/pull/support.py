"""The stand-in of Dataverse with a ledger, a queue and a clock of the test around what pulls from it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from integration.admission import CallerKeys, Senders
from integration.dataverse import DataverseClient
from integration.dataverse.changes import ChangeTracking
from integration.events import IntegrationEvent
from integration.intake import TakingIn
from integration.ledger import Memory, State
from integration.protection import MemoryState
from integration.protection.shared_state import Document
from integration.pull.deletions import Deletions
from integration.pull.events import PulledEvents
from integration.pull.pace import Pace
from integration.pull.queueing import PulledQueue
from integration.pull.tables import PulledTable
from integration.pull.tracking import TableChanges
from integration.settings import Settings
from tests.claim_kit import claim_check
from tests.contract.integration.dataverse.test_client import Person
from tests.contract.sandbox.systems.stand_in import StandIn
from tests.memory_table import ManualClock, MemoryLedger
from tests.unit.integration.intake.support import Sent
from tests.unit.integration.settings.test_reading import environment


class Shelf(MemoryState):
    """Where bookmarks are; `hook` is called with each before it is kept."""

    def __init__(self) -> None:
        super().__init__()
        self.hook: Callable[[Document], None] = lambda _: None

    async def write(self, key: str, value: Document, etag: str | None) -> str:
        self.hook(value)
        return await super().write(key, value, etag)


class Killed(BaseException):
    """The process ends here."""


ORGANISATION = str(uuid4())
ACCOUNTS = PulledTable("account", "accounts", "accountid", "Update", "Delete")
ENOUGH = 1e9


@dataclass
class Spent:
    """What all instances have sent."""

    requests: int = 0

    async def now(self) -> dict[str, int]:
        return {"dataverse": self.requests}


@dataclass
class Pulling:
    """What pulls, over the stand-in; `page` rows are read at once. What it has queued is in `queue`."""

    dataverse: DataverseClient
    system: StandIn
    person: Person
    page: int = 5_000
    table: PulledTable = ACCOUNTS
    clock: ManualClock = field(default_factory=ManualClock)
    queue: Sent = field(default_factory=Sent)
    shared: Shelf = field(default_factory=Shelf)
    spent: Spent = field(default_factory=Spent)

    def __post_init__(self) -> None:
        self.ledger = MemoryLedger(self.clock)

    @property
    def changes(self) -> TableChanges:
        """As a process has it that has just been started."""
        settings = Settings.from_environment(environment())
        senders = Senders(CallerKeys(settings.intake_keys))

        async def sleep(seconds: float) -> None:
            self.clock.advance(seconds)

        pace = Pace(6_000, self.spent, self.clock, sleep=sleep)
        return TableChanges(
            [self.table],
            tracking=ChangeTracking(self.dataverse, size=self.page),
            deletions=Deletions(self.ledger, self.dataverse),
            events=PulledEvents(ORGANISATION, self.clock),
            queue=PulledQueue(
                TakingIn(settings, senders, self.queue, self.ledger, claim_check(), self.clock), self.ledger, pace
            ),
            shared=self.shared,
            clock=self.clock,
        )

    async def run(self, *, seconds: float = ENOUGH) -> list[IntegrationEvent]:
        """One run over the table, and the events that it has queued; raises what stops it."""
        before = len(self.queue.envelopes)
        await self.changes.read(self.table, self.clock.monotonic() + seconds)
        return self.queue.events[before:]

    def create(self, **values: Any) -> str:
        """Somebody creates an account."""
        return self.person.create("accounts", {"name": "Contoso", **values})

    def creates(self, count: int) -> list[str]:
        """Somebody creates that many."""
        return [self.create(name=f"Contoso {number}") for number in range(count)]

    async def version_of(self, row_id: str) -> int:
        """The row's version now."""
        row = await self.dataverse.retrieve("accounts", row_id, select=["name"])
        return row.version or 0

    async def pushed(self, row_id: str, *, seen: bool = True) -> None:
        """A push has brought the row as it is now."""
        version = await self.version_of(row_id)

        def bring(memory: Memory) -> None:
            memory.end("an-event", State.COMPLETED)
            memory.seen = version if seen else 0

        await (await self.ledger.record(f"account:{row_id}")).write(bring)

    async def found_deleted(self, row_id: str) -> None:
        """A push has brought the deletion."""
        record = await self.ledger.record(f"account:{row_id}")
        await record.write(lambda memory: setattr(memory, "deleted", "202611"))


def ids(events: Sequence[IntegrationEvent]) -> list[str]:
    """Their records, sorted."""
    return sorted(str(event.record_id) for event in events)
