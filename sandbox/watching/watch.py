"""Follows the hosts' logs while the sandbox runs: a line for each thing that happens to an event."""

import threading
from collections import deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests

from sandbox.client import Client
from sandbox.client.rows import Rows
from sandbox.terminal.screen import STYLES, Screen
from sandbox.terminal.words import clock, short_id
from sandbox.watching.happenings import Happening, Lookup, NoLookup, happening
from sandbox.watching.journal import HOST_LOGS, Journal, Tracked
from sandbox.watching.log_lines import LogFile, LogLine, parse

_MANY_LINES = 200
"""If this many lines come at once, only their own content is shown, because look-ups would take too long."""
_REMEMBERED = 200


class ClientLookup:
    """Looks things up in the running sandbox; if it does not answer, the result is None. For one thread at a time."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._rows = Rows(client.dataverse)

    def name(self, table: str, record: str) -> str | None:
        try:
            return self._rows.name(table, record)
        except requests.RequestException:
            return None

    def operation(self, event_id: str) -> Mapping[str, Any] | None:
        try:
            return self._client.app.operation(event_id)
        except requests.RequestException:
            return None


class Watch:
    """`poll` reads what is new in the logs of both hosts and hands each happening to `show`."""

    def __init__(self, logs: Path, lookup: Lookup, show: Callable[[Happening], None]) -> None:
        self._logs = [LogFile.at_end(logs / name) for name in HOST_LOGS]
        self._lookup = lookup
        self._show = show
        self._lock = threading.Lock()
        self._journal = Journal()
        self._happenings: deque[Happening] = deque(maxlen=_REMEMBERED)

    def poll(self) -> None:
        """Show what has happened since the last call."""
        lines = sorted((parse(line) for log in self._logs for line in log.new()), key=_when)
        lookup: Lookup = self._lookup if len(lines) < _MANY_LINES else NoLookup()
        for line in lines:
            found = happening(line, lookup)
            with self._lock:
                self._journal.add([line])
                if found is not None:
                    self._happenings.append(found)
            if found is not None:
                self._show(found)

    def events(self, number: int) -> list[Tracked]:
        """The latest events, the newest first."""
        with self._lock:
            return self._journal.latest(number)

    def happenings(self, number: int) -> list[Happening]:
        """What happened last, the newest first."""
        with self._lock:
            return list(self._happenings)[: -number - 1 : -1]


def show_on(screen: Screen) -> Callable[[Happening], None]:
    """Print happenings as lines: time, level, event, state, and what happened."""

    def show(it: Happening) -> None:
        level = {"WARNING": "WARN", "CRITICAL": "FATAL"}.get(it.level, it.level)
        head = [
            (f"{clock(it.at)} ", "dim"),
            (f"{level:<5} ", STYLES.get(it.level, "dim")),
            (f"{short_id(it.event_id):<8} ", ""),
            (f"{it.word:<13} ", STYLES.get(it.word, "")),
        ]
        screen.beside(head, it.text)

    return show


def _when(line: LogLine) -> datetime:
    return line.at or datetime.now(UTC)
