"""Close an opportunity as won in the Dataverse stand-in, and print the event that this caused.

    run.py win "Bridge refit" --follow

The ERP then gets an order. It is closed for its estimated value, today.
"""

import argparse

from sandbox.client.rows import Row
from sandbox.commands.caused import Person, add_options


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("opportunity", help="its id or name; a unique beginning of the name is enough")
    add_options(parser)


def main(options: argparse.Namespace) -> int:
    """0 if an event was accepted."""
    person = Person(options)

    def close(row: Row) -> str:
        person.client.dataverse.win(row.id)
        return f"opportunity {row.name} is closed as won"

    return person.change("opportunity", options.opportunity, close)
