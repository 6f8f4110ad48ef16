"""The SQL of topic rules: the subset of SQL-92 that Service Bus understands, parsed once, evaluated per message.

    expression := and ("OR" and)*          and := not ("AND" not)*          not := ["NOT"] predicate
    predicate  := sum [comparison sum | ["NOT"] LIKE sum [ESCAPE sum] | ["NOT"] IN (...) | IS ["NOT"] NULL]
    sum        := term (("+" | "-") term)*   term := value (("*" | "/" | "%") value)*
    value      := number | 'text' | TRUE | FALSE | NULL | EXISTS(name) | newid() | property(sum) | p(sum)
                  | ["sys." | "user."] name | @parameter | (expression) | -value | +value
    action     := ["SET" name "=" sum | "REMOVE" name] [";"] ...

As in SQL, a comparison with a missing property is unknown, and a message for which the whole expression is unknown
does not pass. Names of properties ignore case, and a system property that does not exist is an error. Text compares
ordinally; numbers compare with numbers only, and whole numbers are divided as in C#.

https://learn.microsoft.com/azure/service-bus-messaging/service-bus-messaging-sql-filter
"""

import operator
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.azure.broker.rules.sql_tokens import SqlError, Token, tokenize, undelimited
from sandbox.azure.broker.rules.sql_values import (
    ARITHMETIC,
    COMPARISONS,
    READABLE,
    Evaluate,
    Fields,
    both,
    compared,
    computed,
    either,
    like_pattern,
    negated,
)
from sandbox.azure.broker.rules.typed import plain

_LONGEST = 1024  # Azure's limit of a condition

