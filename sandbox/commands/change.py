"""Change columns of a row in the Dataverse stand-in, as a person does in the app, and print the event that this caused.

    run.py change account "Contoso Ltd" telephone1="+44 20 7946 0000"
    run.py change opportunity "Bridge refit" estimatedvalue=320000 --follow
    run.py change account Fabrikam transactioncurrencyid="US Dollar"

Faults of Dataverse that run.py fail has armed hit only the app, not this command.
"""

import argparse

from sandbox.client.rows import Row, RowError, assignments, shown
from sandbox.commands.caused import Person, add_options
from sandbox.commands.here import CommandError


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("table", help="account, contact, opportunity, ...")
    parser.add_argument("row", help="the row's id or name; the beginning of the name is enough when it is unique")
    parser.add_argument(
        "columns",
        nargs="+",
        metavar="column=value",
        help="what to change; no value after the equals sign clears the column; a lookup accepts a row's id or name",
    )
    add_options(parser)


def main(options: argparse.Namespace) -> int:
    """0 if an event was accepted, or if there was none to send."""
    person = Person(options)

    def update(row: Row) -> str:
        values = person.rows.values(options.table, wanted)
        person.client.dataverse.update(options.table, row.id, values)
        return f"{options.table} {row.name}: {shown(values)}"

    try:
        wanted = assignments(options.columns)
    except RowError as error:
        raise CommandError(str(error)) from error
    return person.change(options.table, options.row, update)
