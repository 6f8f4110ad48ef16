"""What a flow's functions get to work with."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from integration.dataverse import DataverseClient
from integration.errors import Outage
from integration.events import IntegrationEvent
from integration.transport import CallContext
from integration.worker.effects import Effects, fingerprint
from integration.worker.work import Work

Answer: TypeAlias = Mapping[str, Any]
"""What came of an effect, as JSON: it is kept in the ledger, and is there for whoever works on the record next."""


@dataclass(frozen=True, slots=True)
class Kit:
    """One record in a flow's hands, for one event.

    `record_id` is the record's; `event` may be that of another record, which needs this one. `context` belongs into
    every call to another system: correlation id, trace and the event's deadline travel along.
    """

    record_id: str
    dataverse: DataverseClient
    work: Work
    effects: Effects
    systems: Mapping[str, object]

    def system(self, name: str) -> Any:
        """The client of a system; raises `Outage` (system-not-configured) where no setting names it.

        The event then waits until it is configured.
        """
        if name not in self.systems:
            raise Outage(f"no setting names the system {name}", reason="system-not-configured", service=name)
        return self.systems[name]

    @property
    def event(self) -> IntegrationEvent:
        """The event that is worked on."""
        return self.work.event

    @property
    def context(self) -> CallContext:
        """What travels along with every call."""
        return self.work.context

    @property
    def now(self) -> datetime:
        """The current time."""
        return self.work.now

    @property
    def forced(self) -> bool:
        """Whether somebody has asked that this event counts even where a system holds a newer state."""
        return self.event.forced

    def answer(self, effect: str) -> Answer:
        """What a system answered last to an effect of this record; empty where it never did."""
        return self.effects.memory.effect(effect).answer

    def known(self, effect: str, done_with: tuple[Any, ...]) -> Answer | None:
        """What a system answered to a charged effect that was done with the very same; None where it was not."""
        is_done = self.effects.is_done(effect, fingerprint(*done_with), charged=True)
        return self.answer(effect) if is_done else None

    async def once(
        self,
        effect: str,
        done_with: tuple[Any, ...],
        do: Callable[[str], Awaitable[Answer]],
        *,
        says: Callable[[Answer], str] = lambda _answer: "",
    ) -> Answer:
        """For a deletion: do an effect unless it was done with the very same; `do` gets the Idempotency-Key."""
        return await self.effects.once(effect, fingerprint(*done_with), do, report=says)

    def compare_versions(self, system: str, effect: str, replaced: int | None) -> None:
        """Notice where `system` held an older state (`replaced`) than the `sourceVersion` it has confirmed before."""
        self.work.compare_versions(system, remembered=self.answer(effect).get("sourceVersion"), replaced=replaced)

    def expect_unknown(self, system: str, number: str | None) -> None:
        """`system` does not know the record: raises `Permanent` where it has confirmed `number` before."""
        self.work.expect_unknown(system, number)
