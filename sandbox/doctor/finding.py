"""What was checked, and what was found. Standard library only, because it also runs where nothing else works."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

OK, NOTE, WRONG = "ok", "note", "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """`what` was checked, what was `seen`, and the `remedy` if something is wrong."""

    state: str
    what: str
    seen: str
    remedy: str = ""


def ok(what: str, seen: str) -> Finding:
    """It works."""
    return Finding(OK, what, seen)


def note(what: str, seen: str, remedy: str = "") -> Finding:
    """It works, but somebody should know about it; or it could not be checked."""
    return Finding(NOTE, what, seen, remedy)


def wrong(what: str, seen: str, remedy: str) -> Finding:
    """It does not work."""
    return Finding(WRONG, what, seen, remedy)


Check = Callable[[], Iterator[Finding]]
