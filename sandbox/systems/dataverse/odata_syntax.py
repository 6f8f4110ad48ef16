"""The syntax of `$filter`, whatever becomes of it: a `Maker` makes something of each part.

There is no `in` operator in Dataverse; `Microsoft.Dynamics.CRM.In(PropertyName='x',PropertyValues=['a','b'])` is there.
`ne` holds for null, other comparisons with null do not. `@name` stands for the literal that the query option of that
name gives.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from sandbox.systems.dataverse.errors import bad_request

Made = TypeVar("Made")
Made_co = TypeVar("Made_co", covariant=True)

_TOKEN = re.compile(
    r"\s*(?:(?P<string>'(?:[^']|'')*')"
    r'|(?P<quoted>"(?:[^"\\]|\\.)*")'
    r"|(?P<guid>[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})"
    r"|(?P<time>\d{4}-\d{2}-\d{2}(?:T[\d:.]+(?:Z|[+-]\d{2}:\d{2})?)?)"
    r"|(?P<number>-?\d+(?:\.\d+)?)"
    r"|(?P<enum>Microsoft\.Dynamics\.CRM\.\w+'[^']*')"
    r"|(?P<word>@?[A-Za-z_][\w./]*)"
    r"|(?P<mark>[(),\[\]=:]))"
)
SIZES = frozenset({"gt", "ge", "lt", "le"})
TEXT_FUNCTIONS: dict[str, Callable[[str, str], bool]] = {
    "contains": lambda text, part: part in text,
    "startswith": str.startswith,
    "endswith": str.endswith,
}
NAMESPACE = "Microsoft.Dynamics.CRM."


@dataclass(frozen=True)
class Token:
    """A piece of an expression; `kind` is string, quoted, guid, time, number, enum, word or mark."""

    kind: str
    text: str

    @property
    def value(self) -> str:
        """The text without its quotation marks."""
        if self.kind == "string":
            return self.text[1:-1].replace("''", "'")
        if self.kind == "quoted":
            return re.sub(r"\\(.)", r"\1", self.text[1:-1])
        return self.text


Arguments = dict[str, list[Token]]
"""The arguments of a function by name; an argument that is not a list has one token."""


class Maker(Protocol[Made]):
    """What becomes of the parts of an expression."""

    def any(self, made: list[Made]) -> Made:
        """Of two or more parts with `or` between them."""

    def all(self, made: list[Made]) -> Made:
        """Of two or more parts with `and` between them."""

    def negated(self, made: Made) -> Made:
        """Of a part behind `not`."""

    def comparison(self, path: str, name: str, right: Token) -> Made:
        """Of `path eq right` and the like; 400 where they cannot be compared."""

    def text_function(self, name: str, path: str, part: str) -> Made:
        """Of `contains`, `startswith` or `endswith`; 400 where there is none."""

    def query_function(self, name: str, arguments: Arguments) -> Made:
        """Of a function of Dataverse's own namespace; 400 where there is none."""

    def within(self, path: str) -> "Lambda[Made]":
        """For what is in the lambda operators of a collection; 400 where there is none."""


class Lambda(Protocol[Made_co]):
    """What becomes of a lambda operator."""

    def maker(self, variable: str) -> Maker[Any]:
        """For the expression in it, whose paths begin with the variable."""

    def quantified(self, name: str, inner: Any) -> Made_co:
        """Of `any` or `all` with what became of its expression; `inner` is None for `any()`."""


def make(expression: str, maker: Maker[Made], aliases: Mapping[str, str]) -> Made:
    """What the maker makes of an expression; 400 if it cannot be read."""
    return _Parser(_tokens(expression, aliases), maker).whole()


