"""An inbound flow: what records of another system require of rows in Dataverse. A file in `integration/flows/` has one.

    flow = InboundFlow("erp", "order", events=("order-shipped",), tables={"opportunity": "opportunities"},
                       key="erpnumber", results=(...))

    @flow.reading
    async def order(kit: Kit) -> Reading | None:
        ...

An event only says that something has happened to a record. The worker reads the record as it is now, finds the row that
has its number as alternate key, and writes the columns that differ. So repeated, late and reordered events lead to the
same result, and an event that this app's own write has caused changes nothing.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from integration.errors import NotFound, Permanent
from integration.flow.custom_api import CustomApi
from integration.flow.kit import Kit
from integration.flow.results import Result

RESYNCED: Final = "Update"
"""The message of an event with which people send a record again (POST /api/operations/resync)."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A record as the other system has it now.

    `key` is the value of the alternate key in Dataverse, `results` has the result columns by name without prefix: text,
    numbers, the word of a choice, an aware time, or None for an empty column. For a custom API, `key` is what the
    record is called, and `results` has its parameters; those that are None are left out.
    """

    key: str
    results: Mapping[str, Any]


Read: TypeAlias = Callable[[Kit], Awaitable[Reading | None]]
"""Reads the record `kit.record_id`; None where the system has nothing of it that matters in Dataverse."""


@dataclass(slots=True)
class InboundFlow:
    """The flow of one kind of records of another system.

    `events` are the names under which the intake takes its events (`POST /api/erp/events/<name>`). `tables` are those
    in which its row may be, with the entity set of each; `key` is the result column, of this flow or of the table's
    own, that is the alternate key. `results` are the columns that are written. With `creates`, a row that does not
    exist is created, which needs a single table. `record_in` are the properties in which business events of Dynamics
    365 Finance have the record's key, and `business_events` says of some of them, by BusinessEventId, which of `events`
    they are; the others are the first one. With `custom_api`, that is called for each state of the record, and the flow
    has neither tables nor results. Raises `ValueError` for a flow with both or with neither, for `creates` with more
    than one table, and for a business event that is none of `events`.
    """

    system: str
    kind: str
    events: tuple[str, ...]
    tables: Mapping[str, str] = field(default_factory=dict)
    key: str = ""
    results: tuple[Result, ...] = ()
    creates: bool = False
    record_in: tuple[str, ...] = ()
    business_events: Mapping[str, str] = field(default_factory=dict)
    custom_api: CustomApi | None = None
    read: Read | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        if bool(self.tables) == (self.custom_api is not None):
            raise ValueError("a flow writes to tables or calls a custom API")
        if self.creates and len(self.tables) != 1:
            raise ValueError("a flow that creates rows needs a single table for them")
        if unknown := set(self.business_events.values()) - set(self.events):
            raise ValueError(f"business_events names {', '.join(sorted(unknown))}, which the flow's events do not have")

    @property
    def table(self) -> str:
        """What events, status and pauses name in place of a table: `erp.order`; no table of Dataverse has a dot."""
        return f"{self.system}.{self.kind}"

    @property
    def messages(self) -> frozenset[str]:
        """The messages of the events that are handled."""
        return frozenset((*self.events, RESYNCED))

    def reading(self, read: Read) -> Read:
        """Declare how the record is read."""
        self.read = read
        return read

    async def read_record(self, kit: Kit) -> Reading | None:
        """The record as the system has it now, None where it has none; raises `Permanent` if no reading is declared."""
        if self.read is None:
            raise Permanent(f"the flow of {self.table} declares no reading", reason="flow-missing")
        try:
            return await self.read(kit)
        except NotFound as error:
            if error.service != self.system:
                raise
            return None

    def result(self, name: str) -> Result:
        """The result column of this name; raises `KeyError` where the flow declares none."""
        found = {it.name: it for it in self.results}
        return found[name]

    @property
    def written(self) -> tuple[Result, ...]:
        """The columns that are written."""
        return self.results