_SCOPED = re.compile(r"(sys|user)\.(.+)", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Assignment:
    """One statement of an action: a property's new value, or `None` to remove it."""

    scope: str  # `sys` or `user`
    name: str
    value: Evaluate | None


class Parser:
    """Reads one text; raises `SqlError` when it cannot be read."""

    def __init__(self, text: str, parameters: Mapping[str, Any] | None = None) -> None:
        if len(text) > _LONGEST:
            raise SqlError(f"an expression has at most {_LONGEST} characters")
        self._parameters = parameters or {}
        self._tokens = tokenize(text)
        self._position = 0

    def condition(self) -> Evaluate:
        """The text as a filter's condition."""
        evaluate = self._nested(self._or)
        if self._position < len(self._tokens):
            raise SqlError(f"unexpected '{self._tokens[self._position].text}'")
        return evaluate

    def action(self) -> list[Assignment]:
        """The text as an action's statements."""
        statements = []
        while self._position < len(self._tokens):
            if self._take("SET"):
                scope, name = self._name()
                self._expect("=")
                statements.append(Assignment(scope, name, self._nested(self._sum)))
            else:
                self._expect("REMOVE")
                statements.append(Assignment(*self._name(), None))
            self._take(";")
        return statements

    def _nested(self, read: Callable[[], Evaluate]) -> Evaluate:
        try:
            return read()
        except RecursionError:
            raise SqlError("the expression is nested too deeply") from None

    # ---- tokens

    def _peek(self) -> Token:
        return self._tokens[self._position] if self._position < len(self._tokens) else Token("end", "")

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
            result = either(result, self._and())
        return result

    def _and(self) -> Evaluate:
        result = self._not()
        while self._take("AND"):
            result = both(result, self._not())
        return result

    def _not(self) -> Evaluate:
        return negated(self._not()) if self._take("NOT") else self._predicate()

    def _predicate(self) -> Evaluate:
        left = self._sum()
        if comparison := self._take(*COMPARISONS):
            return compared(COMPARISONS[comparison], left, self._sum())
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
        return negated(result) if negative else result

    def _like(self, left: Evaluate) -> Evaluate:
        pattern = self._sum()
        escape: Evaluate = self._sum() if self._take("ESCAPE") else lambda _: ""

        def like(fields: Fields) -> bool | None:
            texts = left(fields), pattern(fields), escape(fields)
            if not all(isinstance(text, str) for text in texts):
                return None
            return like_pattern(texts[1], texts[2]).fullmatch(texts[0]) is not None

        return like

    def _in(self, left: Evaluate) -> Evaluate:
        self._expect("(")
        choices = [self._sum()]
        while self._take(","):
            choices.append(self._sum())
        self._expect(")")
        equal = [compared(operator.eq, left, choice) for choice in choices]
        result = equal[0]
        for other in equal[1:]:
            result = either(result, other)
        return result

    def _sum(self) -> Evaluate:
        result = self._term()
        while sign := self._take("+", "-"):
            result = computed(ARITHMETIC[sign], result, self._term())
        return result

    def _term(self) -> Evaluate:
        result = self._value()
        while sign := self._take("*", "/", "%"):
            result = computed(ARITHMETIC[sign], result, self._value())
        return result

    def _value(self) -> Evaluate:
        if self._take("("):
            inner = self._or()
            self._expect(")")
            return inner
        if sign := self._take("-", "+"):
            return computed(ARITHMETIC[sign], lambda _: 0, self._value())
        if constant := self._take("TRUE", "FALSE", "NULL"):
            value = {"TRUE": True, "FALSE": False, "NULL": None}[constant]
            return lambda _: value
        return self._function() if self._is_call() else self._literal()

    def _is_call(self) -> bool:
        following = self._tokens[self._position + 1 : self._position + 2]
        return self._peek().kind == "name" and bool(following) and following[0].text == "("

    def _function(self) -> Evaluate:
        function = self._take("EXISTS", "NEWID", "PROPERTY", "P")
        if function is None:
            raise SqlError(f"'{self._peek().text}' is not a function")
        self._expect("(")
        if function == "NEWID":
            self._expect(")")
            return lambda _: str(uuid.uuid4())
        if function != "EXISTS":
            return self._property()
        scope, name = self._known_name()
        self._expect(")")
        return lambda fields: fields.get(scope, name) is not None

    def _property(self) -> Evaluate:
        """A property by its name, which is written out or the value of an expression."""
        named = self._tokens[self._position + 1 : self._position + 2]
        if self._peek().kind == "name" and named and named[0].text == ")" and not _SCOPED.fullmatch(self._peek().text):
            scope, name = self._name()
            self._expect(")")
            return lambda fields: fields.get(scope, name)
        wanted = self._sum()
        self._expect(")")

        def found(fields: Fields) -> Any:
            name = wanted(fields)
            return fields.get("user", name) if isinstance(name, str) else None

        return found

    def _literal(self) -> Evaluate:
        token = self._peek()
        if token.kind == "text":
            self._position += 1
            text = token.text.removeprefix("N")[1:-1].replace("''", "'")
            return lambda _: text
        if token.kind == "number":
            self._position += 1
            number = float(token.text) if re.search(r"[.eE]", token.text) else int(token.text)
            return lambda _: number
        if token.kind == "name" and token.text.startswith("@"):
            return self._parameter(token.text)
        scope, name = self._known_name()
        return lambda fields: fields.get(scope, name)

    def _parameter(self, name: str) -> Evaluate:
        if name not in self._parameters:
            raise SqlError(f"the parameter '{name}' has no value")
        self._position += 1
        value = plain(self._parameters[name])
        return lambda _: value

    def _known_name(self) -> tuple[str, str]:
        scope, name = self._name()
        if scope == "sys" and name.lower() not in READABLE:
            raise SqlError(f"'sys.{name}' is no system property, or none that filters of this broker can read")
        return scope, name

    def _name(self) -> tuple[str, str]:
        token = self._peek()
        if token.kind != "name":
            raise SqlError(f"expected a property, found '{token.text}'")
        self._position += 1
        scoped = _SCOPED.fullmatch(token.text)
        return (scoped[1].lower(), undelimited(scoped[2])) if scoped else ("user", undelimited(token.text))
