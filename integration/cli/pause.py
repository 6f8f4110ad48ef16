"""Hold back the calls to a system, or the events of a table; without either, list what is held back.

    run.py pause system erp --why "maintenance until six"
    run.py pause table contact --why "contacts are being merged"
    run.py pause

Events wait without ageing until run.py resume. Works on the running sandbox, and on a deployed app with --url.
"""

import argparse
from collections.abc import Mapping
from typing import Any

from integration.cli import desk
from integration.cli.desk import Desk
from integration.cli.saying import say

KINDS = {"system": "systems", "table": "tables"}


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("kind", nargs="?", choices=KINDS, help="what is held back: a system, or a table")
    parser.add_argument("name", nargs="?", help="its name: dataverse, erp, credit; or the logical name of the table")
    parser.add_argument("--why", default="", help="the reason, in a sentence: the audit keeps it with your key's name")
    desk.arguments(parser)


def main(options: argparse.Namespace) -> int:
    """0 when it was done."""
    return desk.run(options, lambda app: pause(app, options))


async def pause(app: Desk, options: argparse.Namespace) -> None:
    """Pause it, or list what is paused."""
    if options.kind and options.name:
        await app.act(KINDS[options.kind], options.name, "pause", why=options.why)
        say(f"{options.name} is paused; all instances know within two seconds. To end this:")
        say(f"  run.py resume {options.kind} {options.name} --why ...")
        return
    for kind, path in KINDS.items():
        for it in (await app.look(path))[path]:
            say(f"{kind} {it[kind]}: {_said(it)}")


def _said(it: Mapping[str, Any]) -> str:
    if it["pausedBy"]:
        return f"paused by {it['pausedBy']} since {it['since']}: {it['why']}"
    phase = it.get("phase", "closed")
    return "not paused" if phase == "closed" else f"unavailable, gets no calls ({phase}; {it['why']})"
