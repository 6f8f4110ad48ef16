"""How many requests a window of time may have."""

from hypothesis import given
from hypothesis import strategies as st

from integration.protection import Budget


def test_a_spent_budget_says_when_there_will_be_requests_again() -> None:
    budget = Budget(3, window=300)
    assert [budget.spend(at) for at in (0, 0, 100)] == [0, 0, 0]
    wait = budget.spend(100)
    assert 200 < wait <= 210
    assert budget.spend(100 + wait) == 0


def test_a_smaller_share_holds_at_once() -> None:
    budget = Budget(10)
    assert [budget.spend(0) for _ in range(5)] == [0] * 5
    budget.set_requests(5)
    assert budget.spend(0) > 0


@given(st.integers(1, 20), st.lists(st.floats(0, 60), max_size=200))
def test_no_window_has_more_than_the_budget_and_no_wait_is_longer_than_it(requests: int, waits: list[float]) -> None:
    """Whenever a window of five minutes begins; and whoever waits for as long as it says gets through."""
    budget, now, sent = Budget(requests, window=300), 0.0, list[float]()
    for wait in waits:
        now += wait
        told = budget.spend(now)
        if told > 0:
            assert told <= 320
            now += told
            assert budget.spend(now) == 0
        sent.append(now)
        assert sum(at > now - 300 for at in sent) <= requests
