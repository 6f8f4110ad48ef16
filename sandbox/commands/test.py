"""`run.py test`: the static checks, then the tests. Arguments go to pytest, which then runs alone, in one process."""

import os
import sys

from sandbox.azure import azurite
from sandbox.commands.checks import failed_checks, run_pytest
from sandbox.repository import TOOLS

# The tests wait more than they compute, so there is one process more than cores; files stay together, as their
# fixtures are the expensive part. More than four would only make timing tests wait for each other.
_PROCESSES = min((os.cpu_count() or 2) + 1, 4)
DEFAULT = ["-m", "not slow", "-n", str(_PROCESSES), "--dist", "loadfile"]


def main(arguments: list[str]) -> int:
    """The exit status is pytest's; 1 when the tests pass and a check does not."""
    failed = [] if arguments else failed_checks()
    azurite.installed(TOOLS, print)  # once, before several processes want it
    status = run_pytest(arguments or DEFAULT)
    if failed:
        print(f"Failed: {', '.join(failed)}", file=sys.stderr)
    return status or (1 if failed else 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
