"""A copy of the repository, in which mutants are made: the working tree is never changed."""

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sandbox.mutation.mutants import Mutant

_NOT_COPIED = (".git", ".venv", ".sandbox", ".hypothesis", "__pycache__", ".*_cache", "node_modules", "site")
QUIET = ("-q", "--no-header", "-p", "no:cacheprovider", "-p", "no:xdist", "--hypothesis-seed=0")
"""The options of pytest for every run."""


class Tree:
    """A copy of `repository` at `root`, with the programs that the sandbox has installed there."""

    def __init__(self, repository: Path, root: Path) -> None:
        self.root = root
        shutil.copytree(repository, root, ignore=shutil.ignore_patterns(*_NOT_COPIED))
        tools = repository / ".sandbox" / "tools"
        tools.mkdir(parents=True, exist_ok=True)
        (root / ".sandbox").mkdir()
        (root / ".sandbox" / "tools").symlink_to(tools, target_is_directory=True)

    @contextmanager
    def changed_by(self, mutant: Mutant) -> Iterator[None]:
        """While this lasts, the copy has the mutant's change."""
        file = self.root / mutant.path
        source = file.read_text(encoding="utf-8")
        shutil.rmtree(self.root / ".hypothesis", ignore_errors=True)  # the byte code of another mutant
        self._write(file, mutant.change.made_in(source))
        try:
            yield
        finally:
            self._write(file, source)

    def _write(self, file: Path, text: str) -> None:
        file.write_text(text, encoding="utf-8")
        # Date and length may be the same as before: Python would then use the byte code of the old text.
        Path(importlib.util.cache_from_source(str(file))).unlink(missing_ok=True)

    def pytest(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run pytest."""
        return subprocess.run(  # noqa: S603 -- pytest
            (sys.executable, "-m", "pytest", *QUIET, *arguments),
            cwd=self.root,
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )
