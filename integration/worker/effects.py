"""Effects that happen once for each state of a record."""

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from integration.clock import Clock
from integration.errors import Permanent
from integration.events import IntegrationEvent
from integration.ledger import Effect, Memory, Record, Step
from integration.telemetry import get_logger

_log = get_logger(__name__)


def fingerprint(*parts: Any) -> str:
    """A short hash of what an effect is done with; personal data does not survive it."""
    return hashlib.sha256(json.dumps(parts, default=str, sort_keys=True).encode()).hexdigest()[:16]


@dataclass(slots=True)
class Trace:
    """What was done for one event: steps that people see, and whether anything outside was touched by this attempt."""

    steps: dict[str, Step] = field(default_factory=dict)
    drove: bool = False


class Effects:
    """The effects of one record, done for one event.

    `before` is called before an effect is started; it may raise to put it off.
    """

    def __init__(
        self,
        event: IntegrationEvent,
        record: Record,
        clock: Clock,
        trace: Trace,
        before: Callable[[], None] = lambda: None,
    ) -> None:
        self._event = event
        self._record = record
        self._clock = clock
        self._trace = trace
        self._before = before

    @property
    def memory(self) -> Memory:
        """What is remembered of the record."""
        return self._record.memory

    def is_done(self, name: str, with_fingerprint: str, *, charged: bool = False) -> bool:
        """Whether the effect was done with this very fingerprint; for a forced event only what itself did counts.

        An answer that was `charged` stays valid until there is another answer. A later question whose answer was lost
        does not change that.
        """
        known = self.memory.effect(name)
        done = known.done == with_fingerprint or (charged and known.answered == with_fingerprint)
        return done and (not self._event.forced or known.event_id == self._event.event_id)

    async def once(
        self,
        name: str,
        with_fingerprint: str,
        do: Callable[[str], Awaitable[Mapping[str, Any]]],
        *,
        report: Callable[[Mapping[str, Any]], str] = lambda answer: "",  # noqa: ARG005 -- says nothing
        charged: bool = False,
    ) -> Mapping[str, Any]:
        """Do the effect `name` unless it is done; returns its answer in both cases.

        `with_fingerprint` is the `fingerprint` of what it is done with; a new one is a new effect. `do` gets the
        Idempotency-Key, which is the same for every attempt with this fingerprint, whichever event makes it, and
        answers JSON. `report` describes the answer in a few words. The answer of a `charged` effect is written down
        before anything else happens. Other answers are written with the end of the event, as asking again with the
        same key costs nothing. Raises what `do` raises, and `Fenced`.
        """
        done = self.is_done(name, with_fingerprint, charged=charged)
        _log.debug(
            "debug-effect",
            effect=name,
            fingerprint=with_fingerprint,
            remembered=self.memory.effect(name).done,
            outcome="done" if done else "due",
        )
        if done:
            known = self.memory.effect(name)
            self._note(name, known, "done")
            return known.answer
        self._before()
        previous = self.memory.effect(name)
        self._record.change(self._start(name, with_fingerprint))
        await self._record.write()
        current = self.memory.effect(name)
        if current.started != with_fingerprint:
            self._note(name, current, "done")
            return current.answer
        self._note(name, current, "started")
        try:
            answer = dict(await do(f"{name}:{self._record.session_id}:{current.number}:{with_fingerprint}"))
        except Permanent:  # refused in the system's own words: nothing was done
            self._record.change(lambda memory: memory.cancel(name, current.number, previous))
            raise
        self._trace.drove = True
        at, detail = self._clock.now().isoformat(), report(answer)
        self._record.change(
            lambda memory: memory.finish(name, current.number, with_fingerprint, answer, at=at, detail=detail)
        )
        if charged:
            await self._record.write()
        self._note(name, self.memory.effect(name), "done")
        _log.info("effect-done", event=self._event, effect=name)
        return answer

    def forget(self, name: str) -> None:
        """The other system may know less than is remembered: the effect is done again the next time it is needed."""
        self._record.change(lambda memory: memory.forget(name))

    async def save(self) -> None:
        """Write what was finished here; for a record that the event does not end with."""
        await self._record.write()

    def _start(self, name: str, with_fingerprint: str) -> Callable[[Memory], None]:
        event_id, at = self._event.event_id, self._clock.now().isoformat()
        seen = self.memory.effect(name).done

        def start(memory: Memory) -> None:
            """Start it, unless an invocation that lost its session to this one has just finished the same effect."""
            if seen == with_fingerprint or memory.effect(name).done != with_fingerprint:
                memory.start(name, with_fingerprint, event_id=event_id, at=at)

        return start

    def _note(self, name: str, effect: Effect, state: str) -> None:
        if effect.event_id == self._event.event_id:
            self._trace.steps[name] = Step(name, state, self._clock.now(), effect.detail)
