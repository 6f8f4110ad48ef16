"""The common part of change and win: change a row as a person does, and print the event that this causes."""

import argparse
import json
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

import requests

from sandbox.client import Client, EventTimeoutError
from sandbox.client.rows import Row, RowError, Rows
from sandbox.commands.here import CommandError, Suggested, add_state_option, client_of
from sandbox.running.registration import steps
from sandbox.terminal.screen import Screen
from sandbox.terminal.words import short_id
from sandbox.watching.journey import Journeys

_WITHIN = 10.0
_NOTHING_WITHIN = 1.0
_PAUSE = 0.05


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options that both commands have."""
    parser.add_argument("-f", "--follow", action="store_true", help="follow the event to its end")
    add_state_option(parser)


class Person:
    """A person who works in Dataverse; armed faults of Dataverse do not hit this client."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.client: Client = client_of(options)
        self.client.dataverse.spare()
        self.rows = Rows(self.client.dataverse)
        self._screen = Screen()
        self._options = options

    def change(self, table: str, wanted: str, act: Callable[[Row], str]) -> int:
        """Find the row, let `act` change it and say what it did, then print the event that this has caused."""
        before = self.client.dataverse.last_event()
        try:
            row = self.rows.find(table, wanted)
            done = act(row)
        except RowError as error:
            raise CommandError(str(error)) from error
        except requests.HTTPError as error:
            raise CommandError(f"Dataverse refused this: {error}") from error
        self._screen.say(done)
        published = self._published(row.id, before)
        if published is None:
            self._say_nothing_fired(table)
            return 0
        return self._report(published)

    def _published(self, row_id: str, before: int) -> dict[str, Any] | None:
        """What a step has published about the row, once it is answered; None if no step fired."""
        began = time.monotonic()
        while True:
            found = [event for event in self.client.dataverse.events(after=before) if event["id"] == row_id]
            if found and (found[0]["attempts"] or time.monotonic() - began > _WITHIN):
                return found[0]
            if not found and time.monotonic() - began > _NOTHING_WITHIN:
                return None
            time.sleep(_PAUSE)

    def _report(self, published: dict[str, Any]) -> int:
        last: dict[str, Any] = published["attempts"][-1] if published["attempts"] else {}
        event_id = _event_id(last)
        if event_id is None:
            said = last.get("error") or f"{last['status']} {last['answer']}" if last else "nothing yet"
            self._screen.say(f"The step called the webhook, but no event was accepted. The answer was: {said}")
            return 1
        self._screen.say(f"This caused event {event_id}.")
        if self._options.follow:
            return self._follow(event_id, datetime.fromisoformat(published["at"]))
        self._screen.say("To follow it to its end:")
        self._screen.command(Suggested(self._options.state)(f"status {short_id(event_id)}"))
        return 0

    def _follow(self, event_id: str, origin: datetime) -> int:
        try:
            status = Journeys(self.client, self._screen).of_event(event_id, origin)
        except (EventTimeoutError, TimeoutError) as error:
            raise CommandError(str(error)) from error
        return 1 if status["state"] == "dead-lettered" else 0

    def _say_nothing_fired(self, table: str) -> None:
        columns = next(
            (step.filtering_attributes for step in steps() if (step.table, step.message) == (table, "Update")), None
        )
        if columns is None:
            self._screen.say(f"No step is registered for {table}, so nothing was sent.")
        else:
            listened = ", ".join(columns)
            self._screen.say(
                f"No step fired, so nothing was sent. An Update is sent when one of these columns changes: {listened}."
            )


def _event_id(attempt: dict[str, Any]) -> str | None:
    """The app's id of the event, from the answer to the webhook."""
    try:
        return str(json.loads(attempt["answer"])["eventId"])
    except (ValueError, KeyError, TypeError):
        return None
