"""Send many dead letters again, or discard them: by a plan, with a few first, at a given rate, and stopped at any time.

    run.py bulk plan retry --reason erp-rejected --why "the ERP was repaired"
    run.py bulk start 202611261805-1f3a9c07 --why "the plan is as expected"
    run.py bulk show 202611261805-1f3a9c07
    run.py bulk pause | resume | cancel 202611261805-1f3a9c07 --why "..."
    run.py bulk list

A plan does nothing by itself. Works on the running sandbox, and on a deployed app with --url.
"""

import argparse
from collections.abc import Mapping
from typing import Any, Final

from integration.cli import desk, narrowing
from integration.cli.desk import Desk
from integration.cli.saying import say

_CHANGES: Final = {
    "start": "start an operation that is planned",
    "pause": "pause an operation that runs",
    "resume": "continue an operation that is paused",
    "cancel": "end an operation; what was done stays done",
}
_NARROWED: Final = {
    "state": "dead-lettered (which is usual), or waiting",
    "reason": "their reason",
    "system": "the system that refused them or was unavailable",
    "table": "their table",
    "record_id": "their record",
    "from": "of this time of the operation (ISO 8601, with an offset) or later",
    "to": "of an earlier time of the operation",
}


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION", help="what to do")
    plan = actions.add_parser("plan", help="find the events, and say how long it takes and what it costs")
    plan.add_argument("what", choices=("retry", "discard"), help="what is to be done to each")
    narrowing.arguments(plan, _NARROWED)
    plan.add_argument("--canary", type=int, metavar="N", help="send so many first, and wait for their outcome (5)")
    plan.add_argument("--per-minute", type=int, default=60, metavar="N", help="send so many in a minute (%(default)s)")
    plan.add_argument("--force", action="store_true", help="repeat effects that are remembered as done")
    desk.why_argument(plan)
    desk.arguments(plan)
    for name, says in _CHANGES.items():
        change = actions.add_parser(name, help=says)
        change.add_argument("bulk_id", metavar="ID", help="its id")
        desk.why_argument(change)
        desk.arguments(change)
    show = actions.add_parser("show", help="show how far an operation is, and what has failed")
    show.add_argument("bulk_id", metavar="ID", help="its id")
    desk.arguments(show)
    desk.arguments(actions.add_parser("list", help="list the operations of this month and the last one"))


def main(options: argparse.Namespace) -> int:
    """0 when it was done."""
    return desk.run(options, lambda app: bulk(app, options))


async def bulk(app: Desk, options: argparse.Namespace) -> None:
    """Do what the options say."""
    if options.action == "plan":
        _say_plan(await app.act("bulk", **asked(options, options.what, force=options.force)))
    elif options.action == "list":
        for it in (await app.look("bulk"))["bulks"]:
            say(f"{it['bulkId']}  {it['state']:<9}  {it['action']} {it['total']}: {counts(it)}  ({it['why']})")
    elif options.action == "show":
        await _show(app, options.bulk_id)
    else:
        it = await app.act("bulk", options.bulk_id, options.action, why=options.why)
        say(f"{it['bulkId']} is {it['state']}: {counts(it)}")


def asked(options: argparse.Namespace, action: str, **more: bool) -> dict[str, Any]:
    """The request for a plan."""
    found: dict[str, Any] = {
        "action": action,
        "selection": narrowing.as_selection(options),
        "perMinute": options.per_minute,
        "why": options.why,
        **more,
    }
    return found if options.canary is None else {**found, "canary": options.canary}


def say_size(plan: Mapping[str, Any]) -> None:
    """How many events it has."""
    say(f"{plan['total']} events" + (", and there are more: plan again after this one" if plan["more"] else ""))


def say_cost(plan: Mapping[str, Any]) -> None:
    """How long it takes, and the calls that it costs."""
    say(f"  takes {plan['seconds']} s at {plan['perMinute']} a minute, after a canary of {plan['canary']}")
    if plan["callsAtMost"]:
        say("  calls at most: " + ", ".join(f"{system} {count}" for system, count in plan["callsAtMost"].items()))


def counts(it: Mapping[str, Any]) -> str:
    """How many of its events are in each state."""
    return ", ".join(f"{count} {state}" for state, count in it["counts"].items() if count) or "nothing yet"


def _say_plan(plan: Mapping[str, Any]) -> None:
    say_size(plan)
    for title, counted in (("reason", plan["byReason"]), ("table", plan["byTable"])):
        say(f"  by {title}: " + ", ".join(f"{name or '(none)'} {count}" for name, count in counted.items()))
    say_cost(plan)
    for it in plan["sample"]:
        say(f"  such as {it['eventId']}  {it['message']} of {it['table']} {it['recordId'] or ''}: {it['reason']}")
    say("Nothing is done yet. To begin:")
    say(f"  run.py bulk start {plan['bulkId']} --why ...")


async def _show(app: Desk, bulk_id: str) -> None:
    after, it = "", await app.look("bulk", bulk_id)
    say(f"{it['bulkId']} is {it['state']}: {counts(it)}")
    if it["note"]:
        say(it["note"])
    while it["items"]:
        for item in it["items"]:
            if item["state"] in {"failed", "skipped", "error"}:
                say(f"  {item['eventId']}  {item['state']}: {item['outcome']}")
        after = it["items"][-1]["eventId"]
        it = await app.look("bulk", bulk_id, after=after)
