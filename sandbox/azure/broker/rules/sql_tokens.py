"""The words of rule expressions: numbers, text in quotes, names with or without delimiters, symbols."""

import re
from dataclasses import dataclass

_DELIMITED = r"\[(?:[^\]]|\]\])+\]|\"(?:[^\"]|\"\")+\""
_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|(?P<text>N?'(?:[^']|'')*')"
    rf"|(?P<name>(?:{_DELIMITED}|[^\W\d][\w$-]*(?<!-)|[@$][\w$-]*(?<!-))(?:\.(?:{_DELIMITED}|[^\W\d][\w$]*))?)"
    r"|(?P<symbol><=|>=|<>|!=|[=<>+\-*/%(),;]))"
)


class SqlError(ValueError):
    """The expression is not one that Service Bus understands."""


@dataclass(frozen=True, slots=True)
class Token:
    """One word; `kind` is number, text, name, symbol or end."""

    kind: str
    text: str


def tokenize(expression: str) -> list[Token]:
    """The words of an expression; raises `SqlError` for what is none."""
    tokens, position, end = [], 0, len(expression.rstrip())
    while position < end:
        match = _TOKEN.match(expression, position)
        if match is None or match.lastgroup is None:
            raise SqlError(f"'{expression[position:]}' is not understood")
        tokens.append(Token(match.lastgroup, match.group(match.lastgroup)))
        position = match.end()
    return tokens


def undelimited(name: str) -> str:
    """A name without its brackets or quotation marks."""
    if name.startswith("["):
        return name[1:-1].replace("]]", "]")
    return name[1:-1].replace('""', '"') if name.startswith('"') else name
