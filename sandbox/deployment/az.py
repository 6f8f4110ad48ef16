"""The Azure CLI: runs `az` and reads what it answers."""

import json
import shlex
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any


class AzError(Exception):
    """`az` is not installed, or a command of it failed; the message has its last words."""


@dataclass(frozen=True, slots=True)
class Az:
    """Runs commands of `az`; with `plan`, those that change something are only handed to `say`."""

    say: Callable[[str], object]
    plan: bool = False

    def ask(self, *words: str) -> Any:
        """The answer to a command that changes nothing, parsed from JSON. Raises `AzError`."""
        return json.loads(self._run([*words, "--output", "json"]) or "null")

    def change(self, *words: str) -> None:
        """Run a command that changes something. Raises `AzError`."""
        command = [*words, "--output", "none"]
        if self.plan:
            self.say(f"would run: az {shlex.join(command)}")
            return
        self._run(command)

    def _run(self, words: Sequence[str]) -> str:
        found = shutil.which("az")
        if found is None:
            raise AzError("The Azure CLI (az) is not on PATH. Install it, then run az login.")
        done = subprocess.run([found, *words], capture_output=True, text=True, check=False)  # noqa: S603 -- az, no shell
        if done.returncode:
            said = done.stderr.strip().splitlines() or ["it gave no reason"]
            raise AzError(f"az {' '.join(words[:3])} failed: {said[-1]}")
        return done.stdout
