"""When to try again."""

from datetime import timedelta
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from integration.transport import RetryPolicy

POLICY = RetryPolicy(
    timedelta(seconds=2), timedelta(minutes=5), min_attempts=4, max_attempts=8, max_age=timedelta(hours=1)
)
AGES = st.timedeltas(timedelta(0), timedelta(hours=2))
DRAWS = st.floats(0, 1, exclude_max=True)
ASKED = st.none() | st.floats(0, 3600)


def test_the_bound_doubles_from_the_first_delay_up_to_the_cap() -> None:
    bounds = [POLICY.bound(attempt).total_seconds() for attempt in range(1, 11)]
    assert bounds == [2, 4, 8, 16, 32, 64, 128, 256, 300, 300]


def test_a_bound_far_out_is_the_cap_whatever_the_numbers() -> None:
    """No attempt number and no first delay overflows."""
    assert RetryPolicy(timedelta(days=1), timedelta(days=2)).bound(10**9) == timedelta(days=2)


@given(st.integers(1, 40), AGES, ASKED, DRAWS)
def test_a_delay_is_what_was_asked_plus_jitter(attempt: int, age: timedelta, asked: float | None, draw: float) -> None:
    """Never less than the other side asked for, never more than that plus the bound."""
    least = timedelta(seconds=asked or 0)
    assert least <= POLICY.delay(attempt, asked, lambda: draw) <= least + POLICY.bound(attempt)
    delay = POLICY.next_delay(attempt, age, asked, lambda: draw)
    assert delay in {None, POLICY.delay(attempt, asked, lambda: draw)}


@given(st.integers(1, 40), AGES, ASKED, DRAWS)
def test_giving_up_does_not_depend_on_luck(attempt: int, age: timedelta, asked: float | None, draw: float) -> None:
    """By attempts, or by age once there were enough attempts."""
    over = attempt >= POLICY.max_attempts or (age >= POLICY.max_age and attempt >= POLICY.min_attempts)
    assert (POLICY.next_delay(attempt, age, asked, lambda: draw) is None) == over


def test_the_jitter_is_full() -> None:
    """Delays fill the whole range below the bound, so that events which failed together come back apart."""
    random = Random(7)  # noqa: S311 -- a repeatable draw
    delays = [POLICY.next_delay(7, timedelta(0), None, random.random) for _ in range(1000)]
    seconds = [delay.total_seconds() for delay in delays if delay is not None]
    assert len(seconds) == 1000
    assert min(seconds) < 0.1 * 128
    assert max(seconds) > 0.9 * 128
    assert 0.4 * 128 < sum(seconds) / 1000 < 0.6 * 128
