"""The syntax of `$filter`, whatever it filters: a `Subject` says what its fields and functions are.

There is no `in` operator in Dataverse; `Microsoft.Dynamics.CRM.In(PropertyName='x',PropertyValues=['a','b'])` is there.
`ne` holds for null, other comparisons with null do not. `@name` stands for the literal that the query option of that
name gives.
"""

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from sandbox.systems.dataverse.errors import bad_request

Item = TypeVar("Item")

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
_ORDERED: dict[str, Callable[[Any, Any], bool]] = {
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}
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


@dataclass(frozen=True)
class Field(Generic[Item]):
    """Something that can be compared: how it is found in an item, and how a literal beside it is read (or 400).

    Fields of another `kind` cannot be compared with it; one without a kind says nothing about that.
    """

    name: str
    operand: Callable[[Item], Any]
    read: Callable[[Token], Any]
    kind: str = ""


class Subject(Protocol[Item]):
    """What is filtered."""

    def field(self, path: str) -> Field[Item]:
        """The field that a path means; 400 without one."""

    def text_function(self, name: str, path: str, part: str) -> Callable[[Item], bool]:
        """The test of `contains`, `startswith` or `endswith`; 400 where there is none."""

    def query_function(self, name: str, arguments: Arguments) -> Callable[[Item], bool]:
        """The test of a function of Dataverse's own namespace; 400 where there is none."""

    def collection(self, path: str) -> "tuple[Subject[Any], Callable[[Item], list[Any]]]":
        """What is filtered in the lambda operators of a collection, and the rows of it; 400 where there is none."""


def compile_expression(expression: str, subject: Subject[Item], aliases: Mapping[str, str]) -> Callable[[Item], bool]:
    """The test that an expression stands for; 400 if it cannot be read."""
    return _Parser(_tokens(expression, aliases), subject).whole()


class _Parser(Generic[Item]):
    def __init__(self, tokens: list[Token], subject: Subject[Item], at: int = 0) -> None:
        self._tokens, self._at, self._subject = tokens, at, subject

    def whole(self) -> Callable[[Item], bool]:
        test = self._or()
        if self._at < len(self._tokens):
            raise _syntax(self._tokens[self._at].text)
        return test

    def _or(self) -> Callable[[Item], bool]:
        tests = [self._and()]
        while self._accept("or"):
            tests.append(self._and())
        return tests[0] if len(tests) == 1 else lambda item: any(test(item) for test in tests)

    def _and(self) -> Callable[[Item], bool]:
        tests = [self._not()]
        while self._accept("and"):
            tests.append(self._not())
        return tests[0] if len(tests) == 1 else lambda item: all(test(item) for test in tests)

    def _not(self) -> Callable[[Item], bool]:
        if self._accept("not"):
            test = self._not()
            return lambda item: not test(item)
        if self._accept("("):
            inner = self._or()
            self._expect(")")
            return inner
        word = self._next("word")
        if word in TEXT_FUNCTIONS:
            return self._text_function(word)
        if word.startswith(NAMESPACE):
            return self._subject.query_function(word.removeprefix(NAMESPACE), self._arguments())
        path, _, last = word.rpartition("/")
        if last in {"any", "all"} and path and self._peek("("):
            return self._lambda(path, last)
        if self._peek("("):
            raise bad_request(f"An unknown function with name '{word}' was found.")
        return self._comparison(word)

    def _lambda(self, path: str, name: str) -> Callable[[Item], bool]:
        """`path/any(x:x/name eq 'a')`, `path/all(...)`, and `path/any()` for whether there is anything."""
        self._expect("(")
        subject, related = self._subject.collection(path)
        if name == "any" and self._accept(")"):
            return lambda item: bool(related(item))
        variable = self._next("word")
        self._expect(":")
        inner: _Parser[Any] = _Parser(self._tokens, _Variable(variable, subject), self._at)
        test = inner._or()
        self._at = inner._at
        self._expect(")")
        if name == "any":
            return lambda item: any(test(each) for each in related(item))
        return lambda item: all(test(each) for each in related(item))

    def _text_function(self, name: str) -> Callable[[Item], bool]:
        self._expect("(")
        path = self._next("word")
        self._expect(",")
        part = Token("string", self._next("string")).value
        self._expect(")")
        return self._subject.text_function(name, path, part)

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

    def _comparison(self, path: str) -> Callable[[Item], bool]:
        field = self._subject.field(path)
        left, name = field.operand, self._next("word")
        if name not in {"eq", "ne", *_ORDERED}:
            raise _syntax(name)
        right = self._right(field)
        if name == "eq":
            return lambda item: left(item) == right(item)
        if name == "ne":
            return lambda item: left(item) != right(item)
        compare = _ORDERED[name]
        return lambda item: (a := left(item)) is not None and (b := right(item)) is not None and ordered(compare, a, b)

    def _right(self, field: Field[Item]) -> Callable[[Item], Any]:
        token = self._literal()
        if token.kind == "word" and token.text not in {"null", "true", "false"}:
            other = self._subject.field(token.text)
            if field.kind != other.kind:
                raise incompatible(field.name, other.name)
            return other.operand
        value = None if token.text == "null" else field.read(token)
        return lambda _: value

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


def ordered(compare: Callable[[Any, Any], bool], left: Any, right: Any) -> bool:
    """One comparison; 400 for values that have no order among them."""
    try:
        return compare(left, right)
    except TypeError as wrong:
        raise incompatible(str(left), str(right)) from wrong


def incompatible(left: str, right: str) -> Exception:
    """400: two things that cannot be compared."""
    return bad_request(f"A binary operator with incompatible types was detected. It compares '{left}' with '{right}'.")


class _Variable(Generic[Item]):
    """The subject of a lambda operator, whose paths begin with its variable."""

    def __init__(self, name: str, subject: Subject[Item]) -> None:
        self._name, self._subject = name, subject

    def field(self, path: str) -> Field[Item]:
        return self._subject.field(self._own(path))

    def text_function(self, name: str, path: str, part: str) -> Callable[[Item], bool]:
        return self._subject.text_function(name, self._own(path), part)

    def query_function(self, name: str, arguments: Arguments) -> Callable[[Item], bool]:  # noqa: ARG002 -- the protocol's
        raise bad_request(f"The function {NAMESPACE}{name} is not supported in lambda operators.")

    def collection(self, path: str) -> tuple[Subject[Any], Callable[[Item], list[Any]]]:
        return self._subject.collection(self._own(path))

    def _own(self, path: str) -> str:
        variable, slash, rest = path.partition("/")
        if variable != self._name or not slash:
            raise bad_request(
                f"The path '{path}' in a lambda operator does not begin with its variable '{self._name}'."
            )
        return rest


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
