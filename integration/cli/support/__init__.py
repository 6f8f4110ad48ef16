"""See what is broken, understand it, repair it: the support console for the command line.

    run.py support overview
    run.py support causes
    run.py support list --reason erp-rejected
    run.py support show ID
    run.py support retry ID --why "the ERP was repaired"
    run.py support retry --reason erp-rejected --why "the ERP was repaired"
    run.py support edit ID --set note='"Miller"' --why "a typing error"
    run.py support note erp-rejected --note "ask the ERP team" --assignee mara
    run.py support debug CORRELATION-ID --minutes 60 --why "why is it refused?"
    run.py support watch

For many events a plan is shown first, and asked about. Works on the running sandbox; on a deployed app with --url, or
with --profile and a file of profiles. Ends with 0 when it was done, 1 when the app could not be asked, 2 when it
refused, 3 when `overview` finds dead letters.
"""

import argparse
from collections.abc import Callable
from typing import Final

from integration.cli import desk, narrowing
from integration.cli.pause import KINDS
from integration.cli.support import acting, looking
from integration.cli.support.saying import Does

_NARROWED: Final = {
    "state": "dead-lettered (which is usual), waiting, or with a time any other one",
    "reason": "with this reason",
    "system": "of this system",
    "table": "of this table",
    "record_id": "of this record",
    "from": "of this time of the operation (ISO 8601, with an offset) or later",
    "to": "of an earlier time of the operation",
}


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION", help="what to do")

    def action(name: str, says: str, does: Does) -> argparse.ArgumentParser:
        found = actions.add_parser(name, help=says, description=says)
        found.set_defaults(does=does)
        desk.arguments(found)
        found.add_argument("--json", action="store_true", help="print the app's answer as JSON")
        return found

    _looks(action)
    _acts(action)


def main(options: argparse.Namespace) -> int:
    """The exit code."""
    does: Does = options.does
    return desk.run(options, lambda app: does(app, options))


def _looks(action: Callable[[str, str, Does], argparse.ArgumentParser]) -> None:
    action("overview", "whether all is well, and what is not", looking.overview)
    found = action("causes", "list what is wrong, in groups, with notes and who takes care", looking.causes)
    found.add_argument("--state", help="of events in this state: dead-lettered (which is usual), waiting")
    found.add_argument("--assignee", metavar="NAME", help="that NAME takes care of; - is nobody")
    found = action("list", "list events: problems, or with a time or correlation id any", looking.listed)
    narrowing.arguments(found, _NARROWED)
    found.add_argument("--correlation-id", help="with this correlation id")
    found.add_argument("--number", help="of the rows that have this number in another system, such as the ERP's")
    found.add_argument("--all", action="store_true", help="page after page to the end, however many there are")
    found = action("show", "show an event, and what happened to it", looking.show)
    found.add_argument("event_id", metavar="ID", help="the event")
    action("mcp", "serve read-only tools over the Model Context Protocol, on standard input and output", looking.mcp)
    found = action("watch", "look again and again, until Ctrl-C", looking.watch)
    found.add_argument("--every", type=float, default=5.0, metavar="S", help="seconds between two looks (%(default)s)")
    found.add_argument("--times", type=int, default=0, metavar="N", help="end after so many looks")
    for name, says, does in (
        ("audit", "list what people did", looking.audit),
        ("export", "write what people did in a month to a file (CSV)", looking.export),
    ):
        found = action(name, says, does)
        found.add_argument("--month", help="of this month, such as 202611 (the present one)")
        found.add_argument("--who", help="of this person or key")
        found.add_argument("--event-id", help="about this event")
        found.add_argument("--bulk-id", help="of this bulk operation")
        if name == "export":
            found.add_argument("file", metavar="FILE", help="the file")


def _acts(action: Callable[[str, str, Does], argparse.ArgumentParser]) -> None:
    for name, says, does in (
        ("retry", "send events again: those that are named, or with a plan all that match", acting.retry),
        (
            "discard",
            "decide that nothing will be done for events: those that are named, or all that match",
            acting.discard,
        ),
    ):
        found = action(name, says, does)
        found.add_argument("event_ids", metavar="ID", nargs="*", help="an event")
        narrowing.arguments(found, _NARROWED)
        found.add_argument("--canary", type=int, metavar="N", help="do so many first, and wait for their outcome (5)")
        found.add_argument(
            "--per-minute", type=int, default=60, metavar="N", help="do so many in a minute (%(default)s)"
        )
        found.add_argument("--yes", action="store_true", help="start the plan without asking")
        found.add_argument("--wait", action="store_true", help="show the progress until it has ended")
        desk.why_argument(found)
    found = action("force", "send an event again, and repeat effects that are done", acting.force)
    found.add_argument("event_ids", metavar="ID", nargs="+", help="an event")
    desk.why_argument(found)
    found = action("restore", "take the discard of an event back", acting.restore)
    found.add_argument("event_ids", metavar="ID", nargs="+", help="an event")
    desk.why_argument(found)
    found = action("edit", "send an event again with other values; the difference is shown first", acting.edit)
    found.add_argument("event_id", metavar="ID", help="the event")
    for name, says in (("set", "a column's value, as JSON"), ("parameter", "a parameter's value, as JSON")):
        found.add_argument(f"--{name}", action="append", default=[], metavar="NAME=JSON", help=says)
    found.add_argument("--yes", action="store_true", help="send it without asking")
    desk.why_argument(found)
    found = action("note", "write down what is known of a cause, and who takes care of it", acting.note)
    found.add_argument("reason", metavar="REASON", help="the reason, such as erp-period-closed")
    found.add_argument("--system", help="of this system, where there are several")
    found.add_argument("--table", help="of this table, where there are several")
    found.add_argument("--state", default="dead-lettered", help="of events in this state (%(default)s)")
    found.add_argument("--note", metavar="TEXT", help="what is known; empty removes it")
    found.add_argument("--assignee", metavar="NAME", help="who takes care of it; empty is nobody")
    found = action("debug", "log details of the events of a correlation id for a time; list where", acting.debug)
    found.add_argument("correlation_id", metavar="CORRELATION-ID", nargs="?", help="the correlation id")
    found.add_argument("--minutes", type=int, default=60, metavar="N", help="for so long, a day at most (%(default)s)")
    found.add_argument("--off", action="store_true", help="end it now")
    found.add_argument("--why", default="", help="the reason, in a sentence: the audit keeps it with your key's name")
    for name, says, does in (
        ("pause", "hold back a system's calls, or a table's events", acting.pause),
        ("resume", "let what is paused go on", acting.resume),
    ):
        found = action(name, says, does)
        found.add_argument("kind", choices=KINDS, help="what it is")
        found.add_argument("name", help="its name")
        desk.why_argument(found)
