"""The start page as HTML."""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from sandbox.running.endpoints import Endpoints
from sandbox.terminal.words import PYTHON, short_id, shortened
from sandbox.watching.snapshot import Table

_SHELL = (Path(__file__).parent / "page.html").read_text(encoding="utf-8")

_COMMANDS = (
    'change account "Contoso Ltd" telephone1=1',
    'win "Bridge refit"',
    "status EVENT",
    "fail erp 503 --times 3",
    "heal",
    "dead-letters",
    "logs -f worker",
)


def whole(reached: Endpoints, tables: Sequence[Table]) -> str:
    """The page, which asks for `changing` again every two seconds."""
    return _in_shell(
        "Sandbox",
        f'<section class="top">{_addresses(reached)}{_commands()}</section><div id="changing">{changing(tables)}</div>',
    )


def changing(tables: Sequence[Table]) -> str:
    """The part that changes."""
    return "".join(map(_table, tables))


def event(status: Mapping[str, Any] | None, event_id: str) -> str:
    """The page of one event."""
    if status is None:
        return _in_shell("Event", f"<p>The ledger has no event {escape(event_id)}.</p>")
    facts = {
        "state": status["state"],
        "about": f"{status['message']} of {status['table']} {status['recordId']}",
        "why": ": ".join(str(status[name]) for name in ("reason", "detail") if status[name]) or "-",
        "attempts": str(status["attempts"]),
        "next attempt": status["nextAttempt"] or "-",
        "accepted": status["acceptedAt"],
        "correlation id": status["correlationId"],
    }
    steps = [(step["name"], step["state"], step["at"], step["detail"]) for step in status["steps"]]
    history = [(str(it["attempt"]), it["at"], it["reason"], it["detail"]) for it in status["history"]]
    rows = "".join(f"<tr><th>{escape(name)}</th><td>{_state(text)}</td></tr>" for name, text in facts.items())
    return _in_shell(
        f"Event {short_id(event_id)}",
        f'<section class="card"><h2>Event {escape(event_id)}</h2><table class="facts">{rows}</table></section>'
        + _table(Table("Steps", ("step", "state", "at", "detail"), steps, empty="None yet.", state_column=1))
        + _table(Table("Failed attempts", ("attempt", "at", "reason", "detail"), history, empty="None."))
        + '<p><a href="/">Back to the start page</a></p>',
    )


def _in_shell(title: str, main: str) -> str:
    return _SHELL.replace("<!--title-->", escape(title)).replace("<!--main-->", main)


def _addresses(reached: Endpoints) -> str:
    rows = (
        ("console", '<a href="/console">the support console</a>, which signs you in'),
        ("functions", f'<a href="{escape(reached.functions)}/api/health">{escape(reached.functions)}/api/health</a>'),
        ("Dataverse", f"{escape(reached.dataverse)}/api/data/v9.2/"),
        ("ERP", f'<a href="{escape(reached.erp)}/control/ledger">{escape(reached.erp)}/control/ledger</a>'),
        ("credit", f'<a href="{escape(reached.credit)}/control/charges">{escape(reached.credit)}/control/charges</a>'),
        (
            "broker",
            f'<a href="{escape(reached.broker)}/control/entities">{escape(reached.broker)}/control/entities</a>',
        ),
        ("AMQP", f"localhost:{reached.ports['amqp']}"),
    )
    lines = "".join(f"<tr><th>{name}</th><td>{value}</td></tr>" for name, value in rows)
    note = "<p>Keys and all ports are in endpoints.json, whose path run.py up prints.</p>"
    return f'<div class="card"><h2>Addresses</h2><table class="facts">{lines}</table>{note}</div>'


def _commands() -> str:
    lines = "".join(f"<li><code>{escape(f'{PYTHON} run.py {command}')}</code></li>" for command in _COMMANDS)
    return f'<div class="card"><h2>Commands to try</h2><ul>{lines}</ul></div>'


def _table(table: Table) -> str:
    if table.problem or not table.rows:
        content = f'<p class="empty">{escape(table.problem or table.empty)}</p>'
    else:
        head = "".join(f"<th>{escape(header)}</th>" for header in table.headers)
        body = "".join(f"<tr>{_cells(table, row)}</tr>" for row in table.rows)
        content = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f'<section class="card"><h2>{escape(table.title)}</h2>{content}</section>'


def _cells(table: Table, row: Sequence[str]) -> str:
    cells = []
    for at, cell in enumerate(row):
        if at == table.link_column:
            cells.append(f'<td><a href="/events/{escape(cell)}">{escape(short_id(cell))}</a></td>')
        elif at == table.state_column:
            cells.append(f"<td>{_state(cell)}</td>")
        else:
            cells.append(f"<td>{escape(shortened(cell))}</td>")
    return "".join(cells)


def _state(word: str) -> str:
    return f'<span class="state {escape(word)}">{escape(word)}</span>' if " " not in word else escape(word)
