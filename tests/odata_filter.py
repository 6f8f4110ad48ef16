"""The part of OData's filters that the ledger's queries use: comparisons of properties, `and`, `or`, brackets.

As Azure Tables compares: text by its characters, and a property that an entity lacks fulfils nothing.
"""

import operator
import re
from collections.abc import Callable, Mapping

from integration.tables.entity import Property

Holds = Callable[[Mapping[str, Property]], bool]

_TOKEN = re.compile(r"\s*(\(|\)|'(?:[^']|'')*'|\w+)")
_COMPARISONS = {"eq": operator.eq, "ne": operator.ne, "ge": operator.ge, "gt": operator.gt, "le": operator.le,
                "lt": operator.lt}  # fmt: skip


def parse(text: str) -> Holds:
    """The filter as a function of an entity; ValueError for what it is not."""
    tokens = _TOKEN.findall(text)
    if "".join(tokens) != re.sub(r"\s+(?=(?:[^']*'[^']*')*[^']*$)", "", text):
        raise ValueError(f"not understood: {text}")
    holds = _either(tokens)
    if tokens:
        raise ValueError(f"not understood: {' '.join(tokens)}")
    return holds


def _either(tokens: list[str]) -> Holds:
    parts = [_both(tokens)]
    while tokens and tokens[0] == "or":
        tokens.pop(0)
        parts.append(_both(tokens))
    return lambda entity: any(part(entity) for part in parts)


def _both(tokens: list[str]) -> Holds:
    parts = [_one(tokens)]
    while tokens and tokens[0] == "and":
        tokens.pop(0)
        parts.append(_one(tokens))
    return lambda entity: all(part(entity) for part in parts)


def _one(tokens: list[str]) -> Holds:
    name = tokens.pop(0)
    if name == "(":
        holds = _either(tokens)
        if tokens.pop(0) != ")":
            raise ValueError("a bracket is not closed")
        return holds
    compare, literal = _COMPARISONS[tokens.pop(0)], tokens.pop(0)
    value = literal[1:-1].replace("''", "'") if literal.startswith("'") else int(literal)
    return lambda entity: name in entity and bool(compare(entity[name], value))
