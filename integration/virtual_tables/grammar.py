"""Reads `$filter`: the grammar of OData 4.01 URL Conventions (5.1.1) as far as query expressions of Dataverse need it.

What is no filter at all is refused with 400, what OData knows and this provider does not with 501: no part of a filter
is ever left out.
"""

import re
from collections.abc import Mapping

from integration.errors import Rejected
from integration.virtual_tables.edm import Edm, Literal, Value, value_of
from integration.virtual_tables.filters import SIZES, TEXTS, All, Comparison, Either, Filter, Not, TextTest

_TOKEN = re.compile(
    r"\s*(?:(?P<prefixed>(?:guid|datetimeoffset|datetime)'[^']*')"
    r"|(?P<string>'(?:[^']|'')*')"
    r"|(?P<guid>[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}(?![\w-]))"
    r"|(?P<time>\d{4}-\d{2}-\d{2}(?:T[\d:.]+(?:Z|[+-]\d{2}:\d{2})?)?(?![\w.-]))"
    r"|(?P<number>[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?[mMdDfFlL]?(?![\w.]))"
    r"|(?P<word>[A-Za-z_]\w*)"
    r"|(?P<mark>[(),/:]))"
)
_MIRRORED = {"eq": "eq", "ne": "ne", "gt": "lt", "ge": "le", "lt": "gt", "le": "ge"}
_CASES = frozenset({"tolower", "toupper"})
_DEEPEST = 40
_MOST_TESTS = 200
_LONGEST = 16_000


def parse_filter(text: str, columns: Mapping[str, Edm]) -> Filter:
    """The filter that `text` says; `columns` are the names that it may use. Raises `Rejected` (400, 501)."""
    if len(text) > _LONGEST:
        raise refused(f"$filter is longer than {_LONGEST} characters")
    reader = _Reader(_tokens(text), columns)
    found = reader.either(0)
    if reader.peek() is not None:
        raise refused(f"$filter cannot be read from '{reader.rest()}' on")
    return found


def refused(said: str, *, status: int = 400, reason: str = "query-invalid") -> Rejected:
    """The refusal of a query; 501 for what OData knows and this provider does not."""
    return Rejected(status, "The query cannot be answered", said + ".", reason=reason)


def unsupported(said: str) -> Rejected:
    """The refusal of what OData knows and this provider does not."""
    return refused(said, status=501, reason="query-not-supported")


