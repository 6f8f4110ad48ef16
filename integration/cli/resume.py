"""End a pause: let the calls to a system, or the events of a table, continue.

    run.py resume system erp --why "maintenance is over"
    run.py resume table contact --why "the merge is done"

Works on the running sandbox, and on a deployed app with --url.
"""

import argparse

from integration.cli import desk
from integration.cli.desk import Desk
from integration.cli.pause import KINDS
from integration.cli.saying import say


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("kind", choices=KINDS, help="what was held back: a system, or a table")
    parser.add_argument("name", help="its name")
    desk.why_argument(parser)
    desk.arguments(parser)


def main(options: argparse.Namespace) -> int:
    """0 when it was done."""
    return desk.run(options, lambda app: resume(app, options))


async def resume(app: Desk, options: argparse.Namespace) -> None:
    """Resume it."""
    await app.act(KINDS[options.kind], options.name, "resume", why=options.why)
    say(f"{options.name} is no longer paused; events that wait are tried again at their next attempt.")
