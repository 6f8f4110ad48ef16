"""Reads the source of `integration`: its calls, and the texts that an argument can have."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
SYSTEM = "<system>"
"""The placeholder for the name of a system that the code puts in front of a word."""


@dataclass(frozen=True)
class Module:
    """One file of the package, and the texts that are assigned to names in it."""

    path: Path
    tree: ast.Module

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        """Everything in the file: it is walked once, however many pages read it."""
        return tuple(ast.walk(self.tree))

    def calls(self) -> Iterator[ast.Call]:
        """Every call in the file."""
        return (node for node in self.nodes if isinstance(node, ast.Call))

    def classes(self) -> Iterator[ast.ClassDef]:
        """Every class in the file."""
        return (node for node in self.nodes if isinstance(node, ast.ClassDef))


@cache
def modules() -> tuple[Module, ...]:
    """The files of `integration`, in the order of their paths."""
    paths = sorted((REPOSITORY / "integration").rglob("*.py"))
    return tuple(Module(path, ast.parse(path.read_text(encoding="utf-8"))) for path in paths)


@cache
def constants() -> Mapping[str, frozenset[str]]:
    """The texts assigned to a name at the top of any file: one text, or the values of a dictionary."""
    found: dict[str, frozenset[str]] = {}
    for module in modules():
        for node in module.tree.body:
            target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
            value = getattr(node, "value", None)
            if isinstance(target, ast.Name) and isinstance(value, ast.expr):
                many = value.values if isinstance(value, ast.Dict) else [value]
                texts = {it.value for it in many if isinstance(it, ast.Constant) and isinstance(it.value, str)}
                if texts:
                    found[target.id] = found.get(target.id, frozenset()) | texts
    return found


def called(call: ast.Call) -> str:
    """The last name of what is called: `f`, or the `g` of `x.g`."""
    return call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")


def texts(value: ast.expr | None) -> set[str]:
    """The texts that an expression can have, as far as the source shows them.

    A value that is passed through gives none. A variable at the beginning of an f-string is the name of a system.
    """
    match value:
        case ast.Constant(value=str(text)):
            return {text}
        case ast.IfExp(body=one, orelse=other):
            return texts(one) | texts(other)
        case ast.BoolOp(values=many):
            return set[str]().union(*map(texts, many))
        case (
            ast.Name(id=name)
            | ast.Subscript(value=ast.Name(id=name))
            | ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="get"))
        ):
            return set(constants().get(name, ()))
        case ast.JoinedStr(values=parts):
            return _joined(parts)
    return set()


def _joined(parts: list[ast.expr]) -> set[str]:
    whole = {""}
    for place, part in enumerate(parts):
        ends = texts(part.value if isinstance(part, ast.FormattedValue) else part)
        if not ends:
            if place:
                return set()
            ends = {SYSTEM}
        whole = {start + end for start in whole for end in ends}
    return whole
