"""`python -m sandbox.commands COMMAND ...`: what run.py runs once the virtual environment exists."""

import sys

from sandbox.terminal.ending import ended


def main(arguments: list[str]) -> int:
    """Run one command and return its exit status. Errors are printed without a traceback."""
    return ended(lambda: _dispatch(arguments))


def _dispatch(arguments: list[str]) -> int:
    from sandbox.commands.dispatch import dispatch  # noqa: PLC0415 -- Ctrl-C may come during this import

    return dispatch(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
