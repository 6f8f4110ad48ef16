"""Ends a command without a traceback when Ctrl-C interrupts it, or when nobody reads its output any more.

`python -m sandbox.terminal.ending MODULE ...` runs a module that is a program of its own in this way. Standard library
only: run.py uses it before anything is installed.
"""

import os
import runpy
import sys
from collections.abc import Callable
from typing import NoReturn

INTERRUPTED = 130
"""The exit status of a command that Ctrl-C, or another signal that asks it to stop, has ended."""

READER_GONE = 141
"""The exit status of a command whose reader has closed the pipe, as `head` does: what shells show for SIGPIPE."""


def ended(main: Callable[[], int]) -> int:
    """Run `main`; its exit status, or one of the two above."""
    try:
        try:
            return main()
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        discard_output()
        return READER_GONE
    except KeyboardInterrupt:
        return INTERRUPTED


def reader_gone() -> NoReturn:
    """End this thread because the pipe is closed; in the main thread the whole command ends, with `READER_GONE`."""
    discard_output()
    raise SystemExit(READER_GONE)


def discard_output() -> None:
    """Drop what is printed from now on, while the command cleans up; also errors, if they go to the same pipe."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    if os.path.sameopenfile(sys.stdout.fileno(), sys.stderr.fileno()):
        os.dup2(nowhere, sys.stderr.fileno())
    os.dup2(nowhere, sys.stdout.fileno())


def _module() -> int:
    """Run the module that the first argument names, as `python -m` does."""
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    return 0


if __name__ == "__main__":
    sys.exit(ended(_module))
