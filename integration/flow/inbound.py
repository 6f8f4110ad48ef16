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
from typing import Any, TypeAlias

from integration.flow.kit import Kit
from integration.flow.results import Result


@dataclass(frozen=True, slots=True)
class Reading:
    """A record as the other system has it now.

    `key` is the value of the alternate key in Dataverse, `results` has the result columns by name without prefix: text,
    numbers, the word of a choice, an aware time, or None for an empty column.
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
    365 Finance have the record's key. Raises `ValueError` for `creates` with more than one table.
    """

    system: str
    kind: str
    events: tuple[str, ...]
    tables: Mapping[str, str]
    key: str
    results: tuple[Result, ...]
    creates: bool = False
    record_in: tuple[str, ...] = ()
    read: Read | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        if self.creates and len(self.tables) != 1:
            raise ValueError("a flow that creates rows needs a single table for them")

    @property
    def table(self) -> str:
        """What events, status and pauses name in place of a table: `erp.order`; no table of Dataverse has a dot."""
        return f"{self.system}.{self.kind}"

    def reading(self, read: Read) -> Read:
        """Declare how the record is read."""
        self.read = read
        return read

    def result(self, name: str) -> Result:
        """The result column of this name; raises `KeyError` where the flow declares none."""
        found = {it.name: it for it in self.results}
        return found[name]
