"""What the ERP sends when a record of it changes: an event in the plain form."""

import uuid
from dataclasses import dataclass, field

from sandbox.systems.outbox import Outbox
from sandbox.systems.rest import now


@dataclass(slots=True)
class Events:
    """Sends events through `outbox`.

    With `of_writes`, what the app itself has written is reported too, as most ERPs do. `held` makes them wait for
    `release`, and `copies` is how often each is sent.
    """

    outbox: Outbox
    of_writes: bool = False
    held: bool = False
    copies: int = 1
    _waiting: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def set(self, *, of_writes: bool, held: bool, copies: int) -> None:
        """How events are sent from now on; what was held until now is never sent."""
        self.of_writes, self.held, self.copies = of_writes, held, copies
        self._waiting.clear()

    def report(self, name: str, record: str) -> None:
        """Something has happened to the record."""
        event = {"id": str(uuid.uuid4()), "record": record, "source": "sandbox-erp", "time": now()}
        if self.held:
            self._waiting.append((name, event))
        else:
            self._send(name, event)

    def release(self, *, newest_first: bool = False) -> int:
        """Send what has waited; how many."""
        waiting, self._waiting = self._waiting, []
        for name, event in reversed(waiting) if newest_first else waiting:
            self._send(name, event)
        return len(waiting)

    def _send(self, name: str, event: dict[str, str]) -> None:
        for _ in range(self.copies):
            self.outbox.post(name, event)
