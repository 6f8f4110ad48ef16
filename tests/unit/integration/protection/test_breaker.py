"""The breaker as a pure state machine."""

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integration.protection.breaker import Admission, BreakerPolicy, Outcomes, Pause, Phase, SystemState

POLICY = BreakerPolicy(first_open=10, longest_open=300, calm=300)
TIMES = st.floats(1e9, 2e9)
DRAWS = st.floats(0, 1, exclude_max=True)
STATES = st.builds(
    SystemState,
    phase=st.sampled_from(Phase),
    since=TIMES,
    until=TIMES,
    openings=st.integers(0, 50),
    why=st.text(max_size=20),
    throttled_until=st.just(0.0) | TIMES,
    ramp_from=st.none() | TIMES,
    pause=st.none() | st.builds(Pause, by=st.text(), why=st.text(), since=TIMES),
)


@given(STATES, TIMES, DRAWS)
def test_an_open_breaker_lets_nothing_go_before_its_time_and_one_probe_after(
    state: SystemState, now: float, draw: float
) -> None:
    """Between half the bound and the bound, whatever was before."""
    opened = dataclasses.replace(state, pause=None, throttled_until=0.0).opened(
        now, "erp-timeout", POLICY, lambda: draw
    )
    wait = opened.until - now
    assert POLICY.first_open / 2 - 1e-3 <= wait <= POLICY.longest_open + 1e-3
    assert opened.admission(now)[0] is Admission.OPEN
    assert opened.admission(opened.until)[0] is Admission.PROBE
    claimed = opened.claimed(opened.until, POLICY)
    assert claimed.admission(opened.until)[0] is Admission.OPEN
    assert claimed.admission(claimed.until)[0] is Admission.PROBE


def test_each_opening_in_a_row_lasts_longer_up_to_the_cap() -> None:
    state, now, waits = SystemState(), 1e9, []
    for _ in range(8):
        state = state.opened(now, "erp-timeout", POLICY, lambda: 0.999999)
        waits.append(round(state.until - now))
        now = state.until
        state = state.claimed(now, POLICY)
    assert waits == [10, 20, 40, 80, 160, 300, 300, 300]


@pytest.mark.parametrize(("closed_for", "wait"), [(10, 40), (299, 40), (301, 10)])
def test_what_opens_again_soon_after_it_closed_has_not_recovered(closed_for: float, wait: float) -> None:
    state = SystemState(openings=2).closed(1e9).opened(1e9 + closed_for, "erp-timeout", POLICY, lambda: 0.999999)
    assert round(state.until - 1e9 - closed_for) == wait


@given(st.integers(1, 64), st.lists(st.floats(0, 200), min_size=2, max_size=10))
def test_calls_come_back_one_then_two_then_four(full: int, after: list[float]) -> None:
    """Never more than the full number, never fewer than before, and all of them in the end."""
    state = SystemState(phase=Phase.HALF_OPEN).closed(1e9)
    limits = [state.limit(1e9 + seconds, full, POLICY) for seconds in sorted(after)]
    assert limits == sorted(limits)
    assert state.limit(1e9, full, POLICY) == 1
    assert state.limit(1e9 + POLICY.ramp_step, full, POLICY) == min(2, full)
    assert state.limit(1e9 + 7 * POLICY.ramp_step, full, POLICY) == full


def test_a_system_that_never_was_away_is_not_held_back() -> None:
    assert SystemState().limit(1e9, 16, POLICY) == 16


@given(STATES, TIMES, TIMES)
def test_a_pause_asked_for_holds_everything_back_until_its_end(state: SystemState, now: float, until: float) -> None:
    throttled = dataclasses.replace(state, pause=None).throttled(until)
    admission, seconds = throttled.admission(now)
    assert (admission is Admission.THROTTLED) == (now < until)
    if now < until:
        assert seconds == until - now


@given(STATES, TIMES)
def test_a_persons_pause_comes_before_all_and_has_no_end(state: SystemState, now: float) -> None:
    paused = state.paused(Pause("ann", "migration", now))
    assert paused.admission(now) == (Admission.PAUSED, None)
    assert paused.resumed(now).admission(now + 1e9)[0] in {Admission.GO, Admission.PROBE}


@given(STATES)
def test_a_state_survives_the_store(state: SystemState) -> None:
    assert SystemState.from_document(json.loads(json.dumps(state.as_document()))) == state


@pytest.mark.parametrize("document", [None, {}, {"phase": "closed", "something": "newer"}])
def test_what_another_version_wrote_is_read_as_far_as_it_is_known(document: dict[str, object] | None) -> None:
    assert SystemState.from_document(document) == SystemState()


def trips(*outcomes: tuple[float, bool]) -> list[bool]:
    """Of calls with their time and whether they were outages: after which the system counts as away."""
    seen = Outcomes(BreakerPolicy(window=30, outages=5, share=0.5))
    return [seen.add(at, outage=outage) for at, outage in outcomes]


def test_outages_in_a_row_open_it() -> None:
    assert trips(*[(at, True) for at in range(6)]) == [False] * 4 + [True] * 2


def test_a_few_among_many_answers_do_not() -> None:
    """One record that the system chokes on is not the system."""
    assert not any(trips(*[(at / 10, at % 3 == 0) for at in range(200)]))


def test_outages_long_ago_do_not_count() -> None:
    assert not any(trips(*[(at * 10, True) for at in range(50)]))


@given(st.lists(st.tuples(st.floats(0, 5), st.booleans()), max_size=100))
def test_it_opens_exactly_where_the_window_has_enough_outages(steps: list[tuple[float, bool]]) -> None:
    """Counting along gives what counting anew gives."""
    now, calls = 0.0, []
    seen = Outcomes(BreakerPolicy(window=30, outages=5, share=0.5))
    for wait, outage in steps:
        now += wait
        calls.append((now, outage))
        inside = [bad for at, bad in calls if at > now - 30]
        assert seen.add(now, outage=outage) == (outage and sum(inside) >= 5 and sum(inside) >= len(inside) / 2)
