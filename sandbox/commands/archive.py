"""List what analytics has received: the lines that the archive sink has written to Blob Storage, the newest first.

    run.py archive
    run.py archive --json

With --json the lines are printed as they are in the archive, one JSON object per line.
"""

import argparse
import json
from datetime import datetime
from typing import Any

from azure.core.exceptions import AzureError

from sandbox.commands.here import CommandError, add_state_option, client_of
from sandbox.terminal.screen import Screen
from sandbox.terminal.words import clock, counted, short_id, shortened

_SHOWN = 20


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("-n", "--number", type=int, default=_SHOWN, metavar="N", help="the last N lines (%(default)s)")
    parser.add_argument("--json", action="store_true", help="the lines as they are")
    add_state_option(parser)


def main(options: argparse.Namespace) -> int:
    """0 if the archive could be read."""
    try:
        lines = sorted(client_of(options).archive.lines(), key=lambda line: str(line.get("time", "")), reverse=True)
    except AzureError as error:
        raise CommandError(f"Storage does not answer ({type(error).__name__}). See run.py logs azurite") from error
    screen = Screen()
    if options.json:
        for line in lines[: options.number]:
            screen.raw(json.dumps(line))
        return 0
    if not lines:
        screen.say("The archive is empty: no event has ended yet.")
        return 0
    screen.table(("event", "at", "state", "about"), [_row(line) for line in lines[: options.number]])
    screen.say(f"{counted(len(lines), 'event')} in the archive.")
    return 0


def _row(line: dict[str, Any]) -> tuple[str, str, str, str]:
    data = line.get("data")
    if not isinstance(data, dict):
        return ("", "", "unreadable", str(line.get("unreadable", ""))[:60])
    effects = ", ".join(data.get("effects") or {})
    about = f"{data['message']} of {data['table']} {shortened(str(data['recordId']))}"
    at = clock(datetime.fromisoformat(line["time"]))
    return (short_id(line["id"]), at, data["state"], f"{about}: {effects}" if effects else about)
