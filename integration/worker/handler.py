"""What a handler is."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import ClassVar

from integration.dataverse import Row
from integration.events import IntegrationEvent
from integration.ledger import State
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


class Handler(ABC):
    """Brings the other systems to the state of a record.

    A handler carries state, not deltas: it is given the row as it is now, so that redelivery, reordering and a retry
    that is overtaken all converge. That is the worker's job: it reads the row, reads it again when it changes meanwhile
    (`Conflict`), and ends the event when the row does not exist. A handler raises `Transient` (tried later) and
    `Permanent` (dead letter).

    `columns` are read of the row; `lookups` are navigation properties with the columns that are read of each. `answers`
    names, for each effect, the parts of its answer that analytics gets.
    """

    table: ClassVar[str]
    messages: ClassVar[frozenset[str]]
    carried: ClassVar[frozenset[str]] = frozenset()
    """Columns and parameters whose values its events carry; by default an event only names what has changed."""
    ignored: ClassVar[frozenset[str]] = frozenset()
    """Messages that change nothing for the other systems: they end at once, and analytics gets them."""
    answers: ClassVar[Mapping[str, Collection[str]]] = {}

    @property
    @abstractmethod
    def columns(self) -> tuple[str, ...]:
        """The columns to read."""

    @property
    def decisive(self) -> frozenset[str]:
        """What decides what it does, by the columns' own names; it shows whether a change is committed."""
        return frozenset(
            ["transactioncurrencyid", *(name.removeprefix("_").removesuffix("_value") for name in self.columns)]
        )

    @abstractmethod
    async def present(self, work: Work, row: Row) -> Outcome:
        """Bring the systems to the state of `row`."""

    async def deleted(self, work: Work) -> Outcome:  # noqa: ARG002 -- most have nothing to undo
        """The row was deleted; by default nothing follows from that."""
        return Outcome.completed("nothing follows from the deletion")

    async def mark_failed(self, event: IntegrationEvent, reason: str) -> None:  # noqa: B027 -- most have nobody to show
        """The event is dead-lettered: show it to the people who look at the row. By default nobody is shown."""
