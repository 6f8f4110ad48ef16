"""Ship the order of an opportunity in the ERP stand-in, as a person there does, and print the event that this caused.

    run.py ship "Bridge refit" --follow
    run.py ship "Bridge refit" --by service-bus

The ERP says that the order was shipped; the opportunity then shows it. The opportunity has to be won before.
"""

import argparse
from datetime import UTC, datetime

import requests

from sandbox.client import Client, EventTimeoutError, eventually
from sandbox.client.rows import RowError, Rows
from sandbox.commands.caused import add_options
from sandbox.commands.here import CommandError, Suggested, client_of
from sandbox.terminal.screen import Screen
from sandbox.terminal.words import short_id
from sandbox.watching.journey import Journeys

_WITHIN = 60.0


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("opportunity", help="its id or name; a unique beginning of the name is enough")
    parser.add_argument(
        "--by",
        choices=("https", "service-bus", "event-grid"),
        help="with Finance & Operations: the endpoint for its business events, from now on",
    )
    add_options(parser)


def main(options: argparse.Namespace) -> int:
    """0 if an event was accepted."""
    client, screen = client_of(options), Screen()
    client.dataverse.spare()
    began = datetime.now(UTC)
    try:
        row = Rows(client.dataverse).find("opportunity", options.opportunity)
        if options.by:
            _choose(client, options.by)
        shipped = client.erp.ship(row.id)
    except RowError as error:
        raise CommandError(str(error)) from error
    except requests.HTTPError as error:
        if error.response.status_code == requests.codes.not_found:
            raise CommandError(f"The ERP has no order of opportunity {row.name}. Win it first: run.py win") from error
        raise
    screen.say(f"order {shipped['orderNumber']} of opportunity {row.name} is shipped")
    try:
        event_id = eventually(
            lambda: client.app.newest_event("erp.order", shipped["record"], since=began),
            within=_WITHIN,
            what="an event of the ERP",
        )
        screen.say(f"This caused event {event_id}.")
        if options.follow:
            status = Journeys(client, screen).of_event(str(event_id), began)
            return 1 if status["state"] == "dead-lettered" else 0
    except (EventTimeoutError, TimeoutError) as error:
        raise CommandError(str(error)) from error
    screen.say("To follow it to its end:")
    screen.command(Suggested(options.state)(f"status {short_id(str(event_id))}"))
    return 0


def _choose(client: Client, endpoint: str) -> None:
    try:
        client.erp.send_events_by(endpoint)
    except requests.HTTPError as error:
        raise CommandError(
            "Only Finance & Operations has several ways for its events: up --erp finance-operations"
        ) from error
