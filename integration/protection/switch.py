"""The breaker of one system in this process, kept in step with those of all other instances."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from integration.clock import Clock
from integration.errors import Conflict, IntegrationError, Outage, Paused, Throttled, Transient
from integration.protection.breaker import Admission, BreakerPolicy, Outcomes, Pause, Phase, SystemState
from integration.protection.lookout import Lookout
from integration.protection.shared_state import SharedState
from integration.telemetry import get_logger

_log = get_logger(__name__)

_PATIENCE = 2.0
"""Seconds that reading or writing the state may take; after that a call goes on without it."""
_TRIES = 5
_UNSAID_PAUSE = 5.0
"""Seconds for which nothing is sent to a system that answered 429 without Retry-After."""

Change = Callable[[SystemState], SystemState | None]
"""A change of a state; None if the state stays as it is."""


@dataclass(frozen=True, slots=True)
class Pass:
    """Permission for a call; `limit` is how many calls may be under way at once in this process."""

    limit: int
    probe: bool = False


class Switch:
    """Lets calls to `service` go or holds them back, by a state that all instances share.

    The state is read at most every two seconds, and written only when it changes. While the store is unavailable, each
    process decides by what it sees itself.
    """

    def __init__(
        self,
        service: str,
        shared: SharedState,
        clock: Clock,
        *,
        full: int,
        policy: BreakerPolicy | None = None,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self.service = service
        self._shared = shared
        self._clock = clock
        self._full = full
        self._policy = policy or BreakerPolicy()
        self._draw = draw
        self._outcomes = Outcomes(self._policy)
        self._state = SystemState()
        self._etag: str | None = None
        self._changes = 0
        self._unsaved = False
        self._lookout = Lookout(self._read, clock)

    async def admit(self) -> Pass:
        """A pass for one call; report the outcome of the call to `saw`.

        Raises `Paused` (with the remaining time if the breaker is open, without a time if a person paused the system)
        and `Throttled` (the system asked one of the instances for a pause). Nothing may be sent then.
        """
        await self._lookout.keep_up()
        now = self._now()
        admission, seconds = self._state.admission(now)
        if admission is Admission.GO:
            return Pass(self._state.limit(now, self._full, self._policy))
        if admission is Admission.PROBE:
            if await self._change(self._claim):
                _log.info("system-probed", service=self.service, reason=self._state.why)
                return Pass(1, probe=True)
            admission, seconds = self._state.admission(self._now())
        raise self._held_back(admission, seconds)

    async def saw(self, given: Pass, error: BaseException | None) -> None:
        """Report the outcome of a call that was let through: its error, or None if it was answered."""
        now = self._now()
        if isinstance(error, Throttled):
            until = now + (error.retry_after or _UNSAID_PAUSE)
            await self._change(lambda state: state.throttled(until) if until > state.throttled_until + 1 else None)
        if given.probe:
            await self._probed(error)
        elif _is_outage(error):
            if self._state.phase is Phase.CLOSED and self._outcomes.add(now, outage=True):
                await self._open(error)
        elif _is_answer(error):
            self._outcomes.add(now, outage=False)

    async def pause(self, *, by: str, why: str) -> SystemState:
        """Hold all calls back until somebody resumes; returns the new state. Raises what the store raises."""
        return await self._by_hand(lambda state: state.paused(Pause(by, why, self._now())))

    async def resume(self) -> SystemState:
        """Let calls go again; returns the new state. Raises what the store raises."""
        return await self._by_hand(lambda state: state.resumed(self._now()))

    async def state(self) -> SystemState:
        """The state that all instances share; raises what the store raises."""
        return SystemState.from_document((await self._shared.read(self._key))[0])

    @property
    def _key(self) -> str:
        return f"system-{self.service}"

    def _now(self) -> float:
        return self._clock.now().timestamp()

    def _claim(self, state: SystemState) -> SystemState | None:
        now = self._now()
        return state.claimed(now, self._policy) if state.admission(now)[0] is Admission.PROBE else None

    def _held_back(self, admission: Admission, seconds: float | None) -> Transient:
        service, state = self.service, self._state
        if admission is Admission.THROTTLED:
            return Throttled(
                f"{service} asked for a pause; nothing was sent",
                reason=f"{service}-throttled",
                service=service,
                retry_after=seconds,
            )
        if admission is Admission.PAUSED and state.pause is not None:
            why = f"{state.pause.by} has paused {service}: {state.pause.why}"
        else:
            why = f"{service} is unavailable ({state.why}) and is given time to recover"
        return Paused(f"{why}; nothing was sent", reason=f"{service}-paused", service=service, retry_after=seconds)

    async def _open(self, error: BaseException | None) -> None:
        why = getattr(error, "reason", "")
        changed = await self._change(
            lambda state: (
                state.opened(self._now(), why, self._policy, self._draw) if state.phase is not Phase.OPEN else None
            )
        )
        self._outcomes.forget()
        if changed:
            due = datetime.fromtimestamp(self._state.until, UTC)
            _log.error("system-left-alone", service=self.service, reason=why, due=due, count=self._state.openings)

    async def _probed(self, error: BaseException | None) -> None:
        if _is_outage(error):
            await self._open(error)
        elif _is_answer(error) or isinstance(error, Throttled):
            self._outcomes.forget()
            if await self._change(lambda state: state.closed(self._now()) if state.phase is not Phase.CLOSED else None):
                _log.warning("system-back", service=self.service)
        else:
            await self._change(lambda state: state.released(self._now()) if state.phase is Phase.HALF_OPEN else None)

    async def _read(self) -> None:
        changes = self._changes
        try:
            async with asyncio.timeout(_PATIENCE):
                document, etag = await self._shared.read(self._key)
                theirs = SystemState.from_document(document)
                if self._unsaved:
                    theirs = replace(self._state, pause=theirs.pause)
                    etag = await self._shared.write(self._key, theirs.as_document(), etag)
        except (IntegrationError, TimeoutError) as error:
            _log.warning("system-state-unknown", service=self.service, error=error)
        else:
            if changes == self._changes:
                self._adopt(theirs, etag)

    def _adopt(self, state: SystemState, etag: str | None) -> None:
        if state.phase is not self._state.phase:
            self._outcomes.forget()
        self._state, self._etag, self._unsaved = state, etag, False

    async def _change(self, change: Change) -> bool:
        """Make a change for all instances; False if it does not apply, or no longer. Never fails: see the class."""
        try:
            async with asyncio.timeout(_PATIENCE):
                return await self._write(change)
        except (IntegrationError, TimeoutError) as error:
            _log.warning("system-state-unknown", service=self.service, error=error)
            self._unsaved = True
            return True

    async def _by_hand(self, change: Change) -> SystemState:
        try:
            async with asyncio.timeout(_PATIENCE * 2):
                document, etag = await self._shared.read(self._key)
                self._adopt(SystemState.from_document(document), etag)
                await self._write(change)
        except TimeoutError as error:
            raise Transient(
                f"the state of {self.service} could not be written in time", reason="ledger-unavailable"
            ) from error
        return self._state

    async def _write(self, change: Change) -> bool:
        """Apply `change` to the latest state and write it; if another instance wrote first, apply it to that state."""
        for _ in range(_TRIES):
            changed = change(self._state)
            if changed is None:
                return False
            self._state = changed
            self._changes += 1
            try:
                self._etag = await self._shared.write(self._key, changed.as_document(), self._etag)
            except Conflict:
                document, self._etag = await self._shared.read(self._key)
                self._state = SystemState.from_document(document)
            else:
                self._unsaved = False
                return True
        raise Transient(f"the state of {self.service} changes faster than it can be written", service=self.service)


def _is_outage(error: BaseException | None) -> bool:
    """Whether the system as a whole failed. A refusal in the system's own words shows that it is running."""
    return (
        isinstance(error, Outage)
        and not isinstance(error, Throttled | Paused)
        and not error.reason.endswith("-forbidden")
    )


def _is_answer(error: BaseException | None) -> bool:
    """Whether the system answered, even with a refusal. After a call that its deadline ended, that is not known."""
    if error is None:
        return True
    return isinstance(error, IntegrationError) and error.reason != "deadline-exceeded" and not _is_outage(error)
