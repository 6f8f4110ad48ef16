"""`run.py test`: the static checks, then the tests. Arguments go to pytest, which then runs alone."""

import sys

from sandbox.commands.checks import failed_checks, run_pytest


def main(arguments: list[str]) -> int:
    """The exit status is pytest's; 1 when the tests pass and a check does not."""
    failed = [] if arguments else failed_checks()
    status = run_pytest(arguments or ["-m", "not slow"])
    if failed:
        print(f"Failed: {', '.join(failed)}", file=sys.stderr)
    return status or (1 if failed else 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
