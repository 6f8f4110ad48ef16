"""Which part of working off a queue is measured: the part in which the worker has as much to do as it can take.

At the beginning it pays for imports, connections and tokens; at the end it has less in hand than it could take, and
waits. Between two moments at which it has as many messages in hand, what it has finished is what it has done.
"""

from collections.abc import Sequence
from dataclasses import dataclass

IN_HAND = 128
"""Messages that a worker takes at once: host.json, maxConcurrentSessions; the comparators' prefetch count."""

_WARM_UP = 0.1


@dataclass(frozen=True, slots=True)
class Sample:
    """A moment: how many events were finished by then, and what CPU time the parts had taken, in seconds."""

    at: float
    done: int
    cpu: dict[str, float]


@dataclass(frozen=True, slots=True)
class Window:
    """Two moments of a worker that was never idle between them."""

    first: Sample
    last: Sample

    @property
    def events(self) -> int:
        return self.last.done - self.first.done

    @property
    def seconds(self) -> float:
        return self.last.at - self.first.at

    @property
    def rate(self) -> float:
        """Events per second."""
        return self.events / self.seconds

    def cpu_ms(self, part: str) -> float:
        """Milliseconds of CPU per event."""
        return (self.last.cpu[part] - self.first.cpu[part]) / self.events * 1000

    def busy(self, part: str) -> float:
        """Which share of one core the part has used."""
        return (self.last.cpu[part] - self.first.cpu[part]) / self.seconds


class TooShortError(Exception):
    """The queue was empty before a worker that is warm could be measured; more events are needed."""


def window(samples: Sequence[Sample], total: int) -> Window:
    """From the first sample after the warm-up to the last one while the queue still had messages.

    The warm-up is a tenth of `total` events, at least as many as are taken at once: those that come first wait
    for what is opened on first use. The queue has messages while more are unfinished than one takes at once. Raises
    `TooShortError` when there are no two such samples with events between them.
    """
    warm = [it for it in samples if it.done >= max(total * _WARM_UP, IN_HAND)]
    busy = [it for it in warm if total - it.done > IN_HAND]
    if len(busy) < 2 or busy[-1].done == busy[0].done:
        raise TooShortError(f"{total} events are too few for a worker that takes {IN_HAND} at once")
    return Window(busy[0], busy[-1])
