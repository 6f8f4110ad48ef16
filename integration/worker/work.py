"""What a handler is given to work with: effects that happen once per event."""

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

from integration.errors import Permanent
from integration.events import IntegrationEvent
from integration.ledger import Entry
from integration.telemetry import get_logger
from integration.transport import CallContext

_log = get_logger(__name__)


def digest(*parts: Any) -> str:
    """A short fingerprint of what an effect is done with; personal data does not survive it."""
    return hashlib.sha256(json.dumps(parts, default=str, sort_keys=True).encode()).hexdigest()[:16]


class Work:
    """One event in a handler's hands."""

    def __init__(self, event: IntegrationEvent, entry: Entry) -> None:
        self.event = event
        self._entry = entry

    @property
    def record_id(self) -> str:
        """The event's record; raises `Permanent` (record-missing) where it names none."""
        if self.event.record_id is None:
            raise Permanent(f"{self.event.message} of {self.event.table} names no record", reason="record-missing")
        return self.event.record_id

    @property
    def has_acted(self) -> bool:
        """Whether an effect of this event was done, now or by an earlier delivery."""
        return any(step.state == "done" for step in self._entry.steps.values())

    @property
    def context(self) -> CallContext:
        """Correlation id and trace of this event, for every call outside."""
        return CallContext(correlation_id=self.event.correlation_id, traceparent=self.event.traceparent)

    def once(
        self,
        effect: str,
        basis: str,
        do: Callable[[str], Mapping[str, Any]],
        *,
        tell: Callable[[Mapping[str, Any]], str] = lambda answer: "",  # noqa: ARG005 -- says nothing
        repeatable: bool = False,
    ) -> Mapping[str, Any]:
        """Do `effect` unless it is done; its answer, either way.

        `basis` (see `digest`) is what it is done with: another basis is another effect. `do` gets the Idempotency-Key;
        its answer is JSON and in the ledger before this returns. `tell` says in a few words what came of it. Of what is
        `repeatable`, done twice as well as once, the beginning is not written down.
        """
        if step := self._entry.done(effect, basis):
            return step.answer
        if not repeatable:
            self._entry.start(effect, basis)
        answer = do(f"{self.event.event_id}:{effect}:{basis}")
        self._entry.finish(effect, basis, answer, tell(answer))
        _log.info("effect-done", event=self.event, effect=effect)
        return answer
