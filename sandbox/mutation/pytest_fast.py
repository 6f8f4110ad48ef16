"""A pytest plugin: run only the tests of a file's list, in its order.

`-p sandbox.mutation.pytest_fast`, with MUTATION_TESTS naming the file. It also keeps a mutant that does not stop to
collect things from taking all the memory.
"""

import os
import sys
from pathlib import Path

import pytest

_PROCESSES = frozenset({"start", "broker"})
"""Fixtures of contract tests that start a part of the sandbox. Azurite, which tests of the ledger need, is quick."""
_MEMORY_BYTES = 2 << 30


def only_fast(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests that need a process of the sandbox."""
    contract = [item for item in items if item.nodeid.startswith("tests/contract/")]
    _leave_out(config, items, [item for item in contract if _PROCESSES & set(getattr(item, "fixturenames", ()))])


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep what is listed, in the order of the list."""
    if (file := os.environ.get("MUTATION_TESTS")) is None:
        return
    place = {test: number for number, test in enumerate(Path(file).read_text(encoding="utf-8").splitlines())}
    _leave_out(config, items, [item for item in items if item.nodeid not in place])
    items.sort(key=lambda item: place[item.nodeid])


def pytest_configure() -> None:
    """Limit what this process and its children may keep in memory."""
    if sys.platform != "win32":
        import resource  # noqa: PLC0415 -- it is not on Windows

        resource.setrlimit(resource.RLIMIT_DATA, (_MEMORY_BYTES, resource.getrlimit(resource.RLIMIT_DATA)[1]))


def _leave_out(config: pytest.Config, items: list[pytest.Item], others: list[pytest.Item]) -> None:
    leaving = set(map(id, others))
    items[:] = [item for item in items if id(item) not in leaving]
    config.hook.pytest_deselected(items=others)
