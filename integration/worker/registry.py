"""Which handler takes which event."""

from collections.abc import Collection, Iterable

from integration.errors import ConfigurationError
from integration.events import IntegrationEvent, Wants
from integration.worker.handler import AnyHandler


class Handlers:
    """Handlers by table and message. Raises `ConfigurationError` where two want the same."""

    def __init__(self, handlers: Iterable[AnyHandler]) -> None:
        self._handlers: dict[tuple[str, str], AnyHandler] = {}
        for handler in handlers:
            for message in handler.messages:
                taken = self._handlers.setdefault((handler.table, message), handler)
                if taken is not handler:
                    names = f"{type(taken).__name__} and {type(handler).__name__}"
                    raise ConfigurationError(f"{names} both handle {message} of {handler.table}: only one can")

    @property
    def tables(self) -> list[str]:
        """The tables for which there is a handler."""
        return sorted({table for table, _ in self._handlers})

    def of(self, event: IntegrationEvent) -> AnyHandler | None:
        """The handler of the event's table and message; None: analytics only."""
        return self._handlers.get((event.table, event.message))

    def wants_of(self, table: str, message: str) -> Wants:
        """Which values of an event the handler of a table's message needs."""
        handler = self._handlers.get((table, message))
        return handler.wants(message) if handler else Wants()

    def carried_of(self, table: str, message: str) -> frozenset[str]:
        """The columns and parameters whose values events of a table's message carry for their handler."""
        handler = self._handlers.get((table, message))
        return handler.carried(message) if handler else frozenset()

    def effects_of(self, table: str, message: str) -> Collection[str]:
        """The names of the effects that an event of a table's message may have."""
        handler = self._handlers.get((table, message))
        return handler.answers.keys() if handler and message not in handler.ignored else ()
