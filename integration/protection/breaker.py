"""The circuit breaker of one system, as a pure state machine.

    closed ── outages ──> open ── its time is over, one instance claims the probe ──> half-open
      ^                    ^                                                            │  │
      └── the probe went through, calls ramp up ──────────────────────────────────────── │ ─┘
                           └────────────── it did not: open for longer ─────────────────┘

In addition, a person may pause the system, and the system itself may ask for a pause (Retry-After). All times are
seconds since the epoch (UTC), because instances share them.
"""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any


@dataclass(frozen=True, slots=True)
class BreakerPolicy:
    """When the breaker opens, and how the system is tried again; times in seconds.

    The breaker opens if, of the calls in the last `window`, at least `outages` calls and the fraction `share` were
    outages. It stays open for `first_open`, then for twice as long each time, up to `longest_open`. A claimed probe
    expires after `probe`, because its process may have died. After closing, each process may have one call at a time,
    and twice as many after every `ramp_step`. If the breaker opens again within `calm` after closing, the system has
    not recovered, and the breaker stays open for longer.
    """

    window: float = 30.0
    outages: int = 5
    share: float = 0.5
    first_open: float = 10.0
    longest_open: float = 300.0
    probe: float = 60.0
    ramp_step: float = 5.0
    calm: float = 300.0


class Phase(StrEnum):
    """The states of the breaker."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


class Admission(StrEnum):
    """What a call may do."""

    GO = "go"
    PROBE = "probe"
    """It may go once it has claimed the probe."""
    THROTTLED = "throttled"
    OPEN = "open"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True)
class Pause:
    """A person holds the calls to a system back; `since` is a time as all here."""

    by: str
    why: str
    since: float


@dataclass(frozen=True, slots=True)
class SystemState:
    """The state of one system, which all instances share."""

    phase: Phase = Phase.CLOSED
    since: float = 0.0
    until: float = 0.0
    """Open: when the system may be probed. Half-open: when the claim of the probe expires."""
    openings: int = 0
    """How often it has opened in a row."""
    why: str = ""
    """The reason of the outage that opened it."""
    throttled_until: float = 0.0
    ramp_from: float | None = None
    pause: Pause | None = None

    def admission(self, now: float) -> tuple[Admission, float | None]:
        """Whether a call may go, and if not, for how many seconds (None: not known)."""
        if self.pause is not None:
            return Admission.PAUSED, None
        if now < self.throttled_until:
            return Admission.THROTTLED, self.throttled_until - now
        if self.phase is Phase.CLOSED:
            return Admission.GO, 0.0
        if now >= self.until:
            return Admission.PROBE, 0.0
        left = self.until - now
        return Admission.OPEN, min(left, _NEWS_OF_A_PROBE) if self.phase is Phase.HALF_OPEN else left

    def limit(self, now: float, full: int, policy: BreakerPolicy) -> int:
        """How many calls a process may have at once: fewer than `full` while the system comes back."""
        if self.ramp_from is None or now < self.ramp_from:
            return full
        doublings = int((now - self.ramp_from) / policy.ramp_step)
        return full if doublings >= full.bit_length() else min(full, 2**doublings)

    def opened(self, now: float, why: str, policy: BreakerPolicy, draw: Callable[[], float]) -> "SystemState":
        """Nothing is sent for a time that grows with each opening in a row, with half of it as jitter."""
        in_a_row = self.openings if self.phase is not Phase.CLOSED or now - self.since < policy.calm else 0
        bound = min(policy.longest_open, policy.first_open * 2.0 ** min(in_a_row, 32))
        until = now + bound * (1 + draw()) / 2
        return replace(self, phase=Phase.OPEN, since=now, until=until, openings=in_a_row + 1, why=why)

    def claimed(self, now: float, policy: BreakerPolicy) -> "SystemState":
        """One call probes; the others wait for its outcome."""
        return replace(self, phase=Phase.HALF_OPEN, since=now, until=now + policy.probe)

    def released(self, now: float) -> "SystemState":
        """The outcome of the probe is unknown: the next call may probe."""
        return replace(self, phase=Phase.OPEN, since=now, until=now)

    def closed(self, now: float) -> "SystemState":
        """Calls are let through again, few at first."""
        return replace(self, phase=Phase.CLOSED, since=now, until=0.0, why="", ramp_from=now)

    def throttled(self, until: float) -> "SystemState":
        """The system asked for a pause; after it, few calls are let through at first."""
        return replace(self, throttled_until=until, ramp_from=until)

    def paused(self, pause: Pause) -> "SystemState":
        """A person pauses the system."""
        return replace(self, pause=pause)

    def resumed(self, now: float) -> "SystemState":
        """A person resumes the system: few calls at first; a breaker that was open may be probed at once."""
        until = now if self.phase is Phase.OPEN else self.until
        return replace(self, pause=None, until=until, ramp_from=now)

    def as_document(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_document(cls, document: Mapping[str, Any] | None) -> "SystemState":
        """From what `as_document` made; of another version's document, the fields that this version knows."""
        known = {name: value for name, value in (document or {}).items() if name in cls.__dataclass_fields__}
        pause = known.get("pause")
        known["pause"] = Pause(**pause) if pause else None
        known["phase"] = Phase(known.get("phase", Phase.CLOSED))
        return cls(**known)


_NEWS_OF_A_PROBE = 5.0
"""Seconds after which it is worth checking the outcome of another call's probe."""


class Outcomes:
    """The recent outcomes of the calls of one process."""

    def __init__(self, policy: BreakerPolicy) -> None:
        self._policy = policy
        self._seen: deque[tuple[float, bool]] = deque()
        self._outages = 0

    def add(self, now: float, *, outage: bool) -> bool:
        """Note one more outcome; returns whether the breaker should open now."""
        self._seen.append((now, outage))
        self._outages += outage
        while self._seen[0][0] <= now - self._policy.window:
            self._outages -= self._seen.popleft()[1]
        return outage and self._outages >= max(self._policy.outages, self._policy.share * len(self._seen))

    def forget(self) -> None:
        """Forget all outcomes: they say nothing about the present."""
        self._seen.clear()
        self._outages = 0
