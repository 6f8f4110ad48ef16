"""What was looked at, and what was found. Standard library only, as it also looks at machines where nothing works."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

OK, NOTE, WRONG = "ok", "note", "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """`what` was looked at, what was `seen`, and what `remedy` there is for what is wrong."""

    state: str
    what: str
    seen: str
    remedy: str = ""


def ok(what: str, seen: str) -> Finding:
    """All is well."""
    return Finding(OK, what, seen)


def note(what: str, seen: str, remedy: str = "") -> Finding:
    """It works, but somebody should know; or it could not be looked at."""
    return Finding(NOTE, what, seen, remedy)


def wrong(what: str, seen: str, remedy: str) -> Finding:
    """It does not work."""
    return Finding(WRONG, what, seen, remedy)


Check = Callable[[], Iterator[Finding]]