class _Reader:
    """Reads tokens from the left."""

    def __init__(self, tokens: list[Literal], columns: Mapping[str, Edm]) -> None:
        self._tokens = tokens
        self._columns = columns
        self._at = 0
        self._tests = 0

    def peek(self, ahead: int = 0) -> Literal | None:
        at = self._at + ahead
        return self._tokens[at] if at < len(self._tokens) else None

    def rest(self) -> str:
        return " ".join(it.text for it in self._tokens[self._at :])[:60]

    def either(self, depth: int) -> Filter:
        tests = [self._all(depth)]
        while self._takes("or"):
            tests.append(self._all(depth))
        return tests[0] if len(tests) == 1 else Either(tuple(tests))

    def _all(self, depth: int) -> Filter:
        tests = [self._one(depth)]
        while self._takes("and"):
            tests.append(self._one(depth))
        return tests[0] if len(tests) == 1 else All(tuple(tests))

    def _one(self, depth: int) -> Filter:
        if depth > _DEEPEST:
            raise refused(f"$filter is nested deeper than {_DEEPEST} levels")
        if self._takes("not"):
            return Not(self._one(depth + 1))
        if self._takes("("):
            found = self.either(depth + 1)
            self._expect(")")
            return self._compared_with_truth(found)
        self._tests += 1
        if self._tests > _MOST_TESTS:
            raise refused(f"$filter has more than {_MOST_TESTS} tests")
        return self._test()

    def _test(self) -> Filter:
        token, following = self.peek(), self.peek(1)
        if token is not None and token.kind == "word" and following is not None and following.text == "(":
            if token.text in TEXTS:
                return self._compared_with_truth(self._text_test(token.text))
            if token.text not in _CASES:
                raise unsupported(f"The function {token.text} is not supported in $filter")
        if token is not None and self._is_literal(token):
            return self._mirrored(self._next())
        column = self._column()
        if self._takes("in"):
            return self._in(column)
        how = self.peek()
        if how is None or how.text not in _MIRRORED:
            if how is not None and how.kind == "word" and how.text not in {"and", "or"}:
                raise unsupported(f"The operator {how.text} is not supported in $filter")
            return self._truth_of(column)
        self._at += 1
        return self._comparison(column, how.text, self._next())

    def _truth_of(self, column: str) -> Filter:
        if self._columns[column] is not Edm.BOOLEAN:
            raise refused(f"$filter compares the column {column} with nothing")
        return Comparison(column, "eq", value=True)

    def _mirrored(self, literal: Literal) -> Filter:
        """`5 lt column` says the same as `column gt 5`."""
        how = self.peek()
        if how is None or how.text not in _MIRRORED:
            raise refused(f"$filter compares '{literal.text}' with nothing")
        self._at += 1
        following = self.peek()
        if following is None or self._is_literal(following):
            raise unsupported("Two values are compared in $filter; one side has to be a column")
        return self._comparison(self._column(), _MIRRORED[how.text], literal)

    def _comparison(self, column: str, how: str, literal: Literal) -> Filter:
        if not self._is_literal(literal):
            raise unsupported(f"$filter compares {column} with '{literal.text}'; only values are supported there")
        edm = self._columns[column]
        value = self._value(column, literal)
        if how in SIZES and (edm in {Edm.BOOLEAN, Edm.GUID} or value is None):
            raise refused(f"$filter: {how} does not apply to {column}")
        return Comparison(column, how, value)

    def _in(self, column: str) -> Filter:
        self._expect("(")
        values = [self._value(column, self._next())]
        while self._takes(","):
            values.append(self._value(column, self._next()))
        self._expect(")")
        if len(values) > _MOST_TESTS:
            raise refused(f"$filter lists more than {_MOST_TESTS} values")
        tests = tuple(Comparison(column, "eq", value) for value in values)
        return tests[0] if len(tests) == 1 else Either(tests)

    def _text_test(self, how: str) -> Filter:
        self._at += 1
        self._expect("(")
        column = self._column()
        if self._columns[column] is not Edm.STRING:
            raise refused(f"$filter: {how} takes a text, and {column} is none")
        self._expect(",")
        part = self._next()
        if part.kind != "string":
            raise refused(f"$filter: {how} takes a text in quotation marks as its second argument")
        self._expect(")")
        return TextTest(how, column, part.text)

    def _compared_with_truth(self, test: Filter) -> Filter:
        """`contains(a,'b') eq true`, as some clients write it."""
        how, truth = self.peek(), self.peek(1)
        if how is None or how.text not in {"eq", "ne"} or truth is None or truth.text not in {"true", "false"}:
            return test
        self._at += 2
        return test if (how.text == "eq") == (truth.text == "true") else Not(test)

    def _column(self) -> str:
        """A column, also in `tolower(...)`: texts are compared without case in any event."""
        token = self._next()
        if token.text in _CASES and self._takes("("):
            inner = self._column()
            self._expect(")")
            if self._columns[inner] is not Edm.STRING:
                raise refused(f"$filter: {token.text} takes a text, and {inner} is none")
            return inner
        following = self.peek()
        if token.kind == "word" and following is not None and following.text == "/":
            raise unsupported("Paths to related rows are not supported in $filter")
        if token.kind != "word" or token.text not in self._columns:
            raise refused(
                f"$filter names '{token.text[:60]}', which is no column that can be filtered (names are case-sensitive)"
            )
        return token.text

    def _value(self, column: str, literal: Literal) -> Value:
        if not self._is_literal(literal):
            raise unsupported(f"$filter compares {column} with '{literal.text}'; only values are supported there")
        try:
            return value_of(literal, self._columns[column])
        except ValueError as wrong:
            raise refused(f"$filter: the value beside {column} {wrong}") from None

    def _is_literal(self, token: Literal) -> bool:
        if token.kind == "word":
            return token.text in {"null", "true", "false"} and token.text not in self._columns
        return token.kind != "mark"

    def _takes(self, text: str) -> bool:
        token = self.peek()
        if token is None or token.kind not in {"word", "mark"} or token.text != text:
            return False
        if token.kind == "word" and token.text in self._columns and not self._is_operator_here():
            return False
        self._at += 1
        return True

    def _is_operator_here(self) -> bool:
        """A column may have the name of an operator; it is one where something else than an operator follows."""
        following = self.peek(1)
        return following is None or following.text not in _MIRRORED

    def _expect(self, text: str) -> None:
        if not self._takes(text):
            at = f"'{self.rest()}'" if self.peek() is not None else "its end"
            raise refused(f"$filter: '{text}' is missing before {at}")

    def _next(self) -> Literal:
        token = self.peek()
        if token is None:
            raise refused("$filter ends too early")
        self._at += 1
        return token


def _tokens(text: str) -> list[Literal]:
    found, at = [], 0
    text = text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise refused(f"$filter cannot be read from '{text[at : at + 60]}' on")
        at = match.end()
        found.append(_literal(match.lastgroup or "", match[match.lastgroup or ""]))
    if not found:
        raise refused("$filter is empty")
    return found


def _literal(kind: str, text: str) -> Literal:
    if kind == "string":
        return Literal(text[1:-1].replace("''", "'"), "string")
    if kind == "prefixed":
        name, _, quoted = text.partition("'")
        return Literal(quoted[:-1], "guid" if name == "guid" else "time")
    if kind == "number":
        return Literal(text.rstrip("mMdDfFlL") if text[-1] in "mMdDfFlL" else text, "number")
    return Literal(text, kind)
