"""Every small change that can be made to a file, found in its syntax tree.

Left alone is what no test should depend on: docstrings, annotations, the words of logs and messages (every text with a
space in it), `__repr__`, and how a class is made (`slots`, `frozen`). Logs of what went wrong can disappear as a whole.
"""

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sandbox.mutation.texts import Text


@dataclass(frozen=True, slots=True)
class Change:
    """`before`, at the offset `start` of the file's text, becomes `after`.

    `lines` are those of the statement, first and last: tests that execute one of them execute the change. Where
    `at_import` is set they are executed when the module is imported, and what they make is used elsewhere.
    """

    kind: str
    line: int
    start: int
    before: str
    after: str
    lines: tuple[int, int]
    at_import: bool

    def made_in(self, source: str) -> str:
        """The file's text with this change."""
        return source[: self.start] + self.after + source[self.start + len(self.before) :]


def changes(source: str) -> Iterator[Change]:
    """All changes of one module, in the order of its text."""
    finder = _Finder(Text(source))
    finder.block(ast.parse(source).body)
    yield from sorted(finder.found, key=lambda change: (change.start, change.kind, change.after))


_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv, ast.Pow: ast.Mult,
}  # fmt: skip
_LOGGERS = {"_log"}
_WORTH_LOGGING = {"warning", "error", "exception"}
_NOT_CHANGED_CALLS = {"cast", "get_logger", "getLogger", "TypeVar", "NewType", "dataclass"}
_NOT_CHANGED_NAMES = {"__all__", "__version__", "__slots__", "model_config"}
_NOT_CHANGED_FUNCTIONS = {"__repr__"}
_NOT_CHANGED_CLASSES = {"Protocol", "TypedDict"}
_TYPES = {"Literal", "Annotated", "Callable", "Mapping", "TypeAlias"}


