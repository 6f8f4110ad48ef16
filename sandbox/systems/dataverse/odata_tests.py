"""`$filter` as a test of items: a `Subject` says what its fields and functions are."""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from sandbox.systems.dataverse.errors import bad_request
from sandbox.systems.dataverse.odata_syntax import NAMESPACE, Arguments, Maker, Token, make

Item = TypeVar("Item")

_ORDERED: dict[str, Callable[[Any, Any], bool]] = {
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}


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
    return make(expression, _Tests(subject), aliases)


class _Tests(Generic[Item]):
    """Makes tests of items."""

    def __init__(self, subject: Subject[Item]) -> None:
        self._subject = subject

    def any(self, made: list[Callable[[Item], bool]]) -> Callable[[Item], bool]:
        return lambda item: any(test(item) for test in made)

    def all(self, made: list[Callable[[Item], bool]]) -> Callable[[Item], bool]:
        return lambda item: all(test(item) for test in made)

    def negated(self, made: Callable[[Item], bool]) -> Callable[[Item], bool]:
        return lambda item: not made(item)

    def comparison(self, path: str, name: str, right: Token) -> Callable[[Item], bool]:
        field = self._subject.field(path)
        left, other = field.operand, self._right(field, right)
        if name == "eq":
            return lambda item: left(item) == other(item)
        if name == "ne":
            return lambda item: left(item) != other(item)
        compare = _ORDERED[name]
        return lambda item: (a := left(item)) is not None and (b := other(item)) is not None and ordered(compare, a, b)

    def text_function(self, name: str, path: str, part: str) -> Callable[[Item], bool]:
        return self._subject.text_function(name, path, part)

    def query_function(self, name: str, arguments: Arguments) -> Callable[[Item], bool]:
        return self._subject.query_function(name, arguments)

    def within(self, path: str) -> "_Related[Item]":
        return _Related(*self._subject.collection(path))

    def _right(self, field: Field[Item], token: Token) -> Callable[[Item], Any]:
        if token.kind == "word" and token.text not in {"null", "true", "false"}:
            other = self._subject.field(token.text)
            if field.kind != other.kind:
                raise incompatible(field.name, other.name)
            return other.operand
        value = None if token.text == "null" else field.read(token)
        return lambda _: value


class _Related(Generic[Item]):
    """Makes the tests of lambda operators."""

    def __init__(self, subject: Subject[Any], related: Callable[[Item], list[Any]]) -> None:
        self._subject, self._related = subject, related

    def maker(self, variable: str) -> Maker[Any]:
        return _Tests(_Variable(variable, self._subject))

    def quantified(self, name: str, inner: Any) -> Callable[[Item], bool]:
        related = self._related
        if inner is None:
            return lambda item: bool(related(item))
        if name == "any":
            return lambda item: any(inner(each) for each in related(item))
        return lambda item: all(inner(each) for each in related(item))


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
