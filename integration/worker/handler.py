"""What a handler is."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from integration.events import IntegrationEvent
from integration.ledger import State
from integration.worker.work import Work


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a handler ended: completed or superseded, and why in a few words."""

    state: State
    detail: str

    @classmethod
    def completed(cls, detail: str) -> "Outcome":
        return cls(State.COMPLETED, detail)

    @classmethod
    def superseded(cls, detail: str) -> "Outcome":
        return cls(State.SUPERSEDED, detail)


class Handler(ABC):
    """Drives the outside world to the state of a record.

    A handler carries state, not deltas: it reads the row as it is now, so that redelivery, reordering and a retry that
    is overtaken all converge. It raises `Transient` (tried later), `Permanent` (dead letter), `Stale` (superseded).
    """

    table: ClassVar[str]
    messages: ClassVar[frozenset[str]]
    carried: ClassVar[frozenset[str]] = frozenset()
    """Columns and parameters whose values its events carry; by default an event only names what has changed."""
    decisive: ClassVar[frozenset[str]] = frozenset()
    """Columns of the row that decide what it does: how it knows a row that shows a change sent before its commit."""

    @abstractmethod
    def handle(self, work: Work) -> Outcome:
        """Do what the event asks for."""

    def condemned(self, event: IntegrationEvent, reason: str) -> None:  # noqa: B027 -- most have nobody to tell
        """Called once when an event ends in the dead-letter queue, for example to mark the row; may fail quietly."""
