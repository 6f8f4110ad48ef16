"""The system query options of a request, read and checked; one that is not known is refused, never ignored."""

from base64 import b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from integration.errors import Rejected
from integration.virtual_tables.edm import Edm
from integration.virtual_tables.filters import Filter
from integration.virtual_tables.grammar import parse_filter, refused, unsupported

MOST_ROWS: Final = 1_000
"""Rows of one answer where the client names no number."""
MOST_ASKED: Final = 5_000
"""Rows of one answer where it does. Dataverse asks for pages of up to 250, and for 5,000 where it fills a list itself.

Its client-side paging goes on behind the number that it has asked for, so an answer with fewer rows would lose some.
"""
_FAR: Final = 1_000_000
_AFTER: Final = "after-"
_KNOWN: Final = frozenset({"$filter", "$orderby", "$select", "$top", "$skip", "$count", "$inlinecount", "$skiptoken"})
_OF_ROWS: Final = frozenset({"$select"})
_OF_COUNTS: Final = frozenset({"$filter"})
_SAYS_NOTHING: Final = {"$format": ("json", "application/json"), "$expand": ("",)}
"""Options with the values that change nothing of the answer."""


@dataclass(frozen=True, slots=True)
class Sorting:
    """One part of `$orderby`."""

    column: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked of an entity set.

    `top` is None where no limit was named, `page` the most rows of one answer, `count` says whether `@odata.count` is
    wanted. `after` is the number of the last row of the page before, where the server pages by that.
    """

    filter: Filter | None = None
    order: tuple[Sorting, ...] = ()
    select: tuple[str, ...] = ()
    top: int | None = None
    skip: int = 0
    count: bool = False
    page: int = MOST_ROWS
    after: str | None = None


@dataclass(frozen=True, slots=True)
class Names:
    """What options may name: all columns in order, those that can be filtered with their types, those to sort by."""

    all: tuple[str, ...]
    filtered: Mapping[str, Edm]
    sorted: frozenset[str]


def list_query(options: Sequence[tuple[str, str]], names: Names) -> Query:
    """The query of a request for rows; raises `Rejected` (400, 501)."""
    given = _checked(options, _KNOWN)
    if "$skip" in given and "$skiptoken" in given:
        raise refused("$skip and $skiptoken cannot both be given")
    top = _whole(given, "$top")
    after = last_number(given.get("$skiptoken", ""))
    return Query(
        filter=_filter(given, names),
        order=_order(given.get("$orderby"), names),
        select=_select(given, names),
        top=top,
        skip=_whole(given, "$skip") or (_whole(given, "$skiptoken") if after is None else 0) or 0,
        count=_counts(given),
        page=MOST_ROWS if top is None else MOST_ASKED,
        after=after,
    )


def token_after(number: str) -> str:
    """The `$skiptoken` of the page behind the row with this number."""
    return _AFTER + urlsafe_b64encode(number.encode()).decode().rstrip("=")


def last_number(token: str) -> str | None:
    """The number that `token_after` was given, or None for a token of the other form; raises `Rejected` (400)."""
    if not token.startswith(_AFTER):
        return None
    text = token.removeprefix(_AFTER)
    try:
        number = b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True).decode()
    except ValueError:
        number = ""
    if not number or not number.isprintable():
        raise refused("$skiptoken is none of this service")
    return number


def row_query(options: Sequence[tuple[str, str]], names: Names) -> tuple[str, ...]:
    """The columns that a request for one row selects; raises `Rejected` (400, 501)."""
    return _select(_checked(options, _OF_ROWS), names)


def count_query(options: Sequence[tuple[str, str]], names: Names) -> Filter | None:
    """The filter of a request for `/$count`; raises `Rejected` (400, 501)."""
    return _filter(_checked(options, _OF_COUNTS), names)


def no_query(options: Sequence[tuple[str, str]]) -> None:
    """Refuse options where none apply; raises `Rejected` (400, 501)."""
    _checked(options, frozenset())


def _checked(options: Sequence[tuple[str, str]], known: frozenset[str]) -> dict[str, str]:
    given: dict[str, str] = {}
    for name, value in options:
        if name in given:
            raise refused(f"The option {name[:40]} is given twice")
        if name in _SAYS_NOTHING and value in _SAYS_NOTHING[name]:
            continue
        if name not in known:
            raise _unknown(name)
        given[name] = value
    return given


def _unknown(name: str) -> Rejected:
    if name.startswith("$"):
        return unsupported(f"The option {name[:40]} is not supported here")
    return refused(f"The option '{name[:40]}' is not known; options of OData begin with $")


def _filter(given: Mapping[str, str], names: Names) -> Filter | None:
    text = given.get("$filter")
    return None if text is None else parse_filter(text, names.filtered)


def _order(text: str | None, names: Names) -> tuple[Sorting, ...]:
    if text is None:
        return ()
    found: list[Sorting] = []
    for part in text.split(","):
        words = part.split()
        if not words or words[1:] not in ([], ["asc"], ["desc"]):
            raise refused(f"$orderby cannot be read at '{part.strip()[:60]}'")
        if words[0] not in names.sorted:
            raise refused(f"$orderby names '{words[0][:60]}', which is no column to sort by (names are case-sensitive)")
        if words[0] not in {it.column for it in found}:
            found.append(Sorting(words[0], descending=words[1:] == ["desc"]))
    return tuple(found)


def _select(given: Mapping[str, str], names: Names) -> tuple[str, ...]:
    text = given.get("$select", "*").strip()
    if text == "*":
        return names.all
    wanted = [part.strip() for part in text.split(",")]
    if unknown := [it for it in wanted if it not in names.all]:
        raise refused(f"$select names '{unknown[0][:60]}', which is no column (names are case-sensitive)")
    return tuple(dict.fromkeys(wanted))


def _whole(given: Mapping[str, str], name: str) -> int | None:
    text = given.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit()) or len(text) > 9 or int(text) > _FAR:
        raise refused(f"{name} takes a whole number of at most {_FAR}")
    return int(text)


def _counts(given: Mapping[str, str]) -> bool:
    count, inline = given.get("$count"), given.get("$inlinecount")
    if count not in {None, "true", "false"}:
        raise refused("$count takes true or false")
    if inline not in {None, "allpages", "none"}:
        raise refused("$inlinecount takes allpages or none")
    return count == "true" or inline == "allpages"
