"""A table is named by its flow and by nothing else: adding one changes no other code."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from integration import flows
from integration.flow.discovery import flows_in
from sandbox.repository import REPOSITORY

NAMES = {name for flow in flows_in(flows).values() for name in (flow.table, flow.entity_set)}
LEFT_OUT = ("integration/flows/", "integration/systems/")
"""The flows, and the contracts of other systems, which have words of their own."""
FOLLOWS = [
    "sandbox/doctor/dataverse.py",
    "sandbox/running/programs.py",
    "sandbox/running/registration.py",
    "sandbox/systems/dataverse/declared_flows.py",
    "sandbox/systems/dataverse/schema.py",
    "documentation/connect.py",
    "documentation/flows.py",
]
"""What is derived from the flows outside of the app."""
OF_THE_APP = [
    name
    for name in sorted(it.relative_to(REPOSITORY).as_posix() for it in (REPOSITORY / "integration").rglob("*.py"))
    if not name.startswith(LEFT_OUT)
]


def texts(path: Path) -> Iterator[str]:
    """The text constants of a file, without its docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documentation = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
            yield node.value


@pytest.mark.parametrize("name", [*OF_THE_APP, *FOLLOWS])
def test_no_table_is_named_outside_of_its_flow(name: str) -> None:
    assert set(texts(REPOSITORY / name)) & NAMES == set()
