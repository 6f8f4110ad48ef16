"""Drive the rows of a table through its flow: all of them, or those for which an OData filter holds.

    run.py load account --dry-run
    run.py load account --why "the first load"
    run.py load contact --where "statecode eq 0" --rate 20 --why "first load"

The app queues an event for each row of which it does not know the present version yet: --rate a second at most, only a
little ahead of the worker, and none while live traffic uses the budget of Dataverse. Ctrl-C stops it within half a
minute; the same command goes on from there, from any machine. --dry-run counts the rows, and says how long the load
takes and what it costs. Works on the running sandbox, and on a deployed app with --url or --profile.
"""

import argparse
import asyncio
import sys
import time
from functools import partial
from typing import Any, Final

from integration.cli import desk
from integration.cli.desk import Desk, RefusedError
from integration.cli.saying import say

_HELD_SECONDS: Final = 15.0


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("table", help="the table's logical name")
    parser.add_argument("--where", default="", metavar="FILTER", help="an OData filter, such as 'statecode eq 0'")
    parser.add_argument("--rate", type=float, metavar="N", help="rows in a second (by default half of the budget)")
    parser.add_argument("--dry-run", action="store_true", help="only count, and say how long it takes and its cost")
    parser.add_argument("--again", action="store_true", help="begin anew, although the last load has not ended")
    parser.add_argument("--why", help="the reason: the audit keeps it with your key's name")
    desk.arguments(parser)


def main(options: argparse.Namespace) -> int:
    """0 when all rows were read, 130 when it was interrupted."""
    return desk.run(options, lambda app: load(app, options))


async def load(app: Desk, options: argparse.Namespace) -> None:
    """Count the rows, then ask for one step after the other."""
    if not options.dry_run and not options.why:
        raise RefusedError("Say why with --why: the audit keeps it.")
    size = await _size(app, options)
    rate = options.rate or size["rate"]
    if options.dry_run:
        _say_size(size, rate)
        return
    began, asked = time.monotonic(), {"table": options.table, "where": options.where, "why": options.why}
    if options.rate:
        asked["rate"] = options.rate
    try:
        step = await _step(app, **asked, again=options.again)
        while not step["ended"]:
            _say(step, size["rows"], time.monotonic() - began)
            if step["held"]:
                await asyncio.sleep(_HELD_SECONDS)
            step = await _step(app, **asked)
    except asyncio.CancelledError:
        print("\nStopped. The same command goes on from here.", file=sys.stderr)
        raise
    _say(step, size["rows"], time.monotonic() - began)
    say()
    say(f"{step['rows']} rows were read: {step['queued']} queued, {step['known']} known in this version already.")


async def _step(app: Desk, **asked: Any) -> dict[str, Any]:
    """One step; one that is under way, as of a command that was interrupted, is waited for."""
    return await desk.patiently(partial(app.act, "load", **asked), refused=(409, 503))


async def _size(app: Desk, options: argparse.Namespace) -> dict[str, Any]:
    """The whole count."""
    found: dict[str, Any] = {}
    rows, following = 0, ""
    while True:
        found = await app.look("load", table=options.table, where=options.where, following=following)
        rows, following = rows + found["rows"], found["following"]
        if not following:
            return {**found, "rows": rows}


def _say_size(size: dict[str, Any], rate: float) -> None:
    rows = size["rows"]
    reading = -(-rows // size["page"])
    say(f"{rows} rows, {_duration(rows / rate)} at {rate:g} a second")
    say(f"  at most {rows * size['requestsEach'] + reading} requests to Dataverse, {reading} of them for the list")
    for system, calls in size["callsEach"].items():
        say(f"  at most {rows * calls} calls of {system}")
    print("Nothing is done yet: rows of which the ledger knows the present version cost one look at it.")


def _say(step: dict[str, Any], total: int, seconds: float) -> None:
    held = "; waits for live traffic, or for the worker" if step["held"] else ""
    line = f"{step['rows']} of {total} rows, {step['queued']} queued, {step['known']} known, {_duration(seconds)}{held}"
    print(f"\r{line:<100}" if sys.stdout.isatty() else line, end="" if sys.stdout.isatty() else "\n", flush=True)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"
