"""Finds the running sandbox: the option `--state`, its endpoints.json, and the message if there is none."""

import argparse
from pathlib import Path

from sandbox.client import Client
from sandbox.repository import REPOSITORY
from sandbox.running.credit import CREDITS, DEFAULT_CREDIT
from sandbox.running.endpoints import Endpoints
from sandbox.running.erp import DEFAULT, ERPS
from sandbox.running.state import StateDirectory
from sandbox.terminal.words import PYTHON, place

DEFAULT_STATE = REPOSITORY / ".sandbox"


class CommandError(Exception):
    """A command cannot do what it was asked to; the message says why and what to do."""


def add_state_option(parser: argparse.ArgumentParser) -> None:
    """Add `--state DIR`, for using more than one sandbox."""
    parser.add_argument(
        "--state",
        type=Path,
        default=DEFAULT_STATE,
        metavar="DIR",
        help="where the sandbox keeps its state, logs and endpoints.json (.sandbox)",
    )


def add_system_options(parser: argparse.ArgumentParser) -> None:
    """Add `--erp KIND`, `--credit KIND` and `--relay`."""
    parser.add_argument(
        "--erp",
        choices=list(ERPS),
        default=DEFAULT,
        help="the ERP: one that keeps this project's REST contract, or Dynamics 365"
        " Business Central or Finance & Operations (rest)",
    )
    parser.add_argument(
        "--credit",
        choices=list(CREDITS),
        default=DEFAULT_CREDIT,
        help="credit scoring: one that keeps this project's REST contract, or Creditsafe Connect (rest)",
    )
    parser.add_argument(
        "--relay",
        action="store_true",
        help="put the ERP behind Azure Relay: its stand-in, and Microsoft's listener for Node.js",
    )


def endpoints_of(state: Path) -> Endpoints:
    """The addresses of the sandbox on this directory; raises `CommandError` if none runs there."""
    directory = StateDirectory(state)
    start = Suggested(state)("up")
    if not directory.in_use():
        raise CommandError(f"No sandbox runs on {place(directory.root)}. Start one in another terminal: {start}")
    try:
        return Endpoints.read(directory.endpoints)
    except FileNotFoundError:
        raise CommandError("The sandbox is still starting. Try again when it says that it is up.") from None
    except (ValueError, TypeError, KeyError):
        raise CommandError(
            f"{place(directory.endpoints)} was written by another version. Stop the sandbox and start it again: {start}"
        ) from None


def client_of(options: argparse.Namespace) -> Client:
    """A client of the running sandbox; raises `CommandError` when none runs."""
    return Client(endpoints_of(options.state))


class Suggested:
    """Commands to suggest, with `--state` if it is not the usual directory."""

    def __init__(self, state: Path) -> None:
        self._more = "" if state.absolute() == DEFAULT_STATE else f" --state {place(state.absolute())}"

    def __call__(self, command: str) -> str:
        """The whole command line of a run.py command."""
        return f"{PYTHON} run.py {command}{self._more}"
