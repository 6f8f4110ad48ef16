"""What the worker asks of a handler. `integration.flow` makes one of each flow."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

from integration.dataverse import Row
from integration.events import IntegrationEvent, Wants
from integration.ledger import State
from integration.worker.reading import Reads
from integration.worker.work import Work


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a handler ended: completed or superseded, and why in a few words.

    `agrees` says that the other systems now have the state of the row, which makes up for earlier failures.
    """

    state: State
    detail: str
    agrees: bool = True

    @classmethod
    def completed(cls, detail: str, *, agrees: bool = True) -> "Outcome":
        return cls(State.COMPLETED, detail, agrees)

    @classmethod
    def superseded(cls, detail: str, *, agrees: bool = True) -> "Outcome":
        return cls(State.SUPERSEDED, detail, agrees)


class EventHandler(ABC):
    """What takes the events of one table, or of one kind of records of another system.

    `ignored` are messages that change nothing for the other systems: they end at once, and analytics gets them.
    `answers` names, for each effect, the parts of its answer that analytics gets.
    """

    table: str
    messages: frozenset[str]
    ignored: frozenset[str] = frozenset()
    answers: Mapping[str, Collection[str]] = MappingProxyType({})

    def carried(self, message: str) -> frozenset[str]:  # noqa: ARG002 -- most want the same of every message
        """Columns and parameters whose values its events carry; by default an event only names what has changed."""
        return frozenset()

    def wants(self, message: str) -> Wants:
        """What of an event's values travels with it."""
        return Wants(self.carried(message))

    async def mark_failed(self, event: IntegrationEvent, reason: str) -> int:  # noqa: ARG002 -- most have nobody to show
        """The event is dead-lettered: show it to the people who look at the row. By default nobody is shown.

        Returns the version that the row has by that, 0 where it was not written.
        """
        return 0


class Handler(EventHandler):
    """Brings the other systems to the state of a record of Dataverse.

    A handler carries state, not deltas: it is given the row as it is now, so that redelivery, reordering and a retry
    that is overtaken all converge. That is the worker's job: it reads the row, reads it again when it changes meanwhile
    (`Conflict`), and ends the event when the row does not exist. A handler raises `Transient` (tried later) and
    `Permanent` (dead letter).
    """

    @property
    @abstractmethod
    def reads(self) -> Reads:
        """What is read of the row."""

    def wants(self, message: str) -> Wants:
        return Wants(self.carried(message), self.decisive)

    @property
    def decisive(self) -> frozenset[str]:
        """What decides what it does, by the columns' own names; it shows whether a change is committed."""
        return frozenset(name.removeprefix("_").removesuffix("_value") for name in self.reads.select)

    @abstractmethod
    async def present(self, work: Work, row: Row) -> Outcome:
        """Bring the systems to the state of `row`."""

    async def deleted(self, work: Work) -> Outcome:  # noqa: ARG002 -- most have nothing to undo
        """The row was deleted; by default nothing follows from that."""
        return Outcome.completed("nothing follows from the deletion")


class InboundHandler(EventHandler):
    """Brings rows of Dataverse to the state of a record of another system.

    It carries state too: it reads the record as it is now. It is called again where the row changes meanwhile.
    """

    @abstractmethod
    async def bring(self, work: Work) -> Outcome:
        """Bring the row to the state of the event's record. Raises `Conflict`, `Transient` and `Permanent`."""


AnyHandler: TypeAlias = Handler | InboundHandler
