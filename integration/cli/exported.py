"""Write the rows of a table as they stand in an export of Dataverse, for programs that read no exports themselves.

    python -m integration.cli.exported ./lake account
    {"id": "...", "version": 7, "deleted": false, "at": "2026-11-26T14:00:00+00:00"}

A line for each row: its last change. The exit status is 3 where the export does not have the table, and 1 where it
cannot be read.
"""

import argparse
import json
import sys
from typing import Final

from integration.cli.saying import complain, say
from integration.errors import IntegrationError
from integration.exports.changes import BEGINNING, UnknownTable, current
from integration.exports.opening import open_export

UNKNOWN_TABLE: Final = 3


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("place", help="a folder, or the URL of a container, in which an export of Dataverse is")
    parser.add_argument("table", help="the table's logical name")


def main(options: argparse.Namespace) -> int:
    """0 when all rows are written."""
    try:
        for it in current(open_export(options.place, options.table).changes(options.table, BEGINNING)):
            at = None if it.at is None else it.at.isoformat()
            say(json.dumps({"id": it.row_id, "version": it.version, "deleted": it.deleted, "at": at}))
    except IntegrationError as error:
        complain(error)
        return UNKNOWN_TABLE if isinstance(error, UnknownTable) else 1
    return 0


if __name__ == "__main__":
    _parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments(_parser)
    sys.exit(main(_parser.parse_args()))
