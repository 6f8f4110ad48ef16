"""End the faults that run.py fail has armed, of all systems or of one.

    run.py heal
    run.py heal erp

Events that wait are tried again at their next attempt; run.py status says when that is.
"""

import argparse

from sandbox.commands.fail import KNOWN, stand_in_of
from sandbox.commands.here import add_state_option, client_of
from sandbox.terminal.screen import Screen
from sandbox.terminal.words import counted, listed


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    more = "or any other system of SYSTEMS or of a flow; all unless given"
    parser.add_argument("system", nargs="?", help=f"{', '.join(KNOWN)}, {more}")
    add_state_option(parser)


def main(options: argparse.Namespace) -> int:
    """0 if nothing fails on request any more."""
    client = client_of(options)
    removed = 0
    wanted = [options.system] if options.system else [*client.stand_ins, "broker"]
    for name in wanted:
        if name == "broker":
            client.broker.clear_faults()
        else:
            stand_in = stand_in_of(client, name)
            removed += len(stand_in.faults())
            stand_in.clear_faults()
    verb = "works" if len(wanted) == 1 else "work"
    count = f"; {counted(removed, 'fault')} removed" if removed else ""
    Screen().say(f"{listed(wanted)} {verb} again{count}.")
    return 0
