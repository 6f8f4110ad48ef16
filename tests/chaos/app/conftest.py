"""Sandboxes of these tests' own: what is done to them disturbs no other test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.client import Client
from tests.chaos.app.bench import Bench, running


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """All processes, for one test; webhook steps fire on our own write-backs as well."""
    with running(tmp_path / "sandbox") as bench:
        bench.let_write_backs_echo()
        yield bench


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """All processes, for the tests of one file; each heals what it has hurt."""
    with running(tmp_path_factory.mktemp("sandbox")) as bench:
        yield bench


@pytest.fixture(scope="module")
def client(shared: Bench) -> Client:
    """The shared sandbox from outside."""
    return shared.client()
