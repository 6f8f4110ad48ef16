"""What is kept of a problem that another system reports (RFC 9457): its type, its title, and the fields that it names.

Never its `detail`, nor what it says of single fields. That is free text, in which systems quote names, addresses and
amounts; from here it would go to the ledger, the hub, the archive and the logs, each kept longer than the row itself.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from integration.errors import Outage
from integration.transport.exchange import Request, Response

_MOST_FIELDS: Final = 10
_DEEPEST: Final = 6
_SHORTEST_WORD: Final = 3
_TYPE: Final = re.compile(r"[A-Za-z][A-Za-z0-9._~-]{0,59}")
_TITLE: Final = re.compile(r"[^\W\d_](?:[^\W\d_]|[ ,.:;()/-]){0,79}")
"""Letters and separators of words. Digits, quotes and @ belong to one occurrence, not to a type of problem."""
_FIELD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,39}|\d{1,3}")
"""A property, or an index into a list."""
_ABOUT_STATUSES: Final = ("ietf.org", "rfc-editor.org", "w3.org", "mozilla.org", "httpstatuses.com", "httpstatuses.io")
_LISTS: Final = ("errors", "invalid-params", "violations")
"""Where problems name what is wrong: RFC 9457 and ASP.NET Core, RFC 7807, Zalando's problem library."""
_PLACES: Final = ("pointer", "parameter", "header", "field", "name")


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem: `kind` is the last word of its type, `fields` are JSON pointers; `str` is what may be shown of it."""

    kind: str
    title: str = ""
    fields: tuple[str, ...] = ()
    shown_kind: str = ""

    def __str__(self) -> str:
        title = f"({self.title})" if self.title else ""
        what = " ".join(filter(None, (self.shown_kind, title)))
        fields = f"fields: {', '.join(self.fields)}" if self.fields else ""
        return "; ".join(filter(None, (what, fields)))


def problem_of(response: Response) -> Problem | None:
    """The problem that the system itself reports; None where the answer is not in its own words.

    A system's own problem is `application/problem+json` with a type of its own. `about:blank` and types that only say
    which HTTP status it is (a web framework's, a gateway's) are nobody's words: they come for addresses that the system
    does not know, from whatever answers there.

    By RFC 9457 type and title are the same for each problem of a kind. Not every system knows that: a title or a field
    that has a word of what we sent is left out, and so is a type that has a whole value of it.
    """
    if response.media_type != "application/problem+json":
        return None
    try:
        content = response.json()
    except Outage:
        return None
    kind = content.get("type") if isinstance(content, Mapping) else None
    if not isinstance(kind, str) or not (word := _last_word(kind)):
        return None
    sent = _values_sent(response.request)
    words = frozenset(word for value in sent for word in value.split())
    title = " ".join(str(content.get("title") or "").split())
    return Problem(
        word,
        title if _TITLE.fullmatch(title) and not words.intersection(_words(title)) else "",
        tuple(dict.fromkeys(_fields(content, words)))[:_MOST_FIELDS],
        word if _TYPE.fullmatch(word) and not any(f" {it} " in f" {' '.join(_words(word))} " for it in sent) else "",
    )


def _last_word(kind: str) -> str:
    """The last part of a problem's type; empty where it names a status and no problem of the system's."""
    try:
        parts = urlsplit(kind)
    except ValueError:
        return ""
    word = parts.path.rstrip("/").rpartition("/")[2]
    if parts.scheme == "about" or (parts.hostname or "").endswith(_ABOUT_STATUSES) or parts.fragment or word.isdigit():
        return ""
    return word


def _fields(content: Mapping[str, Any], words: frozenset[str]) -> Iterator[str]:
    for where in _LISTS:
        listed = content.get(where)
        places = listed.keys() if isinstance(listed, Mapping) else _places(listed)
        for place in places:
            parts = [part for part in re.split(r"[#$/.\[\]]+", place) if part]
            named = all(_FIELD.fullmatch(part) and not words.intersection(_words(part)) for part in parts)
            if named and 0 < len(parts) <= _DEEPEST:
                yield "/" + "/".join(parts)


def _places(listed: object) -> Iterator[str]:
    for one in listed if isinstance(listed, list) else ():
        if isinstance(one, Mapping):
            yield from (place for name in _PLACES if isinstance(place := one.get(name), str))


def _values_sent(request: Request) -> frozenset[str]:
    """The texts in the body that was sent, each as its words with a space between them."""
    try:
        content = json.loads(request.body or b"null")
    except (ValueError, RecursionError):
        return frozenset()
    return frozenset(filter(None, (" ".join(_words(text)) for text in _texts(content))))


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list):
        for one in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(one)


def _words(text: str) -> list[str]:
    return [word for word in re.findall(r"[^\W_]+", text.casefold()) if len(word) >= _SHORTEST_WORD]
