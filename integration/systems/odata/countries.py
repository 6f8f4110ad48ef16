"""Countries: a system takes codes of its own list, an address in Dataverse holds whatever people wrote."""

from collections.abc import Awaitable, Callable, Iterable

from integration.clock import Clock
from integration.transport import CallContext

_KEPT_SECONDS = 3600.0

Named = Iterable[tuple[str, str]]
"""Pairs of a name of a country, or another code of it, and the system's own code."""


class Countries:
    """The codes of a system's countries, by code and by name; `read` is asked once an hour."""

    def __init__(self, read: Callable[[CallContext], Awaitable[Named]], clock: Clock) -> None:
        self._read = read
        self._clock = clock
        self._codes: dict[str, str] = {}
        self._until = 0.0

    async def code_of(self, text: str, context: CallContext) -> str:
        """The code of a country; empty where the system's list does not have it, as a customer has to be saved."""
        if self._clock.monotonic() >= self._until:
            named = list(await self._read(context))
            self._codes = {name.casefold(): code for name, code in named} | {code.casefold(): code for _, code in named}
            self._until = self._clock.monotonic() + _KEPT_SECONDS
        return self._codes.get(text.strip().casefold(), "")
