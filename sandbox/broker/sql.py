"""SQL filters of topic rules: the subset of SQL-92 that Service Bus understands, parsed once, evaluated per message.

    expression := and ("OR" and)*          and := not ("AND" not)*          not := ["NOT"] predicate
    predicate  := sum [comparison sum | ["NOT"] LIKE text [ESCAPE text] | ["NOT"] IN (...) | IS ["NOT"] NULL]
    sum        := term (("+" | "-") term)*   term := value (("*" | "/" | "%") value)*
    value      := number | 'text' | TRUE | FALSE | NULL | EXISTS(name) | ["sys." | "user."] name | (expression) | -value

As in SQL, what is compared with a missing property is unknown, and a message for which the whole is unknown does not
pass. Text compares ordinally; numbers compare with numbers only.
"""

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.broker.filters import SYSTEM_PROPERTIES
from sandbox.broker.message import BrokeredMessage

Evaluate = Callable[["Fields"], Any]

_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|(?P<text>N?'(?:[^']|'')*')"
    r"|(?P<name>(?:\[[^\]]+\]|\"[^\"]+\"|[A-Za-z_@$][\w$-]*(?<!-))(?:\.(?:\[[^\]]+\]|\"[^\"]+\"|[A-Za-z_][\w$]*))?)"
    r"|(?P<symbol><=|>=|<>|!=|[=<>+\-*/%(),]))"
)
_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_ARITHMETIC: Mapping[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "%": operator.mod,
}


class SqlError(ValueError):
    """The expression is not one that Service Bus understands."""


@dataclass(slots=True)
class Fields:
    """What an expression may look at in one message."""

    message: BrokeredMessage
    application: dict[Any, Any]

    def get(self, scope: str, name: str) -> Any:
        """A property's value, None when it is not there. Names of system properties ignore case."""
        if scope == "sys":
            field = SYSTEM_PROPERTIES.get(name.lower())
            return None if field is None else self.message.content.property(field)
        return self.application.get(name)


class SqlFilter:
    """A filter from an SQL expression; raises `SqlError` when it cannot be parsed."""

    def __init__(self, expression: str) -> None:
        self._evaluate = _Parser(expression).parse()

    def matches(self, message: BrokeredMessage) -> bool:
        """Whether the expression is true for the message."""
        return self._evaluate(Fields(message, message.content.application_properties())) is True


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str