class _Finder(ast.NodeVisitor):
    def __init__(self, text: Text) -> None:
        self.found: list[Change] = []
        self._text = text
        self._lines = (0, 0)
        self._inside = 0  # how many functions around

    # -- statements

    def block(self, statements: list[ast.stmt]) -> None:
        for statement in statements:
            self._statement(statement)

    def _statement(self, node: ast.stmt) -> None:
        outer, self._lines = self._lines, _lines(node)
        self.visit(node)
        self._lines = outer

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        if node.name in _NOT_CHANGED_FUNCTIONS:
            return
        for part in (*node.decorator_list, *node.args.defaults, *node.args.kw_defaults):
            if part is not None:
                self.visit(part)
        self._inside += 1
        self.block(node.body)
        self._inside -= 1

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        if not _NOT_CHANGED_CLASSES & {_name(base) for base in node.bases}:
            self.block(node.body)

    def visit_Expr(self, node: ast.Expr) -> None:
        value = node.value.value if isinstance(node.value, ast.Await) else node.value
        if isinstance(value, ast.Constant):
            return  # a docstring
        if _is_log(value):
            if _name(value) in _WORTH_LOGGING:
                self._remove(node)
            return
        if isinstance(value, ast.Call):
            self._remove(node)
        self.visit(node.value)

    def visit_Raise(self, node: ast.Raise) -> None:
        if _name(node.exc) == "NotImplementedError":
            return
        self._remove(node)
        self.generic_visit(node)

    def visit_Return(self, node: ast.Return) -> None:
        if node.value is None:
            return
        if not (isinstance(node.value, ast.Constant) and node.value.value in (None, True, False)):
            self._replace("nothing returned", node.value, "None")
        self.visit(node.value)

    def visit_Assign(self, node: ast.Assign) -> None:
        if isinstance(node.value, ast.Subscript) and _name(node.value.value) in _TYPES:
            return
        if _NOT_CHANGED_NAMES & {_name(target) for target in node.targets}:
            return
        if self._inside and not any(isinstance(target, ast.Name | ast.Tuple) for target in node.targets):
            self._remove(node)
        for part in (*node.targets, node.value):
            self.visit(part)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is None or _name(node.target) in _NOT_CHANGED_NAMES:
            return
        if self._inside and not isinstance(node.target, ast.Name):
            self._remove(node)
        self.visit(node.value)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self._remove(node)
        self.visit(node.target)
        self.visit(node.value)

    def visit_Delete(self, node: ast.Delete) -> None:
        self._remove(node)

    def visit_Break(self, node: ast.Break) -> None:
        self._replace("break becomes continue", node, "continue")

    def visit_Continue(self, node: ast.Continue) -> None:
        self._replace("continue becomes break", node, "break")

    def visit_If(self, node: ast.If) -> None:
        if _name(node.test) == "TYPE_CHECKING":
            return
        self._head(node.test, node)
        self._negate(node.test)
        self._branches(node.test, node.body, node.orelse)

    def visit_While(self, node: ast.While) -> None:
        self._head(node.test, node)
        if not isinstance(node.test, ast.Constant):
            self._negate(node.test)
        self._branches(node.test, node.body, node.orelse)

    def visit_For(self, node: ast.For) -> None:
        self._head(node.iter, node)
        self._replace("loop over nothing", node.iter, "()")
        self._branches(node.iter, node.body, node.orelse)

    def visit_AsyncFor(self, node: ast.AsyncFor) -> None:
        self._head(node.iter, node)
        self._branches(node.iter, node.body, node.orelse)

    def visit_With(self, node: ast.With | ast.AsyncWith) -> None:
        for item in node.items:
            self._head(item.context_expr, node)
            if isinstance(item.context_expr, ast.Call) and _name(item.context_expr) == "suppress":
                self._replace("error not suppressed", item.context_expr, "suppress()")
            else:
                self.visit(item.context_expr)
        self.block(node.body)

    visit_AsyncWith = visit_With  # noqa: N815

    def visit_Try(self, node: ast.Try) -> None:
        self.block(node.body)
        for handler in node.handlers:
            kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
            self._lines = (handler.lineno, handler.body[-1].end_lineno or handler.lineno)
            for kind in kinds:
                if kind is not None:
                    self._replace("error not caught", kind, "()")
            self.block(handler.body)
        self.block(node.orelse)
        self.block(node.finalbody)

    def visit_Match(self, node: ast.Match) -> None:
        self.visit(node.subject)
        for case in node.cases:
            if case.guard is not None:
                self._negate(case.guard)
                self.visit(case.guard)
            self.block(case.body)

    def visit_Assert(self, node: ast.Assert) -> None:
        """Left alone: an assertion says what holds anyway."""

    def _head(self, first: ast.expr, node: ast.stmt) -> None:
        """Only the head of a statement with a body: the body's lines are its own."""
        self._lines = (node.lineno, first.end_lineno or node.lineno)

    def _branches(self, head: ast.expr, *blocks: list[ast.stmt]) -> None:
        self.visit(head)
        for block in blocks:
            self.block(block)

    # -- expressions

    def visit_IfExp(self, node: ast.IfExp) -> None:
        self._negate(node.test)
        self.generic_visit(node)

    def visit_comprehension(self, node: ast.comprehension) -> None:
        for test in node.ifs:
            self._negate(test)
        self.generic_visit(node)

    def visit_Compare(self, node: ast.Compare) -> None:
        for place, operator in enumerate(node.ops):
            changed = copy.deepcopy(node)
            changed.ops[place] = _COMPARISONS[type(operator)]()
            self._replace("another comparison", node, f"({ast.unparse(changed)})")
        self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        changed = copy.deepcopy(node)
        changed.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        self._replace("and, or", node, f"({ast.unparse(changed)})")
        self.generic_visit(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        if isinstance(node.op, ast.Not):
            self._replace("not left out", node, f"({ast.unparse(node.operand)})")
        self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        other = _ARITHMETIC.get(type(node.op))
        if other and not any(_is_text(side) for side in (node.left, node.right)):
            changed = copy.deepcopy(node)
            changed.op = other()
            self._replace("another operator", node, f"({ast.unparse(changed)})")
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        value = node.value
        if isinstance(value, bool):
            self._replace("another truth", node, str(not value))
        elif isinstance(value, int | float):
            self._replace("another number", node, repr(_another_number(value)))
        elif isinstance(value, str | bytes) and not _is_prose(value):
            self._replace("another text", node, repr(_another_text(value)))

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        """As a whole: before Python 3.12 the syntax tree does not say where its parts stand."""
        words = "".join(str(part.value) for part in node.values if isinstance(part, ast.Constant))
        before = self._text.of(node)
        if before.startswith(('f"', "f'")) and " " not in words:
            self._replace("another text", node, f"{before[:2]}XX{before[2:]}")

    def visit_Call(self, node: ast.Call) -> None:
        if _is_log(node) or _name(node) in _NOT_CHANGED_CALLS:
            return
        for keyword in node.keywords:
            if keyword.arg is not None and not isinstance(keyword.value, ast.Constant | ast.Lambda | ast.JoinedStr):
                self._replace(f"{keyword.arg} not given", keyword.value, "None")
        self.generic_visit(node)

    # -- changes

    def _negate(self, test: ast.expr) -> None:
        if isinstance(test, ast.Compare) or (isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not)):
            return  # another comparison, or the `not` left out, is the same
        self._replace("condition turned round", test, f"(not ({ast.unparse(test)}))")

    def _remove(self, node: ast.stmt) -> None:
        self._replace("left out", node, "pass")

    def _replace(self, kind: str, node: Any, after: str) -> None:
        before, start = self._text.of(node), self._text.start(node)
        self.found.append(Change(kind, node.lineno, start, before, after, self._lines, not self._inside))


def _lines(node: ast.stmt) -> tuple[int, int]:
    return node.lineno, node.end_lineno or node.lineno


def _name(node: ast.AST | None) -> str:
    """The last name of what is called or named: `warning` of `_log.warning(...)`."""
    if isinstance(node, ast.Call):
        return _name(node.func)
    if isinstance(node, ast.Subscript):
        return _name(node.value)
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _is_log(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and _name(node.func.value) in _LOGGERS


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str | bytes))


def _is_prose(value: str | bytes) -> bool:
    return (" " in value) if isinstance(value, str) else (b" " in value)


def _another_text(value: str | bytes) -> str | bytes:
    return "XX" + value if isinstance(value, str) else b"XX" + value


def _another_number(value: float) -> float:
    """Limits and pauses are doubled: a test that notices one more or less would only repeat the figure."""
    return value + 1 if abs(value) < _SMALL else value * 2


_SMALL = 10
