"""Show the state of an event, its steps, and why it failed. Without an event: the latest ones.

    run.py status
    run.py status da18f539
    run.py status da18f539 --follow

The eight characters that other commands print are enough, and so is any unique beginning of the id.
"""

import argparse
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sandbox.client import Client, EventTimeoutError
from sandbox.client.rows import Rows
from sandbox.commands.here import CommandError, Suggested, add_state_option, client_of
from sandbox.running.state import StateDirectory
from sandbox.terminal.screen import STYLES, Screen
from sandbox.terminal.words import clock, duration, moment, short_id, shortened
from sandbox.watching.journal import Journal, Tracked
from sandbox.watching.journey import Journeys

_WHOLE = re.compile(r"(\d{12}|unreadable)-[0-9a-f]{32}")
_LATEST = 15
_SHOWN = 5

ADVICE = {
    "accepted": "It is queued. If this does not change, look at the worker: run.py logs worker",
    "processing": "The worker is working on it.",
    "waiting": "It is tried again automatically, and succeeds once the cause is corrected.",
    "dead-lettered": "It is not tried again automatically. Correct the cause, then change the row once more.",
}
"""What to do about an event in this state."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("event", nargs="?", help="the event's id, or the beginning of it")
    parser.add_argument("-f", "--follow", action="store_true", help="follow the event to its end first")
    add_state_option(parser)


def main(options: argparse.Namespace) -> int:
    """0 if the event is known and has not failed."""
    client, screen = client_of(options), Screen()
    logs = StateDirectory(options.state).logs
    if not options.event:
        _print_latest(screen, client, Journal.of(logs).latest(_LATEST), Suggested(options.state))
        return 0
    event_id = resolve(options.event, Journal.of(logs))
    status = client.app.operation(event_id)
    if status is None:
        raise CommandError(f"The ledger has no event {event_id}. It may not be written yet; try again.")
    if options.follow:
        try:
            status = Journeys(client, screen).of_event(event_id, _time(status["acceptedAt"]))
        except (EventTimeoutError, TimeoutError) as error:
            raise CommandError(str(error)) from error
        screen.say()
    print_status(screen, status, Rows(client.dataverse).name(status["table"], status["recordId"] or ""))
    return 1 if status["state"] == "dead-lettered" else 0


def resolve(wanted: str, journal: Journal) -> str:
    """The id of the one event whose id begins with `wanted`; raises `CommandError` for none or several."""
    if _WHOLE.fullmatch(wanted):
        return wanted
    found = [event.id for event in journal.matching(wanted)]
    if not found:
        raise CommandError(f"No event's id begins with {wanted}. The latest ones: run.py status")
    if len(found) > 1:
        raise CommandError(
            f"{wanted} is the beginning of {len(found)} ids: {', '.join(found[-_SHOWN:])}. Give more of it."
        )
    return found[0]


def print_status(screen: Screen, status: Mapping[str, Any], name: str | None) -> None:
    """Everything that is known about one event."""
    screen.say(f"Event {status['eventId']}", "bold")
    record = status["recordId"] or ""
    screen.entry("about", f"{status['message']} of {status['table']} {name or ''}".rstrip())
    screen.entry("record", record)
    screen.entry("correlation", status["correlationId"])
    screen.entry("state", status["state"], style=STYLES.get(status["state"], ""))
    if status["reason"]:
        screen.entry("reason", status["reason"])
    if status["detail"]:
        screen.entry("detail", shortened(status["detail"]))
    if status["nextAttempt"]:
        due = _time(status["nextAttempt"])
        left = duration(max(0.0, (due - datetime.now(UTC)).total_seconds()))
        screen.entry("next attempt", f"at {clock(due)}, in {left}")
    if status["state"] in ADVICE:
        screen.entry("what to do", ADVICE[status["state"]])
    screen.say()
    accepted = _time(status["acceptedAt"])
    rows = [("accepted", "done", moment(accepted), "")]
    rows += [(it["name"], it["state"], moment(_time(it["at"])), shortened(it["detail"])) for it in status["steps"]]
    screen.table(("step", "state", "at", "detail"), rows)
    if status["history"]:
        screen.title("Failed attempts")
        rows = [
            (str(it["attempt"]), clock(_time(it["at"])), it["reason"], shortened(it["detail"]))
            for it in status["history"]
        ]
        screen.table(("attempt", "at", "reason", "detail"), rows)


def _print_latest(screen: Screen, client: Client, events: list[Tracked], suggest: Suggested) -> None:
    if not events:
        screen.say("There has been no event yet. Change a row:")
        screen.command(suggest('change account "Contoso Ltd" telephone1="+44 20 7946 0000"'))
        return
    rows = Rows(client.dataverse)
    cells = []
    for event in events:
        subject = event.subject
        name = rows.name(subject["table"], subject["record"]) or shortened(subject["record"])
        reason = f" ({event.reason})" if event.reason else ""
        about = f"{subject['message']} of {subject['table']} {name}{reason}"
        cells.append((short_id(event.id), clock(event.at), event.state, about))
    screen.table(("event", "at", "state", "about"), cells)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
