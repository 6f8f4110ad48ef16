"""Mutants are tried in a copy of a repository, with the tests that execute them."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sandbox.mutation.forks import POSSIBLE, Forks
from sandbox.mutation.mutants import Mutant, all_mutants
from sandbox.mutation.record import FailingTestsError, Record, record
from sandbox.mutation.run import NOT_EXECUTED, NOT_NOTICED, NOTICED, Outcome, Trial, shares
from sandbox.mutation.tree import Tree
from sandbox.repository import REPOSITORY

CODE = """
def longest(words):
    best = ""
    for word in words:
        if len(word) > len(best):
            best = word
    return best


def endless(left):
    while left > 0:
        left -= 1
    return True


def nobody():
    return 7
"""
TESTS = """
from integration.words.longest import endless, longest


def test_it_is_found():
    assert longest(["a", "abc", "ab"]) == "abc"


def test_it_ends():
    assert endless(3)

"""

WITH_A_PROCESS = """
import pytest

from integration.words.longest import nobody


@pytest.fixture
def broker():
    raise AssertionError("this test takes too long to count")


def test_with_a_process(broker):
    assert nobody()
"""


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small one; the plug-ins are those of the real one."""
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    root = tmp_path / "repository"
    files = {
        "pyproject.toml": '[tool.pytest.ini_options]\naddopts = "--import-mode=importlib"\npythonpath = ["."]\n',
        "integration/__init__.py": "",
        "integration/words/__init__.py": "",
        "integration/words/longest.py": CODE,
        "tests/unit/integration/words/test_longest.py": TESTS,
        "tests/contract/integration/test_words.py": WITH_A_PROCESS,
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def mutant(repository: Path, before: str, after: str) -> Mutant:
    (it,) = (it for it in all_mutants(repository) if (it.change.before, it.change.after) == (before, after))
    return it


@pytest.mark.skipif(not POSSIBLE, reason="Windows cannot fork")
def test_mutants_are_noticed_not_noticed_or_not_executed(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What does not end is noticed, too. The repository itself stays as it is."""
    tree = Tree(repository, tmp_path / "tree")
    said: list[str] = []
    known = record(tree, tmp_path / "cache", said.append)
    assert record(tree, tmp_path / "cache", said.append) == known
    assert len(said) == 1

    changes = {
        "turned": ("len(word) > len(best)", "(len(word) >= len(best))"),
        "empty": ("words", "()"),
        "unused": ("7", "8"),
    }
    with Forks(tree.root) as forks:
        trial = Trial(tree, forks, known)
        found = {name: trial.of(mutant(repository, *it)) for name, it in changes.items()}
        monkeypatch.setattr("sandbox.mutation.run._START_SECONDS", 1.0)
        endless = trial.of(mutant(repository, "left -= 1", "pass"))

    assert (found["turned"].outcome, found["turned"].tests) == (NOT_NOTICED, 1)
    assert found["empty"].outcome == NOTICED
    assert found["empty"].by == "tests/unit/integration/words/test_longest.py::test_it_is_found"
    assert found["unused"].outcome == NOT_EXECUTED
    assert (endless.outcome, endless.by) == (NOTICED, "time")

    assert (repository / "integration/words/longest.py").read_text() == CODE
    assert (tree.root / "integration/words/longest.py").read_text() == CODE


def test_tests_that_fail_by_themselves_say_so(repository: Path, tmp_path: Path) -> None:
    """They would notice every change."""
    (repository / "integration/words/longest.py").write_text(CODE.replace("return best", "return words"))

    with pytest.raises(FailingTestsError, match="test_it_is_found"):
        record(Tree(repository, tmp_path / "tree"), tmp_path / "cache", print)


def test_the_tests_of_a_mutants_own_package_come_first_and_quick_ones_before_slow_ones(repository: Path) -> None:
    tests = ["tests/unit/integration/other/a", "tests/unit/integration/words/b", "tests/unit/integration/words/c"]
    line = 6  # best = word; the head of the `if` above it has other lines
    known = Record(tests, [0.1, 5.0, 2.0], {"integration/words/longest.py": {3: [0, 1, 2], line: [1]}})

    assert known.tests_of(mutant(repository, '""', "'XX'")) == [tests[2], tests[1], tests[0]]
    assert known.seconds_of(tests[:2]) == 5.1


def test_what_is_executed_at_import_is_tried_with_all_tests_of_its_file(repository: Path) -> None:
    """Also the line of a function that only a module's own constants call."""
    tests = ["a", "b"]
    known = Record(tests, [1.0, 1.0], {"integration/words/longest.py": {3: [0, 1], 17: []}})

    assert known.tests_of(mutant(repository, "7", "8")) == tests
    assert known.tests_of(mutant(repository, "left -= 1", "pass")) == []


def test_what_was_noticed_is_counted_by_package(repository: Path) -> None:
    it = mutant(repository, "7", "8")
    (share,) = shares([Outcome(it, NOTICED, 1), Outcome(it, NOT_NOTICED, 1), Outcome(it, NOT_EXECUTED, 0)])

    assert (share.package, share.noticed, share.all, round(share.percent)) == ("words", 1, 3, 33)


@pytest.mark.skipif(not POSSIBLE, reason="Windows cannot fork")
def test_an_interrupted_run_does_not_wait_for_its_tests(repository: Path, tmp_path: Path) -> None:
    """Ctrl-C ends it at once."""
    slow = repository / "tests/unit/integration/words/test_slow.py"
    slow.write_text(
        "import pathlib, time\n\n\ndef test_it():\n    pathlib.Path('started').touch()\n    time.sleep(600)\n"
    )
    root = Tree(repository, tmp_path / "tree").root
    source = (
        "import pathlib, sys\n"
        "from sandbox.mutation.forks import Forks\n"
        "with Forks(pathlib.Path(sys.argv[1])) as forks:\n"
        "    forks.pytest(['-q', 'tests/unit/integration/words/test_slow.py'], seconds=600)\n"
    )
    command = [sys.executable, "-c", source, str(root)]
    with subprocess.Popen(command, cwd=REPOSITORY, stderr=subprocess.PIPE, text=True) as run:  # noqa: S603 -- this Python
        while not (root / "started").exists():
            assert run.poll() is None
            time.sleep(0.05)
        run.send_signal(signal.SIGINT)
        assert "KeyboardInterrupt" in run.communicate(timeout=120)[1]
