"""What follows when a custom API is called: a business event. A file in `integration/flows/` has one flow of it.

    flow = EventFlow(CustomApi("new_CustomerPurchase", parameters={"Number": "text", "Total": "amount"}), key="Number")

    @flow.effect("points", system="loyalty")
    async def points(call: Call, kit: Kit, key: str) -> Answer:
        ...

Dataverse reports each call by a step on the custom API's message, whoever has called. `key` is the parameter that says
which event it is: an effect happens once for each event and what it says, however often the API was called for it.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from integration.flow.custom_api import CustomApi
from integration.flow.external import External
from integration.flow.kit import Answer, Kit
from integration.flow.results import Result

NO_TABLE = "none"
"""The table of a custom API that is bound to nothing, in events and steps."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call: `key` is the value of the flow's key, `parameters` have what was given, as plain values.

    Texts, whole numbers, decimals, yes/no, and aware times; those that were left out are not there.
    """

    key: str
    parameters: Mapping[str, Any]


React: TypeAlias = Callable[[Call, Kit, str], Awaitable[Answer]]
"""Does an effect for a call; gets the Idempotency-Key, and returns the system's answer as JSON."""


@dataclass(frozen=True, slots=True)
class Reaction:
    """One effect of an event; `EventFlow.effect` says what the parts mean."""

    name: str
    system: str
    do: React
    publishes: tuple[str, ...]
    says: Callable[[Answer], str]
    done: str


@dataclass(slots=True)
class EventFlow:
    """The flow of the calls of one custom API, which gets a step in Dataverse.

    `key` is the parameter that identifies an event; by default that for repetitions, or the row of a virtual table.
    Raises `ValueError` where neither is a parameter of the API.
    """

    api: CustomApi
    key: str = ""
    reactions: list[Reaction] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        if isinstance(self.api, External):
            self.key = self.key or f"{self.api.table}id"
        self.key = self.key or self.api.repeat_key
        if self.key not in self.api.all_parameters:
            raise ValueError(f"the flow of {self.api.name} needs the key of its events, which is one of its parameters")

    def effect(
        self,
        name: str,
        *,
        system: str,
        publishes: tuple[str, ...] = (),
        says: Callable[[Answer], str] = lambda _answer: "",
        done: str = "",
    ) -> Callable[[React], Reaction]:
        """Declare the effect `name`, which `system` does.

        `publishes` names the parts of the answer that analytics gets, `says` is a step's detail for people, `done` how
        the event's outcome reads.
        """

        def declare(do: React) -> Reaction:
            made = Reaction(name, system, do, publishes, says, done or f"{name} is done")
            self.reactions.append(made)
            return made

        return declare

    @property
    def table(self) -> str:
        """What events and status name as the table."""
        return self.api.table if isinstance(self.api, External) else NO_TABLE

    @property
    def tables(self) -> Mapping[str, str]:
        """It reads and writes no rows."""
        return {}

    @property
    def written(self) -> tuple[Result, ...]:
        """It writes no columns."""
        return ()
