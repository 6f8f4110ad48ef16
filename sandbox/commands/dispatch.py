"""Runs one command by its name, and prints an expected error as one message."""

import sys

import requests

from sandbox.commands import catalogue
from sandbox.commands.here import CommandError
from sandbox.terminal.screen import failures


def dispatch(arguments: list[str]) -> int:
    """Run the command that the first argument names; its exit status."""
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


def _explained(error: requests.RequestException) -> str:
    """The message for a failed request of the command itself; a fault that was asked for can hit that too."""
    address = (error.request.url or "") if error.request is not None else "the sandbox"
    if error.response is not None:
        return f"{address} answered {error.response.status_code}: {error.response.text[:200]}"
    return f"{address} does not answer ({type(error).__name__}). Is the sandbox still running? See run.py logs."
