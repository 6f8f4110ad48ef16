"""Metrics: counts of what happens in this process, and values that it knows; OpenTelemetry's instruments observe them.

What counts is an addition in a dictionary. All attributes have few values, and an instrument keeps two hundred sets of
them at most: what comes after is counted under `other`. Counters of several instances add up; of the values that all
instances know alike the largest is the right one; and what only the ledger knows is reported by the one instance that
runs its timer.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from opentelemetry.metrics import CallbackOptions, Meter, Observation

_MOST: Final = 200
_OTHER: Final = "other"
_FRESH_SECONDS: Final = 180.0


@dataclass
class Instrument:
    """What is measured; `attributes` are the names of what it is measured by."""

    name: str
    unit: str
    description: str
    attributes: tuple[str, ...] = ()
    values: dict[tuple[str, ...], float] = field(default_factory=dict, repr=False)

    def _place(self, by: tuple[str, ...]) -> tuple[str, ...]:
        return by if by in self.values or len(self.values) < _MOST else (_OTHER,) * len(self.attributes)

    def observed(self) -> Iterator[tuple[float, Mapping[str, str]]]:
        """The values and their attributes."""
        for by, value in list(self.values.items()):
            yield value, dict(zip(self.attributes, by, strict=True))


class Counter(Instrument):
    """A sum that only grows."""

    def add(self, *by: str, amount: float = 1) -> None:
        """Count."""
        if _on:
            place = self._place(by)
            self.values[place] = self.values.get(place, 0) + amount


@dataclass
class Gauge(Instrument):
    """A value as it is now; one that nobody has set for three minutes is not known any more."""

    _at: dict[tuple[str, ...], float] = field(default_factory=dict, repr=False)

    def set(self, value: float, *by: str) -> None:
        """It is this now."""
        if _on:
            place = self._place(by)
            self.values[place], self._at[place] = value, time.monotonic()

    def observed(self) -> Iterator[tuple[float, Mapping[str, str]]]:
        for by, at in list(self._at.items()):
            if at < time.monotonic() - _FRESH_SECONDS:
                self._at.pop(by, None)
                self.values.pop(by, None)
        return super().observed()


ACCEPTED: Final = Counter(
    "integration.events.accepted", "{event}", "Events that were taken in.", ("integration.source",)
)
SETTLED: Final = Counter(
    "integration.events.settled", "{event}", "Events that have come to an end, by state.", ("integration.state",)
)
RETRIES: Final = Counter(
    "integration.retries", "{attempt}", "Attempts that are repeated later, by reason.", ("integration.reason",)
)
CALLS: Final = Counter(
    "integration.calls",
    "{call}",
    "Calls to systems for events, by their result: a status, or why there was no answer.",
    ("integration.system", "integration.result"),
)
LAG: Final = Gauge(
    "integration.sink.lag",
    "s",
    "How long the first event of the latest batch had waited in the hub when its reader was done with it.",
    ("integration.sink",),
)
UNSETTLED: Final = Gauge(
    "integration.events.unsettled",
    "{event}",
    "Events that wait or are dead-lettered, by state.",
    ("integration.state",),
)
OLDEST: Final = Gauge(
    "integration.events.oldest_unsettled", "s", "How long the event that waits longest has waited; 0 if none waits."
)
BREAKER: Final = Gauge(
    "integration.system.breaker",
    "1",
    "A system's breaker: 0 closed, 1 half-open, 2 open, 3 paused by a person.",
    ("integration.system",),
)
BUDGET: Final = Gauge(
    "integration.system.budget", "1", "Which part of a system's budget of requests is used.", ("integration.system",)
)
INSTRUMENTS: Final[list[Counter | Gauge]] = [
    *(ACCEPTED, SETTLED, RETRIES, CALLS, LAG),
    *(UNSETTLED, OLDEST, BREAKER, BUDGET),
]


def switch_on(*, counting: bool = True) -> None:
    """Count from now on, or no more."""
    global _on  # noqa: PLW0603 -- one for the process, as with logging
    _on = counting


def is_on() -> bool:
    """Whether anything is counted."""
    return _on


def observe(meter: "Meter") -> None:
    """Make an instrument of the SDK for each, which asks for the values when they are exported."""
    for instrument in INSTRUMENTS:
        make = meter.create_observable_counter if isinstance(instrument, Counter) else meter.create_observable_gauge
        make(instrument.name, [_callback(instrument)], instrument.unit, instrument.description)


def _callback(instrument: Instrument) -> "Callable[[CallbackOptions], Iterable[Observation]]":
    from opentelemetry.metrics import Observation  # noqa: PLC0415 -- only the thread that exports imports it

    return lambda _: [Observation(value, attributes) for value, attributes in instrument.observed()]


_on = False
