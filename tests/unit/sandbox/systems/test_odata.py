"""Filters of the ERP stand-ins."""

import pytest

from sandbox.systems.odata import Fields, FilterError, MixedOrError, UnknownFieldError, matching

KNOWN = Fields(frozenset({"a", "b", "n", "held"}), {"held": "Ns.NoYes"})
ROWS = [{"a": "x", "b": "it's", "n": 1.5, "held": "No"}, {"a": "y", "b": "X", "n": 3, "held": "Yes"}]


def found(expression: str, *, mixed_or: bool = True) -> list[int]:
    test = matching(expression, KNOWN, mixed_or=mixed_or)
    return [place for place, row in enumerate(ROWS) if test(row)]


@pytest.mark.parametrize(
    ("expression", "places"),
    [
        ("a eq 'X'", [0]),
        ("b eq 'it''s'", [0]),
        ("n gt 2", [1]),
        ("n le 1.5 or n eq 3", [0, 1]),
        ("a eq 'x' and b eq 'x'", []),
        ("a eq 'x' or b eq 'x'", [0, 1]),
        ("n eq 3 and (a eq 'x' or b eq 'x')", [1]),
        ("a eq 'x' or a eq 'y' and n eq 3", [0, 1]),
        ("held eq Ns.NoYes'Yes'", [1]),
    ],
)
def test_comparisons_are_joined_as_odata_says(expression: str, places: list[int]) -> None:
    """Texts without case; `and` before `or`."""
    assert found(expression) == places


@pytest.mark.parametrize(
    "expression", ["a", "a eq", "a like 'x'", "(a eq 'x'", "a eq 'x' b", "held eq 'Yes'", "a eq N'x'"]
)
def test_what_is_no_filter_is_refused(expression: str) -> None:
    with pytest.raises(FilterError):
        found(expression)


def test_an_unknown_field_and_an_or_between_fields_are_told_apart() -> None:
    with pytest.raises(UnknownFieldError):
        found("c eq 'x'")
    with pytest.raises(MixedOrError):
        found("a eq 'x' or b eq 'x'", mixed_or=False)
    assert found("a eq 'x' or a eq 'y'", mixed_or=False) == [0, 1]
