"""`python -m sandbox.commands COMMAND ...`: what run.py runs once the virtual environment exists."""

import os
import sys

import requests

from sandbox.commands import catalogue
from sandbox.commands.here import CommandError
from sandbox.commands.session import INTERRUPTED
from sandbox.terminal.screen import failures


def main(arguments: list[str]) -> int:
    """Run one command and return its exit status. Errors are printed without a traceback."""
    command = catalogue.find(arguments[0]) if arguments else None
    if command is None:
        print(catalogue.unknown(arguments[0]) if arguments else catalogue.listing(), file=sys.stderr)
        return 2
    parser = command.parser()
    if command.passes_on:
        options, others = parser.parse_known_args(arguments[1:])
        options.passed_on = others
    else:
        options = parser.parse_args(arguments[1:])
    try:
        return int(command.module().main(options))
    except CommandError as error:
        failures().say(str(error))
        return 1
    except requests.RequestException as error:
        failures().say(_explained(error))
        return 1
    except BrokenPipeError:  # the reader, such as head, has closed the pipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return INTERRUPTED


def _explained(error: requests.RequestException) -> str:
    """The message for a failed request of the command itself; faults that were asked for can hit those too."""
    address = (error.request.url or "") if error.request is not None else "the sandbox"
    if error.response is not None:
        return f"{address} answered {error.response.status_code}: {error.response.text[:200]}"
    return f"{address} does not answer ({type(error).__name__}). Is the sandbox still running? See run.py logs."


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
