"""A flow: what the rows of one table require of the other systems. One file in `integration/flows/` declares it.

    flow = Flow(Lead, table="lead", entity_set="leads", results=(...))

    @flow.effect("marketing-prospect", system="marketing", writes={"prospectnumber": "number"})
    async def prospect(lead: Lead, kit: Kit, key: str) -> Answer:
        ...

An effect happens once for each state of the row. The worker reads the row, does the effects that are due in the order
in which they stand in the file, and writes results back. It also deals with retries, duplicates and lost answers.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeAlias, TypeVar

from integration.events import IntegrationEvent, Lookup
from integration.flow.columns import Columns, with_currency
from integration.flow.kit import Answer, Kit
from integration.flow.results import STATUS, Result
from integration.systems import CustomerMatch
from integration.worker.effects import fingerprint

R = TypeVar("R", bound=Columns)

Do: TypeAlias = Callable[[R, Kit, str], Awaitable[Answer]]
"""Does an effect with the state of the row; gets the Idempotency-Key, and returns the system's answer as JSON."""

Compare: TypeAlias = Callable[[R, Answer, Any], Awaitable[str]]
"""Reads in a system what an effect has done there, and says what is different; nothing where it agrees.

It gets the row, the system's last answer to the effect, and the system's client.
"""

_ACCEPTED = frozenset({"SetState", "SetStateDynamicEntity", "Assign", "Merge"})
"""Messages that say the same as an Update; Assign changes the owner alone, Merge the row that is kept and the one that
is deactivated.
"""


@dataclass(frozen=True, slots=True)
class Needs(Generic[R]):
    """Another record that must have been brought to its system before, by its own flow.

    `of` names it; it may raise `Permanent`. `role` is what it is to this row (`customer`). Where it does not exist in
    Dataverse, `gone` is the reason of the dead letter.
    """

    of: Callable[[R], Lookup]
    role: str
    gone: str


@dataclass(frozen=True, slots=True)
class Undo(Generic[R]):
    """What takes an effect back; `state` names the state that results, and is its fingerprint."""

    state: str
    do: Do[R]
    says: Callable[[Answer], str]
    done: str

    @property
    def fingerprint(self) -> str:
        """What the effect is then done with."""
        return fingerprint(self.state)


@dataclass(slots=True)
class Effect(Generic[R]):
    """One effect; `Flow.effect` says what the parts mean."""

    name: str
    system: str
    do: Do[R]
    of: Callable[[R], tuple[Any, ...]]
    when: Callable[[R], bool]
    begins_with: frozenset[str]
    needs: Needs[R] | None
    charged: bool
    writes: Mapping[str, str]
    publishes: tuple[str, ...]
    says: Callable[[Answer], str]
    done: str
    undone_by: Undo[R] | None = None
    compare: Compare[R] | None = None

    def compared(self, compare: Compare[R]) -> Compare[R]:
        """Declare how it is found out whether the system still has what it has confirmed (`run.py reconcile`)."""
        self.compare = compare
        return compare

    def may_begin(self, event: IntegrationEvent) -> bool:
        """Whether a first one may be due; payloads that do not say what has changed may have changed it."""
        changed = event.changed_columns
        if not self.begins_with or event.message == "Create" or event.forced or changed is None:
            return True
        return not self.begins_with.isdisjoint(changed)

    def undo(self, state: str, *, done: str, says: Callable[[Answer], str] | None = None) -> Callable[[Do[R]], Do[R]]:
        """What is done once the effect's `when` does not hold any more, where it was ever started.

        `state` is what the effect then comes to (`on-hold`); when `when` holds again, the effect is done again.
        """

        def declare(do: Do[R]) -> Do[R]:
            self.undone_by = Undo(state, do, says or self.says, done)
            return do

        return declare


