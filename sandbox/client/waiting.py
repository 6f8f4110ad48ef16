"""Waits for something that happens elsewhere."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

_PAUSE = 0.05


def eventually(ask: Callable[[], T | None], *, within: float, what: str) -> T:
    """The first truthy answer of `ask`; after `within` seconds raises TimeoutError, which names `what`."""
    deadline = time.monotonic() + within
    while not (answer := ask()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not happen within {within:g} s; the last answer was {answer!r}")
        time.sleep(_PAUSE)
    return answer
