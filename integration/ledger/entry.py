"""One event's place in the ledger while the worker works on it."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from azure.data.tables import TableClient

from integration.clock import Clock
from integration.events import IntegrationEvent
from integration.ledger import rows
from integration.ledger.operation import Operation, State, Step
from integration.ledger.tables import guarded, upsert

_HISTORY_KEPT = 20


class Entry:
    """Writes down what happens to one event; each method is one write, durable when it returns.

    Most are of a single row, which the Tables SDK sends at a quarter of a transaction's CPU time. All methods raise
    `Transient` where the tables are away.
    """

    def __init__(self, table: TableClient, clock: Clock, event: IntegrationEvent, operation: Operation | None) -> None:
        self._table = table
        self._clock = clock
        self._event = event
        self._operation = operation
        self._known = operation is not None
        self._reason = operation.reason if operation else None
        self._detail = operation.detail if operation else None
        self._under_way = operation is not None and operation.state in {State.ACCEPTED, State.PROCESSING}
        self._steps: dict[str, Step] = {step.name: step for step in operation.steps} if operation else {}

    @property
    def state(self) -> State:
        return self._operation.state if self._operation else State.ACCEPTED

    @property
    def reason(self) -> str | None:
        """The verdict's reason, where there is one."""
        return self._reason

    @property
    def detail(self) -> str | None:
        """The verdict's description, where there is one."""
        return self._detail

    @property
    def steps(self) -> Mapping[str, Step]:
        """The effects by name, as far as they are known here."""
        return self._steps

    def done(self, effect: str, basis: str) -> Step | None:
        """The effect's row if it was done with this very basis."""
        step = self._steps.get(effect)
        return step if step is not None and step.state == "done" and step.basis == basis else None

    def start(self, effect: str, basis: str) -> None:
        """An effect is about to happen; the event is in work: its row says so, or this effect's row beside it does."""
        self._steps[effect] = Step(effect, "started", self._clock.now(), "", basis, {})
        self._write(None if self._under_way else self._head(State.PROCESSING), effect)
        self._under_way = True

    def finish(self, effect: str, basis: str, answer: Mapping[str, Any], detail: str = "") -> None:
        """An effect was done; its answer is kept before anything else happens."""
        self._steps[effect] = Step(effect, "done", self._clock.now(), detail, basis, answer)
        self._write(None, effect)

    def settle(self, state: State, *, detail: str | None = None) -> None:
        """The event has ended, and the hub has been told."""
        head = {**self._head(state), "publishedTime": self._clock.now(), "reason": "", "detail": detail or ""}
        self._write(head)

    def wait(self, due: datetime, *, reason: str, detail: str) -> None:
        """This attempt failed; a copy is scheduled for `due`."""
        head = {**self._head(State.WAITING), "nextAttempt": due, "reason": reason, "detail": detail}
        self._write({**head, "history": self._history(reason, detail)})

    def condemn(self, *, reason: str, detail: str) -> None:
        """The verdict: nothing outside is touched for this event again until somebody resubmits it."""
        head = {**self._head(State.DEAD_LETTERED), "reason": reason, "detail": detail}
        self._write({**head, "history": self._history(reason, detail)})
        self._reason, self._detail = reason, detail

    def _history(self, reason: str, detail: str) -> str:
        past = list(self._operation.history) if self._operation else []
        past.append(
            {
                "attempt": self._event.attempt,
                "at": self._clock.now().isoformat(),
                "reason": reason,
                "detail": detail,
            }
        )
        return json.dumps(past[-_HISTORY_KEPT:])

    def _head(self, state: State) -> rows.Row:
        partition, key = rows.event_keys(self._event.event_id)
        told = {} if self._known else rows.event_row(self._event)
        return {
            **told,
            "PartitionKey": partition,
            "RowKey": key,
            "state": state.value,
            "attempts": self._event.attempt,
            "changedTime": self._clock.now(),
        }

    def _write(self, head: rows.Row | None, effect: str = "") -> None:
        changed = [] if head is None else [head]
        if effect:
            step = self._steps[effect]
            values = {
                "state": step.state,
                "at": step.at,
                "detail": step.detail,
                "basis": step.basis,
                "answer": json.dumps(step.answer),
            }
            changed.append(rows.effect_row(self._event.event_id, effect, values))
        with guarded():
            upsert(self._table, changed)
        self._known = self._known or head is not None
