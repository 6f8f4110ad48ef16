"""What is changed in code, and what is left alone as no test should hold it."""

import ast
import textwrap

import pytest

from sandbox.mutation.finder import changes


def found(source: str) -> list[str]:
    """The changes of these statements of a function, as `before -> after`."""
    whole = f"def f():\n{textwrap.indent(textwrap.dedent(source), '    ')}"
    return [f"{change.before} -> {change.after}" for change in changes(whole)]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("a < b", ["a < b -> (a <= b)"]),
        ("a is not None", ["a is not None -> (a is None)"]),
        ("a < b in c", ["a < b in c -> (a < b not in c)", "a < b in c -> (a <= b in c)"]),
        ("a or b", ["a or b -> (a and b)"]),
        ("not a", ["not a -> (a)"]),
        ("a - b", ["a - b -> (a + b)"]),
        ("a + 'b c'", []),
        ("7", ["7 -> 8"]),
        ("404", ["404 -> 808"]),
        ("True", ["True -> False"]),
        ("'erp-timeout'", ["'erp-timeout' -> 'XXerp-timeout'"]),
        ("f'{a}-{b}'", ["f'{a}-{b}' -> f'XX{a}-{b}'"]),
        ("f'{a} of {b}'", []),
        ("'words for people'", []),
        ("a if b else c", ["b -> (not (b))"]),
        ("[a for a in b if c]", ["c -> (not (c))"]),
        ("g(etag=row.etag)", ["row.etag -> None"]),
        ("cast('int', a)", []),
    ],
)
def test_expressions(code: str, expected: list[str]) -> None:
    """Each operator, each constant that is no prose, each argument that is given by name."""
    assert found(f"x = {code}") == expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("await self.close()", ["await self.close() -> pass"]),
        ("raise Transient('it is away')", ["raise Transient('it is away') -> pass"]),
        ("return a", ["a -> None"]),
        ("return None", []),
        ("self.a = b", ["self.a = b -> pass"]),
        ("a = b", []),
        ("a += b", ["a += b -> pass"]),
        ("del a[b]", ["del a[b] -> pass"]),
        ("if a:\n    b()", ["a -> (not (a))", "b() -> pass"]),
        ("if a is b:\n    b()", ["a is b -> (a is not b)", "b() -> pass"]),
        ("for a in b:\n    continue", ["b -> ()", "continue -> break"]),
        ("while True:\n    break", ["True -> False", "break -> continue"]),
        ("try:\n    a()\nexcept (E, F):\n    pass", ["a() -> pass", "E -> ()", "F -> ()"]),
        ("with suppress(E):\n    a()", ["suppress(E) -> suppress()", "a() -> pass"]),
        ("_log.warning('gave-up', reason=a)", ["_log.warning('gave-up', reason=a) -> pass"]),
        ("_log.info('done', count=1)", []),
        ("'A docstring.'", []),
        ("a: Literal['b']", []),
    ],
)
def test_statements(code: str, expected: list[str]) -> None:
    """What has an effect is left out, loops do nothing, errors are not caught; what is logged of a failure is lost."""
    assert found(code) == expected


@pytest.mark.parametrize(
    "code",
    [
        "Kind = Literal['a', 'b']",
        "__all__ = ['a']",
        "_log = get_logger('a')",
        "class P(Protocol):\n    limit: int = 5",
        "@dataclass(frozen=True, slots=True)\nclass C:\n    a: 'int'",
        "class C:\n    __slots__ = ('a',)\n\n    def __repr__(self):\n        return 'a'",
        "if TYPE_CHECKING:\n    a = 1",
    ],
)
def test_what_no_test_should_hold_is_left_alone(code: str) -> None:
    assert list(changes(code)) == []


def test_a_change_knows_the_lines_of_its_statement() -> None:
    """The tests that execute one of them can notice it. What is made at import is used elsewhere."""
    number, call, text = changes("LIMIT = 1\n\n\ndef f():\n    g(\n        'a',\n    )\n")

    assert (number.lines, number.at_import) == ((1, 1), True)
    assert {(it.lines, it.at_import) for it in (call, text)} == {((5, 7), False)}


def test_the_head_of_an_if_does_not_have_the_lines_of_its_body() -> None:
    condition, *_ = changes("def f():\n    if a:\n        b()\n")

    assert condition.lines == (2, 2)


def test_a_change_is_made_where_it_stands() -> None:
    """Also behind letters that take several bytes, and between comments, which stay."""
    source = "def f():\n    a = 'ä', 'größe', 1  # one\n    return a\n"

    made = [change.made_in(source) for change in changes(source)]
    assert "def f():\n    a = 'ä', 'größe', 2  # one\n    return a\n" in made
    assert all(ast.parse(text) for text in made)
