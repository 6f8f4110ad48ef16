"""One thread that hands over in batches."""

import itertools
import threading
from collections.abc import Sequence

import pytest

from integration.coalescing import Coalescer
from integration.errors import Transient


class Gate:
    """Hands over when opened; remembers the batches."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.open = threading.Event()
        self.entered = threading.Event()

    def hand_over(self, batch: Sequence[int]) -> None:
        self.entered.set()
        assert self.open.wait(10)
        if -1 in batch:
            raise Transient("one of them is bad")
        self.batches.append(list(batch))


def test_what_comes_in_during_a_hand_over_travels_together_and_in_order() -> None:
    """The first item goes alone and at once, the rest gathers behind it."""
    gate = Gate()
    coalescer = Coalescer("test", gate.hand_over, largest_batch=3)
    futures = [coalescer.submit(0)]
    assert gate.entered.wait(10)
    futures += [coalescer.submit(number) for number in range(1, 6)]
    gate.open.set()
    for future in futures:
        future.result(10)
    assert gate.batches == [[0], [1, 2, 3], [4, 5]]


def test_a_failed_hand_over_fails_all_of_its_batch_and_none_of_the_next() -> None:
    """Whoever waits for an item learns what happened to it."""
    gate = Gate()
    coalescer = Coalescer("test", gate.hand_over, largest_batch=2)
    first = coalescer.submit(1)
    assert gate.entered.wait(10)
    bad, beside, after = coalescer.submit(-1), coalescer.submit(2), coalescer.submit(3)
    gate.open.set()
    first.result(10)
    for future in (bad, beside):
        with pytest.raises(Transient):
            future.result(10)
    after.result(10)
    assert gate.batches == [[1], [3]]


def test_a_cancelled_item_is_not_handed_over() -> None:
    """A caller that gave up before its item left takes it out."""
    gate = Gate()
    coalescer = Coalescer("test", gate.hand_over)
    first = coalescer.submit(1)
    assert gate.entered.wait(10)
    given_up, last = coalescer.submit(2), coalescer.submit(3)
    assert given_up.cancel()
    gate.open.set()
    first.result(10)
    last.result(10)
    assert gate.batches == [[1], [3]]


def test_a_full_backlog_refuses_at_once() -> None:
    """Memory is bounded: past the backlog callers hear that it is too much."""
    gate = Gate()
    coalescer = Coalescer("test", gate.hand_over, backlog=2)
    coalescer.submit(0)
    assert gate.entered.wait(10)
    coalescer.submit(1)
    coalescer.submit(2)
    with pytest.raises(Transient):
        coalescer.submit(3)
    gate.open.set()


def test_closing_hands_over_what_is_waiting() -> None:
    """Nothing that was taken is dropped at the end."""
    gate = Gate()
    gate.open.set()
    coalescer = Coalescer("test", gate.hand_over)
    futures = [coalescer.submit(number) for number in range(50)]
    coalescer.close()
    assert all(future.done() for future in futures)
    assert list(itertools.chain.from_iterable(gate.batches)) == list(range(50))
