"""List the dead-lettered events with the reason, newest first.

They are in the broker's dead-letter queue, and stay there. The reason comes from the status of the event.
"""

import argparse
from typing import Any

from azure.servicebus.exceptions import ServiceBusError

from sandbox.client import Client, DeadLetter
from sandbox.client.rows import Rows
from sandbox.commands.here import CommandError, Suggested, add_state_option, client_of
from sandbox.terminal.screen import Screen
from sandbox.terminal.words import counted, short_id, shortened


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    add_state_option(parser)


def main(options: argparse.Namespace) -> int:
    """0 if the list could be read."""
    client, screen = client_of(options), Screen()
    try:
        letters = client.broker.dead_letters()
    except ServiceBusError as error:
        heal = Suggested(options.state)("heal broker")
        raise CommandError(
            f"The broker does not answer: {error} If run.py fail made it fail, this ends it: {heal}"
        ) from error
    if not letters:
        screen.say("There are no dead letters.")
        return 0
    rows = Rows(client.dataverse)
    for letter in reversed(letters):
        _print(screen, client, rows, letter)
    suggest = Suggested(options.state)
    screen.say(f"{counted(len(letters), 'dead letter')}. To see all about one of them:")
    newest = short_id(letters[-1].message_id.partition("#")[0])
    screen.command(suggest(f"status {newest}"))
    return 0


def _print(screen: Screen, client: Client, rows: Rows, letter: DeadLetter) -> None:
    event_id = letter.message_id.partition("#")[0]
    operation: dict[str, Any] = client.app.operation(event_id) or {}
    table, _, record = letter.session_id.partition(":")
    about = f"{operation.get('message', 'Event')} of {table} {rows.name(table, record) or shortened(record)}"
    reason = operation.get("reason") or letter.reason
    screen.beside([(f"{short_id(event_id)}  ", "bold")], about)
    screen.entry(
        reason, shortened(operation.get("detail") or "The app has no status for it."), indent=10, label_width=0
    )
    screen.say()
