"""The content of the start page, from each system itself."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import requests
from azure.servicebus.exceptions import ServiceBusError

from sandbox.client import Client, DeadLetter
from sandbox.client.rows import Rows
from sandbox.terminal.words import clock, short_id, shortened
from sandbox.watching.journal import Tracked
from sandbox.watching.watch import Watch

_EVENTS = 12
_LINES = 14
_BOOKED = 10
_NAMES = ("name", "title", "displayName", "description", "customerName")

Row = Sequence[str]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under headers. `problem` says why there are none; `state_column` is coloured by its word.

    `link_column` holds event ids in full: a page shows them short and links them.
    """

    title: str
    headers: Row
    rows: Sequence[Row] = ()
    empty: str = ""
    problem: str = ""
    state_column: int | None = None
    link_column: int | None = None


class Snapshots:
    """Takes snapshots of one running sandbox; one thread at a time."""

    def __init__(self, client: Client, watch: Watch) -> None:
        self._client = client
        self._watch = watch
        self._rows = Rows(client.dataverse)
        self._names: dict[tuple[str, str], str] = {}
        self._dead_letters: tuple[int, list[DeadLetter]] = (0, [])

    def tables(self) -> list[Table]:
        """Everything that changes."""
        return [
            self._events(),
            _asked(self._letters, Table("Dead letters", ("event", "row", "reason"), link_column=0)),
            _asked(self._erp, Table("The ERP's books", ("time", "done", "number", "for"))),
            _asked(self._credit, Table("Credit scoring", ("time", "decision", "score", "for"))),
            _asked(self._faults, Table("Faults that are armed", ("system", "requests", "answer", "times"))),
            _asked(self._steps, Table("Registered steps", ("step", "fires for"))),
            self._happenings(),
        ]

    def operation(self, event_id: str) -> dict[str, Any] | None:
        """The status of an event."""
        return self._client.app.operation(event_id)

    def _events(self) -> Table:
        rows = [
            (event.id, clock(event.at), event.state, self._subject(event), event.reason)
            for event in self._watch.events(_EVENTS)
        ]
        return Table(
            "Events",
            ("event", "time", "state", "about", "reason"),
            rows,
            empty='No event yet. Change a row: python3 run.py change account "Contoso Ltd" telephone1=1',
            state_column=2,
            link_column=0,
        )

    def _happenings(self) -> Table:
        rows = [(clock(it.at), short_id(it.event_id), it.word, it.text) for it in self._watch.happenings(_LINES)]
        return Table("What happened last", ("time", "event", "what", ""), rows, empty="Nothing yet.", state_column=2)

    def _letters(self) -> list[Row]:
        number = self._client.broker.entities()["queues"]["work"]["deadLetter"]
        if number != self._dead_letters[0]:
            self._dead_letters = (number, self._client.broker.dead_letters())
        return [self._letter(letter) for letter in reversed(self._dead_letters[1])]

    def _letter(self, letter: DeadLetter) -> Row:
        event_id = letter.message_id.partition("#")[0]
        operation = self.operation(event_id) or {}
        why = ": ".join(str(operation[name]) for name in ("reason", "detail") if operation.get(name))
        return (event_id, self._name(*letter.session_id.split(":", 1)), shortened(why) or letter.reason)

    def _erp(self) -> list[Row]:
        return [
            (_time(it["at"]), it["kind"], it["number"], _named(it["body"]))
            for it in self._client.erp.effects()[: -_BOOKED - 1 : -1]
        ]

    def _credit(self) -> list[Row]:
        return [(_time(it["at"]), *_charged_for(it)) for it in self._client.credit.charges()[: -_BOOKED - 1 : -1]]

    def _faults(self) -> list[Row]:
        systems = self._client.stand_ins.items()
        return [
            (
                name,
                fault["match"],
                "none: the connection is cut"
                if fault["drop"]
                else str(fault["status"] or f"after {fault['delay_ms']} ms"),
                "until healed" if fault["times"] is None else f"{fault['times']} more",
            )
            for name, system in systems
            for fault in system.faults()
        ]

    def _steps(self) -> list[Row]:
        query = {"$select": "name,filteringattributes", "$filter": "statecode eq 0", "$orderby": "name"}
        found = self._client.dataverse.ask("GET", "sdkmessageprocessingsteps", params=query).json()["value"]
        return [(it["name"], (it.get("filteringattributes") or "every column").replace(",", ", ")) for it in found]

    def _subject(self, event: Tracked) -> str:
        subject = event.subject
        return f"{subject['message']} of {subject['table']} {self._name(subject['table'], subject['record'])}"

    def _name(self, table: str, record: str) -> str:
        """Looks names up once, because a page that is open would ask for the same names every time."""
        key = (table, record)
        if key not in self._names:
            try:
                self._names[key] = self._rows.name(table, record) or shortened(record)
            except requests.RequestException:
                return shortened(record)
        return self._names[key]


def _asked(ask: Callable[[], list[Row]], table: Table) -> Table:
    """The table with its rows, or with the reason why there are none: people look here for a system that is down."""
    try:
        rows, problem = ask(), ""
    except (requests.RequestException, ServiceBusError) as error:
        rows, problem = [], f"It does not answer now ({type(error).__name__})."
    return Table(table.title, table.headers, rows, "None.", problem, table.state_column, table.link_column)


def _named(body: Mapping[str, Any]) -> str:
    """The name of a customer, an order or a line in any ERP."""
    return next((str(body[name]) for name in _NAMES if body.get(name)), "")


def _time(text: str) -> str:
    return clock(datetime.fromisoformat(text))


def _charged_for(charge: Mapping[str, Any]) -> tuple[str, str, str]:
    """A decision about an amount; or a report, with the limit that it names."""
    if "connectId" in charge:
        return f"report, band {charge['band']}", str(charge["value"]), f"limit {charge['limit']} {charge['currency']}"
    return charge["decision"], str(charge["score"]), f"{charge['amount']} {charge['currency']}"
