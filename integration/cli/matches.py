"""List which customers of the ERP the rows of Dataverse would be matched with. Nothing is changed.

    run.py matches contact
    run.py matches account --only ambiguous taken number-unknown

Before the first event, this shows what the app will take for the same customer (matched), what it will create (new),
and where people have to choose: they write the number of the right customer into the row. Works on the running sandbox,
and on a deployed app with --url.
"""

import argparse
from collections import Counter
from typing import Any, Final

from integration.cli import desk
from integration.cli.desk import Desk
from integration.cli.saying import say

_OUTCOMES: Final = {
    "linked": "follow their row already",
    "matched": "would be taken over from the ERP",
    "new": "would be created",
    "ambiguous": "several customers have the same key: write the number of the right one into the row",
    "taken": "the customer with this key belongs to another row: write the number of the right one into the row",
    "number-unknown": "the ERP does not have the number that stands in the row: correct it, or empty it",
}


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("table", help="the table's logical name")
    parser.add_argument(
        "--only", nargs="+", choices=_OUTCOMES, metavar="OUTCOME",
        help=f"show the rows with these outcomes: {', '.join(_OUTCOMES)} (all but linked)",
    )  # fmt: skip
    desk.arguments(parser)


def main(options: argparse.Namespace) -> int:
    """0 when all were listed."""
    return desk.run(options, lambda app: matches(app, options))


async def matches(app: Desk, options: argparse.Namespace) -> None:
    """A line for each row, then how many there are of each outcome."""
    shown = set(options.only or _OUTCOMES.keys() - {"linked"})
    counted: Counter[str] = Counter()
    async for page in app.pages("matches", table=options.table):
        for it in page["matches"]:
            counted[it["outcome"]] += 1
            if it["outcome"] in shown:
                say(_line(it))
    for outcome, says in _OUTCOMES.items():
        if counted[outcome]:
            say(f"{counted[outcome]} {outcome}: {says}")
    if not counted:
        say(f"{options.table} has no rows")


def _line(match: dict[str, Any]) -> str:
    parts = [match["recordId"], match["outcome"], match["by"] or "", ", ".join(match["numbers"])]
    return "  ".join(filter(None, parts))
