"""Send records again and repeat what was done for them before, as after a restore.

    run.py resync account ID ID --why "the ERP was restored"
    run.py resync opportunity --file ids.txt --why "the ERP was restored"

The systems are brought to the state of the rows, or the rows to the state of the records of the ERP. An answer that
costs money is charged again. Works on the running sandbox, and on a deployed app with --url.
"""

import argparse
from pathlib import Path
from typing import Final

from integration.cli import desk
from integration.cli.desk import Desk, RefusedError
from integration.cli.saying import say

_AT_ONCE: Final = 500
"""Records that the app takes in one request."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("table", help="the table's logical name, or records of the ERP: erp.order, erp.customer")
    parser.add_argument("record_ids", nargs="*", metavar="ID", help="the rows' GUIDs, or the records' keys in the ERP")
    parser.add_argument("--file", type=Path, help="take them from this file, one on each line")
    desk.why_argument(parser)
    desk.arguments(parser)


def main(options: argparse.Namespace) -> int:
    """0 when all were sent."""
    return desk.run(options, lambda app: resync(app, options))


async def resync(app: Desk, options: argparse.Namespace) -> None:
    """Send them in requests of 500; raises `RefusedError`, which names the first record that was not sent."""
    wanted: list[str] = list(options.record_ids)
    if options.file:
        wanted += [line.strip() for line in options.file.read_text(encoding="utf-8").splitlines() if line.strip()]
    for start in range(0, max(len(wanted), 1), _AT_ONCE):
        some = wanted[start : start + _AT_ONCE]
        done = await app.act("resync", table=options.table, recordIds=some, why=options.why)
        say(f"{len(done['sent'])} records sent; their events have the correlation id {done['correlationId']}")
        if done["left"]:
            raise RefusedError(f"The app stopped before record {done['left'][0]}: ask again from there.")