class _Parser:
    def __init__(self, expression: str) -> None:
        self._tokens = _tokenize(expression)
        self._position = 0

    def parse(self) -> Evaluate:
        evaluate = self._or()
        if self._position < len(self._tokens):
            raise SqlError(f"unexpected '{self._tokens[self._position].text}'")
        return evaluate

    # ---- tokens

    def _peek(self) -> _Token:
        return self._tokens[self._position] if self._position < len(self._tokens) else _Token("end", "")

    def _take(self, *texts: str) -> str | None:
        """The next token's text, taken, if it is one of these symbols or keywords."""
        token = self._peek()
        found = token.text.upper()
        if token.kind in {"symbol", "name"} and found in texts:
            self._position += 1
            return found
        return None

    def _expect(self, text: str) -> None:
        if self._take(text) is None:
            raise SqlError(f"expected '{text}', found '{self._peek().text}'")

    # ---- grammar

    def _or(self) -> Evaluate:
        result = self._and()
        while self._take("OR"):
            result = _either(result, self._and())
        return result

    def _and(self) -> Evaluate:
        result = self._not()
        while self._take("AND"):
            result = _both(result, self._not())
        return result

    def _not(self) -> Evaluate:
        return _negated(self._not()) if self._take("NOT") else self._predicate()

    def _predicate(self) -> Evaluate:
        left = self._sum()
        if comparison := self._take(*_COMPARISONS):
            return _compared(_COMPARISONS[comparison], left, self._sum())
        if self._take("IS"):
            negative = self._take("NOT") is not None
            self._expect("NULL")
            return lambda fields: (left(fields) is None) is not negative
        negative = self._take("NOT") is not None
        if self._take("LIKE"):
            result = self._like(left)
        elif self._take("IN"):
            result = self._in(left)
        elif negative:
            raise SqlError("NOT stands before LIKE or IN here")
        else:
            return left
        return _negated(result) if negative else result

    def _like(self, left: Evaluate) -> Evaluate:
        pattern = self._text()
        escape = self._text() if self._take("ESCAPE") else ""
        matches = re.compile(_like_to_regex(pattern, escape), re.DOTALL).fullmatch

        def like(fields: Fields) -> bool | None:
            value = left(fields)
            return matches(value) is not None if isinstance(value, str) else None

        return like

    def _in(self, left: Evaluate) -> Evaluate:
        self._expect("(")
        choices = [self._sum()]
        while self._take(","):
            choices.append(self._sum())
        self._expect(")")
        equal = [_compared(operator.eq, left, choice) for choice in choices]
        result = equal[0]
        for other in equal[1:]:
            result = _either(result, other)
        return result

    def _sum(self) -> Evaluate:
        result = self._term()
        while sign := self._take("+", "-"):
            result = _computed(_ARITHMETIC[sign], result, self._term())
        return result

    def _term(self) -> Evaluate:
        result = self._value()
        while sign := self._take("*", "/", "%"):
            result = _computed(_ARITHMETIC[sign], result, self._value())
        return result

    def _value(self) -> Evaluate:
        if self._take("("):
            inner = self._or()
            self._expect(")")
            return inner
        if self._take("-"):
            return _computed(operator.sub, lambda _: 0, self._value())
        if constant := self._take("TRUE", "FALSE", "NULL"):
            value = {"TRUE": True, "FALSE": False, "NULL": None}[constant]
            return lambda _: value
        if self._take("EXISTS"):
            self._expect("(")
            scope, name = self._name()
            self._expect(")")
            return lambda fields: fields.get(scope, name) is not None
        return self._literal()

    def _literal(self) -> Evaluate:
        token = self._peek()
        if token.kind == "text":
            text = self._text()
            return lambda _: text
        if token.kind == "number":
            self._position += 1
            number = float(token.text) if re.search(r"[.eE]", token.text) else int(token.text)
            return lambda _: number
        scope, name = self._name()
        return lambda fields: fields.get(scope, name)

    def _name(self) -> tuple[str, str]:
        token = self._peek()
        if token.kind != "name":
            raise SqlError(f"expected a property, found '{token.text}'")
        self._position += 1
        first, dot, second = token.text.partition(".")
        if dot and first.lower() in {"sys", "user"}:
            return first.lower(), second.strip('[]"')
        return "user", token.text.strip('[]"')

    def _text(self) -> str:
        token = self._peek()
        if token.kind != "text":
            raise SqlError(f"expected text in quotes, found '{token.text}'")
        self._position += 1
        return token.text.removeprefix("N")[1:-1].replace("''", "'")


def _tokenize(expression: str) -> list[_Token]:
    tokens, position, end = [], 0, len(expression.rstrip())
    while position < end:
        match = _TOKEN.match(expression, position)
        if match is None or match.lastgroup is None:
            raise SqlError(f"'{expression[position:]}' is not understood")
        tokens.append(_Token(match.lastgroup, match.group(match.lastgroup)))
        position = match.end()
    return tokens


def _like_to_regex(pattern: str, escape: str) -> str:
    parts, literal = [], False
    for character in pattern:
        if not literal and character == escape:
            literal = True
            continue
        wildcard = None if literal else {"%": ".*", "_": "."}.get(character)
        parts.append(wildcard or re.escape(character))
        literal = False
    return "".join(parts)


def _either(left: Evaluate, right: Evaluate) -> Evaluate:
    def either(fields: Fields) -> bool | None:
        values = left(fields), right(fields)
        return True if True in values else (None if None in values else False)

    return either


def _both(left: Evaluate, right: Evaluate) -> Evaluate:
    def both(fields: Fields) -> bool | None:
        values = left(fields), right(fields)
        return False if False in values else (None if None in values else True)

    return both


def _negated(inner: Evaluate) -> Evaluate:
    def negated(fields: Fields) -> bool | None:
        value = inner(fields)
        return None if value is None else not value

    return negated


def _compared(comparison: Callable[[Any, Any], bool], left: Evaluate, right: Evaluate) -> Evaluate:
    def compared(fields: Fields) -> bool | None:
        first, second = left(fields), right(fields)
        if first is None or second is None:
            return None
        if isinstance(first, str) != isinstance(second, str):
            return comparison is operator.ne
        try:
            return comparison(first, second)
        except TypeError:
            return None

    return compared


def _computed(operation: Callable[[Any, Any], Any], left: Evaluate, right: Evaluate) -> Evaluate:
    def computed(fields: Fields) -> Any:
        try:
            return operation(left(fields), right(fields))
        except (TypeError, ZeroDivisionError):
            return None

    return computed
