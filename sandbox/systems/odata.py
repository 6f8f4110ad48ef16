"""What the stand-ins of ERP systems take of OData: filters, sorting, counts, `$select`, pages."""

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Row = Mapping[str, Any]
Test = Callable[[Row], bool]

_TOKEN = re.compile(r"\s*([(),]|[\w.]*'(?:[^']|'')*'|[^\s(),]+)")
_HOW: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq, "ne": operator.ne, "gt": operator.gt, "ge": operator.ge, "lt": operator.lt, "le": operator.le,
}  # fmt: skip
_TEXTS: dict[str, Callable[[str, str], bool]] = {
    "contains": lambda text, part: part in text, "startswith": str.startswith, "endswith": str.endswith,
}  # fmt: skip


class FilterError(Exception):
    """A `$filter` that is refused; the subclass says why."""


class UnknownFieldError(FilterError):
    """It names a field that is not there."""


class MixedOrError(FilterError):
    """It has an `or` between different fields."""


@dataclass(frozen=True, slots=True)
class Fields:
    """What a filter may name: all fields, and of those that hold an enumeration its full name.

    With `wildcards`, a `*` in a text stands for anything, and there are no text functions.
    """

    names: frozenset[str]
    enums: Mapping[str, str] = field(default_factory=dict)
    wildcards: bool = False


def matching(expression: str, known: Fields, *, mixed_or: bool = False) -> Test:
    """The test for `$filter`: comparisons with `and`, `or` and brackets; raises `FilterError`."""
    parser = _Parser(_TOKEN.findall(expression), known, mixed_or=mixed_or)
    test, _ = parser.either()
    if parser.rest:
        raise FilterError(f"Syntax error in the filter '{expression}'.")
    return test


class _Parser:
    """Reads the tokens from the left; every method gives a test and the fields that it compares."""

    def __init__(self, tokens: list[str], known: Fields, *, mixed_or: bool) -> None:
        self.rest = tokens
        self._known = known
        self._mixed_or = mixed_or

    def either(self) -> tuple[Test, set[str]]:
        test, fields = self._both()
        while self._took("or"):
            other, more = self._both()
            fields |= more
            if len(fields) > 1 and not self._mixed_or:
                raise MixedOrError("An OR between different fields is not supported.")
            test = _or(test, other)
        return test, fields

    def _both(self) -> tuple[Test, set[str]]:
        test, fields = self._one()
        while self._took("and"):
            other, more = self._one()
            test, fields = _and(test, other), fields | more
        return test, fields

    def _one(self) -> tuple[Test, set[str]]:
        if self._took("("):
            found = self.either()
            if not self._took(")"):
                raise FilterError("A bracket in the filter is not closed.")
            return found
        if len(self.rest) > 1 and self.rest[1] == "(":
            return self._function()
        if len(self.rest) < 3 or self.rest[1] not in _HOW:
            raise FilterError(f"Syntax error in the filter at '{' '.join(self.rest[:3])}'.")
        name, how, value = self.rest[:3]
        del self.rest[:3]
        self._known_field(name)
        literal = self._literal(name, value)
        if self._known.wildcards and isinstance(literal, str) and "*" in literal and how in {"eq", "ne"}:
            return _wildcard(name, literal, wanted=how == "eq"), {name}
        return _comparison(name, _HOW[how], literal), {name}

    def _function(self) -> tuple[Test, set[str]]:
        """`contains(field,'part')` and the like."""
        how, _, name, comma, part, closed = (self.rest + [""] * 6)[:6]
        if how not in _TEXTS or self._known.wildcards:
            raise FilterError(f"The function '{how}' is not supported.")
        self._known_field(name)
        if comma != "," or not part.startswith("'") or closed != ")":
            raise FilterError(f"Syntax error in the filter at '{how}('.")
        del self.rest[:6]
        test, wanted = _TEXTS[how], part[1:-1].replace("''", "'").casefold()
        return lambda row: test(str(row[name]).casefold(), wanted), {name}

    def _known_field(self, name: str) -> None:
        if name not in self._known.names:
            raise UnknownFieldError(f"Could not find a property named '{name}'.")

    def _took(self, token: str) -> bool:
        if self.rest and self.rest[0] == token:
            del self.rest[0]
            return True
        return False

    def _literal(self, name: str, text: str) -> str | float | bool:
        kind, quote, quoted = text.partition("'")
        if quote:
            if kind != self._known.enums.get(name, ""):
                raise FilterError("A binary operator with incompatible types was detected.")
            return quoted[:-1].replace("''", "'").casefold()
        if text in {"true", "false"}:
            return text == "true"
        try:
            return float(text)
        except ValueError:
            return text.casefold()


def _or(one: Test, other: Test) -> Test:
    return lambda row: one(row) or other(row)


def _and(one: Test, other: Test) -> Test:
    return lambda row: one(row) and other(row)


def _comparison(name: str, compare: Callable[[Any, Any], bool], wanted: Any) -> Test:
    return lambda row: compare(str(row[name]).casefold() if isinstance(wanted, str) else row[name], wanted)


def _wildcard(name: str, pattern: str, *, wanted: bool) -> Test:
    known = re.compile(".*".join(map(re.escape, pattern.split("*"))), re.DOTALL)
    return lambda row: (known.fullmatch(str(row[name]).casefold()) is not None) == wanted


def ordered(rows: list[dict[str, Any]], order: str, known: frozenset[str]) -> list[dict[str, Any]]:
    """The rows in the order of `$orderby`; raises `FilterError`."""
    for part in reversed([it.split() for it in order.split(",")] if order else []):
        if not part or part[0] not in known or part[1:] not in ([], ["asc"], ["desc"]):
            raise FilterError(f"Syntax error in the order '{order}'.")
        name = part[0]
        rows = sorted(rows, key=lambda row: _rank(row[name]), reverse=part[1:] == ["desc"])
    return rows


def _rank(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else value


def page(rows: list[dict[str, Any]], query: Mapping[str, str], prefer: str, url: str, *, most: int) -> dict[str, Any]:
    """The rows of one page as the body, `most` of them at most; `$skiptoken` is where the next one begins.

    Raises `FilterError` for a number that is none.
    """
    size = re.search(r"odata\.maxpagesize=(\d+)", prefer)
    length = min(int(size[1]) if size else most, most)
    start, top = _number(query, "$skiptoken") or _number(query, "$skip") or 0, _number(query, "$top")
    chosen = rows[start:] if top is None else rows[start : start + top]
    body: dict[str, Any] = {"value": [_selected(row, query) for row in chosen[:length]]}
    if len(chosen) > length:
        body["@odata.nextLink"] = f"{url}{'&' if '?' in url else '?'}$skiptoken={start + length}"
    if query.get("$count") == "true":
        body["@odata.count"] = len(rows)
    return body


def _number(query: Mapping[str, str], name: str) -> int | None:
    text = query.get(name, "")
    if name in query and not (text.isascii() and text.isdigit()):
        raise FilterError(f"Invalid value '{text}' for {name} query option found.")
    return int(text) if text else None


def _selected(row: dict[str, Any], query: Mapping[str, str]) -> dict[str, Any]:
    if "$select" not in query:
        return row
    names = {name.strip() for name in query["$select"].split(",")} | {"@odata.etag"}
    names |= {name.partition("(")[0].strip() for name in query.get("$expand", "").split(",")}
    return {name: value for name, value in row.items() if name in names}