class _Parser(Generic[Made]):
    def __init__(self, tokens: list[Token], maker: Maker[Made], at: int = 0) -> None:
        self._tokens, self._at, self._maker = tokens, at, maker

    def whole(self) -> Made:
        made = self._or()
        if self._at < len(self._tokens):
            raise _syntax(self._tokens[self._at].text)
        return made

    def _or(self) -> Made:
        made = [self._and()]
        while self._accept("or"):
            made.append(self._and())
        return made[0] if len(made) == 1 else self._maker.any(made)

    def _and(self) -> Made:
        made = [self._not()]
        while self._accept("and"):
            made.append(self._not())
        return made[0] if len(made) == 1 else self._maker.all(made)

    def _not(self) -> Made:
        if self._accept("not"):
            return self._maker.negated(self._not())
        if self._accept("("):
            inner = self._or()
            self._expect(")")
            return inner
        word = self._next("word")
        if word in TEXT_FUNCTIONS:
            return self._text_function(word)
        if word.startswith(NAMESPACE):
            return self._maker.query_function(word.removeprefix(NAMESPACE), self._arguments())
        path, _, last = word.rpartition("/")
        if last in {"any", "all"} and path and self._peek("("):
            return self._lambda(path, last)
        if self._peek("("):
            raise bad_request(f"An unknown function with name '{word}' was found.")
        return self._comparison(word)

    def _lambda(self, path: str, name: str) -> Made:
        """`path/any(x:x/name eq 'a')`, `path/all(...)`, and `path/any()` for whether there is anything."""
        self._expect("(")
        within = self._maker.within(path)
        if name == "any" and self._accept(")"):
            return within.quantified(name, None)
        variable = self._next("word")
        self._expect(":")
        inner: _Parser[Any] = _Parser(self._tokens, within.maker(variable), self._at)
        made = inner._or()
        self._at = inner._at
        self._expect(")")
        return within.quantified(name, made)

    def _text_function(self, name: str) -> Made:
        self._expect("(")
        path = self._next("word")
        self._expect(",")
        part = Token("string", self._next("string")).value
        self._expect(")")
        return self._maker.text_function(name, path, part)

    def _arguments(self) -> Arguments:
        """`(Name=value,Name=['a',"b"])`."""
        arguments: Arguments = {}
        self._expect("(")
        while not self._accept(")"):
            if arguments:
                self._expect(",")
            name = self._next("word")
            self._expect("=")
            arguments[name] = self._list() if self._accept("[") else [self._literal()]
        return arguments

    def _list(self) -> list[Token]:
        listed = [self._take()]
        while self._accept(","):
            listed.append(self._take())
        self._expect("]")
        if any(token.kind not in {"string", "quoted"} for token in listed):
            raise _syntax(listed[0].text)
        return listed

    def _literal(self) -> Token:
        token = self._take()
        if token.kind in {"mark", "quoted"}:
            raise _syntax(token.text)
        return token

    def _comparison(self, path: str) -> Made:
        name = self._next("word")
        if name not in {"eq", "ne", *SIZES}:
            raise _syntax(name)
        return self._maker.comparison(path, name, self._literal())

    def _take(self) -> Token:
        if self._at >= len(self._tokens):
            raise _syntax("end of expression")
        self._at += 1
        return self._tokens[self._at - 1]

    def _next(self, kind: str) -> str:
        token = self._take()
        if token.kind != kind:
            raise _syntax(token.text)
        return token.text

    def _peek(self, text: str) -> bool:
        return self._at < len(self._tokens) and self._tokens[self._at].text == text

    def _accept(self, text: str) -> bool:
        if self._peek(text):
            self._at += 1
            return True
        return False

    def _expect(self, text: str) -> None:
        if not self._accept(text):
            raise _syntax(self._take().text)


def _tokens(expression: str, aliases: Mapping[str, str]) -> list[Token]:
    tokens: list[Token] = []
    at, text = 0, expression.rstrip()
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None or found.lastgroup is None:
            raise _syntax(text[at:])
        token = Token(found.lastgroup, found[found.lastgroup])
        tokens += _aliased(token.text, aliases) if token.text.startswith("@") else [token]
        at = found.end()
    return tokens


def _aliased(name: str, aliases: Mapping[str, str]) -> list[Token]:
    if name not in aliases:
        raise bad_request(f"The parameter alias '{name}' is used and the request gives it no value.")
    return _tokens(aliases[name], {})


def _syntax(near: str) -> Exception:
    return bad_request(f"Syntax error at or near '{near}' in the $filter expression.")
