"""A pytest plugin: which tests execute which lines of `integration`, and how long each test takes.

`-p sandbox.mutation.pytest_record`, with MUTATION_RECORD naming the file that it writes.
"""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import coverage
import pytest

from sandbox.mutation.pytest_fast import only_fast

_IMPORTING = ""


class Recorder:
    """Measures from the start on, as modules are executed when they are imported."""

    def __init__(self, root: Path, file: Path) -> None:
        self._root = root
        self._file = file
        self._seconds: dict[str, float] = {}
        self._coverage = coverage.Coverage(data_file=None, source_pkgs=["integration"], config_file=False)
        self._coverage.start()
        self._coverage.switch_context(_IMPORTING)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Leave out what takes too long to count."""
        only_fast(config, items)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Lines that are executed from here on belong to this test."""
        self._coverage.switch_context(item.nodeid)
        started = time.monotonic()
        outcome = yield
        self._seconds[item.nodeid] = time.monotonic() - started
        self._coverage.switch_context(_IMPORTING)
        return outcome

    def pytest_sessionfinish(self) -> None:
        """Write it down."""
        self._coverage.stop()
        tests = list(self._seconds)
        number = {test: index for index, test in enumerate(tests)}
        data = self._coverage.get_data()
        lines: dict[str, dict[int, list[int]]] = {}
        for file in sorted(data.measured_files()):
            path = Path(file).relative_to(self._root).as_posix()
            lines[path] = {
                line: sorted(number[test] for test in contexts if test != _IMPORTING)
                for line, contexts in data.contexts_by_lineno(file).items()
            }
        document = {"tests": tests, "seconds": list(self._seconds.values()), "lines": lines}
        self._file.write_text(json.dumps(document), encoding="utf-8")


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Before the tests, and with them the app, are imported."""
    recorder = Recorder(early_config.rootpath, Path(os.environ["MUTATION_RECORD"]))
    early_config.pluginmanager.register(recorder, "mutation-record")