@dataclass(frozen=True, slots=True)
class Deletion:
    """What a deleted row requires; `name` is the effect that it does, of which analytics gets `publishes`."""

    name: str
    publishes: tuple[str, ...]
    do: Callable[[Kit], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Matched(Generic[R]):
    """Asks `system` which of its customers a row would be; `ask` gets the row and the system's client."""

    system: str
    ask: Callable[[R, Any], Awaitable[CustomerMatch]]


@dataclass(slots=True)
class Flow(Generic[R]):
    """The flow of one table.

    `columns` is what is read of its rows, `entity_set` the Web API's name of the table. `messages` get a step in
    Dataverse; `accepts` are further ones that are taken where somebody has registered them. `results` are the columns
    that are written back; with none, nothing is. An Update step is sent for the columns that are read, and for
    `also_fired_by`. With `change_tracking`, the table is also asked every five minutes for what has changed, so that no
    lost event stays lost; it needs change tracking in Dataverse. `pre_image` are columns that the event of a Delete
    keeps. Raises `ValueError` where an effect writes what `results` do not have.
    """

    columns: type[R]
    table: str
    entity_set: str
    messages: tuple[str, ...] = ("Create", "Update", "Delete")
    accepts: tuple[str, ...] = ()
    results: tuple[Result, ...] = ()
    also_fired_by: tuple[str, ...] = ()
    pre_image: tuple[str, ...] = ()
    change_tracking: bool = False
    effects: list[Effect[R]] = field(default_factory=list, init=False)
    deletion: Deletion | None = field(default=None, init=False)
    match: Matched[R] | None = field(default=None, init=False)

    def effect(
        self,
        name: str,
        *,
        system: str,
        of: Callable[[R], tuple[Any, ...]] | None = None,
        when: Callable[[R], bool] = lambda _row: True,
        begins_with: Collection[str] = (),
        needs: Needs[R] | None = None,
        charged: bool = False,
        writes: Mapping[str, str] | None = None,
        publishes: tuple[str, ...] = (),
        says: Callable[[Answer], str] = lambda _answer: "",
        done: str = "",
    ) -> Callable[[Do[R]], Effect[R]]:
        """Declare the effect `name`, which `system` does.

        `of` is what it is done with: it is done again when that changes, by default when any column that is read does.
        `when` says whether the row asks for it. A first one is due only when one of the columns `begins_with` has
        changed. `needs` is a record that must be there before. Each answer of a `charged` effect costs something, so it
        is kept before anything else happens. `writes` names, for a result column, the part of the answer that it gets;
        `publishes` the parts that analytics gets. `says` is a step's detail for people, `done` how the event's outcome
        reads.
        """
        declared = {it.name for it in self.results}
        if unknown := (writes or {}).keys() - declared:
            raise ValueError(f"{name} writes {', '.join(sorted(unknown))}: declare it in the flow's results")

        def declare(do: Do[R]) -> Effect[R]:
            made = Effect(
                name=name,
                system=system,
                do=do,
                of=of or (lambda row: (row.id, row.values())),
                when=when,
                begins_with=frozenset(begins_with),
                needs=needs,
                charged=charged,
                writes=dict(writes or {}),
                publishes=publishes,
                says=says,
                done=done or f"{name} is done",
            )
            self.effects.append(made)
            return made

        return declare

    def deleted(
        self, name: str, *, publishes: tuple[str, ...] = ()
    ) -> Callable[[Callable[[Kit], Awaitable[str]]], Callable[[Kit], Awaitable[str]]]:
        """What follows when the row was deleted; returns how the event's outcome reads. By default nothing follows."""

        def declare(do: Callable[[Kit], Awaitable[str]]) -> Callable[[Kit], Awaitable[str]]:
            self.deletion = Deletion(name, publishes, do)
            return do

        return declare

    def matched(
        self, system: str
    ) -> Callable[[Callable[[R, Any], Awaitable[CustomerMatch]]], Callable[[R, Any], Awaitable[CustomerMatch]]]:
        """Declare how a row is matched with what `system` had before (`run.py matches`); it must change nothing."""

        def declare(ask: Callable[[R, Any], Awaitable[CustomerMatch]]) -> Callable[[R, Any], Awaitable[CustomerMatch]]:
            self.match = Matched(system, ask)
            return ask

        return declare

    @property
    def tables(self) -> Mapping[str, str]:
        """Its table with the entity set, as an inbound flow has its tables."""
        return {self.table: self.entity_set}

    @property
    def id_column(self) -> str:
        """The primary key of its table."""
        return f"{self.table}id"

    @property
    def written(self) -> tuple[Result, ...]:
        """The columns that are written: the results, and where there are any, those of the status."""
        return (*self.results, *STATUS) if self.results else ()

    def result(self, name: str) -> Result:
        """The result column of this name."""
        return next(it for it in self.results if it.name == name)

    @property
    def accepted(self) -> frozenset[str]:
        """Every message that it takes."""
        return frozenset((*self.messages, *self.accepts)) | (_ACCEPTED if "Update" in self.messages else frozenset())

    @property
    def filtering_attributes(self) -> tuple[str, ...]:
        """What an Update must touch to be sent. Result columns are never among them: a write-back fires nothing."""
        read = {name for it in self.columns.declared.values() for name in it.fired_by}
        return tuple(sorted(read.union(self.also_fired_by)))

    @property
    def with_currency(self) -> bool:
        """Whether the row's currency is read."""
        return with_currency(self.columns)
