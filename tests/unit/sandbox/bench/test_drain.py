"""Which part of working off a queue counts."""

import pytest

from sandbox.bench.drain import IN_HAND, Sample, TooShortError, window


def samples(*done: int, step: float = 1.0) -> list[Sample]:
    """A sample each second; a part that takes half a core all the time."""
    return [Sample(number * step, count, {"worker": number * step / 2}) for number, count in enumerate(done)]


def test_neither_warm_up_nor_the_tail_counts() -> None:
    """The window goes from a tenth of the events to the last sample with more left than a worker has in hand."""
    measured = window(samples(0, 50, 200, 400, 1860, 1900, 2000, 2000), 2000)
    assert (measured.first.done, measured.last.done) == (200, 1860)


def test_idle_time_behind_the_last_event_changes_nothing() -> None:
    """Waiting at the end belongs to nobody: rate and CPU are the same with and without it."""
    busy = window(samples(0, 200, 400, 900, 1000), 1000)
    idle = window(samples(0, 200, 400, 900, *[1000] * 50), 1000)
    assert (idle.rate, idle.cpu_ms("worker")) == (busy.rate, busy.cpu_ms("worker"))


def test_rate_cpu_and_share_of_a_core_are_those_of_the_window() -> None:
    """300 events in a second, half of which the worker computed."""
    measured = window(samples(0, 200, 500, 900, 1000), 1000)
    assert measured.events == 300
    assert measured.rate == pytest.approx(300)
    assert measured.cpu_ms("worker") == pytest.approx(0.5 / 300 * 1000)
    assert measured.busy("worker") == pytest.approx(0.5)


def test_events_finished_before_the_first_sample_are_not_counted() -> None:
    """What was done before anybody looked has cost CPU that nobody saw."""
    measured = window(samples(200, 400, 600, 1000), 1000)
    assert measured.events == 400


def test_those_that_come_first_wait_for_what_is_opened_on_first_use() -> None:
    """With few events, a tenth of them would still be in the middle of that."""
    measured = window(samples(0, 40, 100, IN_HAND, 200, 230, 364), 364)
    assert measured.first.done == IN_HAND


@pytest.mark.parametrize("done", [[0, 1000], [0, 500, 1000], [0, 2 * IN_HAND, 2 * IN_HAND, 1000]])
def test_too_few_samples_of_a_busy_worker_are_refused(done: list[int]) -> None:
    """No figure is made up from a worker that was done before it could be measured."""
    with pytest.raises(TooShortError, match="too few"):
        window(samples(*done), 1000)
