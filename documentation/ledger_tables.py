"""The columns of the ledger's tables, taken from rows that the code makes for an event with every field."""

import ast
import asyncio
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from functools import cache
from typing import Any, cast

from documentation.blocks import code, table
from documentation.contracts import EVERYTHING
from documentation.descriptions import described
from documentation.source import REPOSITORY, modules
from integration.clock import SystemClock
from integration.ledger import Ledger, rows
from integration.ledger.audit_log import AuditLog
from integration.ledger.erasure import Erased
from integration.ledger.exchanges import exchange_row
from integration.ledger.memory import DeadLetter, Effect, Memory, encode
from integration.ledger.record import record_entity
from integration.ledger.shared_state import TableState
from integration.ledger.status import State, Step
from integration.operations.audit import Subject, columns_of
from integration.operations.bulk.model import Action, Bulk, Item
from integration.operations.cause_notes import CauseKey, CauseNote, cause_note_row
from integration.tables import Entity, Table
from integration.transport import Call, Request
from integration.webhooks.subscription import Subscription, to_entity

_NOW = datetime(2026, 11, 20, 19, 5, tzinfo=UTC)
_KEYS = {"PartitionKey", "RowKey"}
"""Every table has these two; the page describes them once."""

_MEMORY = Memory(
    effects={
        "<effect>": Effect(
            number=1,
            done="a",
            started="b",
            answer={"customerNumber": "C-000042"},
            answered="a",
            event_id=EVERYTHING.event_id,
            at="2026",
            detail="x",
        )
    },
    row_version=1,
    acted_by=EVERYTHING.event_id,
    acted_time="2026",
    recent={"<event id>": State.COMPLETED},
    waiting=EVERYTHING.event_id,
    dead_letters={"<event id>": DeadLetter("erp-rejected", "x", "2026", 1, ("row",))},
    writer="x",
    deleted="202611",
    seen=12,
    shown=11,
)
"""A record's memory in which every field is filled in."""


def columns() -> dict[str, set[str]]:
    """The columns of each table, without its keys."""
    found = {name: set().union(*(entity.keys() for entity in made)) for name, made in _entities().items()}
    found["events"] |= _read_from_events()
    return {
        name: {re.sub(r"\d\d$", "<nn>", column) for column in many - _KEYS if not re.search(r"memory\d", column)}
        for name, many in found.items()
    } | {"memory": set(_flat(json.loads(encode(_MEMORY))))}


def page_part(name: str) -> str:
    """The columns of one table; `memory` is the JSON in the column of this name."""
    texts = _described()
    return table(
        ["field" if name == "memory" else "column", "what it holds"],
        [[code(column), texts[f"{name}/{column}"]["holds"]] for column in _ordered(name)],
    )


def _ordered(name: str) -> list[str]:
    return [key.partition("/")[2] for key in _described() if key.startswith(f"{name}/")]


@cache
def _described() -> dict[str, dict[str, Any]]:
    return described("tables", [f"{name}/{column}" for name, many in columns().items() for column in many])


def _entities() -> dict[str, list[Entity]]:
    """Rows of each table as the ledger makes them."""
    steps = [Step("erp-customer", "done", _NOW, "x")]
    ended = rows.ended(
        EVERYTHING,
        State.WAITING,
        now=_NOW,
        steps=steps,
        reason="erp-timeout",
        detail="x",
        system="erp",
        next_attempt=_NOW,
        published=True,
    )
    status = rows.to_status(ended)
    return {
        "records": [record_entity(EVERYTHING.session_id, _MEMORY, "x")],
        "events": [rows.started(EVERYTHING, steps, _NOW), ended, rows.resolved("x", by="y", now=_NOW)],
        "index": rows.index_rows(EVERYTHING),
        "problems": [rows.problem_row(status, "2026"), rows.behind_row(EVERYTHING, "erp", _NOW)],
        "systems": [_shared_state()],
        "references": [_shared_state()],
        "subscriptions": [_subscription()],
        "audit": _audit(),
        "bulks": [
            Bulk("x", Action.RETRY, "x", "x").as_columns(),
            Item("x").as_columns() | {"schema": rows.SCHEMA},
        ],
        "causes": [cause_note_row("x", CauseKey("x"), CauseNote("x", "x", "x", _NOW))],
        "exchanges": [exchange_row(EVERYTHING, 0, Call(Request("erp", "x", "PUT", "x"), None, _NOW, 0.0))],
    }


def _subscription() -> Entity:
    return to_entity(
        Subscription("x", "x", "x", ("x",), tables=("x",), flows=("x",), outcomes=("done",), created_at=_NOW)
    )


def _shared_state() -> Entity:
    """The state that instances share."""

    class Written:
        """Keeps what is inserted."""

        async def insert(self, entity: Entity) -> str:
            kept.append(entity)
            return ""

    kept: list[Entity] = []
    asyncio.run(TableState(cast(Table, Written())).write("erp", {}, None))
    return kept[0]


def _audit() -> list[Entity]:
    """What an action of support and an erasure write down, when they begin and when they are done."""

    class Written:
        """Keeps what is inserted, in whatever table."""

        def table(self, _name: str) -> "Written":
            return self

        async def insert_new(self, entity: Entity) -> bool:
            kept.append(entity)
            return True

    async def write() -> None:
        log = AuditLog(cast(Ledger, Written()), SystemClock())
        about = columns_of(Subject("x", "x", "x", count=1, bulk_id="x", changes="x", reason="x", correlation_id="x"))
        await log.end(await log.start("x", who="x", why="x", about={**about, "record": "x"}), "x", asdict(Erased()))

    kept: list[Entity] = []
    asyncio.run(write())
    return kept


def _read_from_events() -> set[str]:
    """Columns that are read from an event's row; some of them are not written by the worker."""
    (module,) = (it for it in modules() if it.path == REPOSITORY / "integration" / "ledger" / "rows.py")
    (reader,) = (
        it for it in module.tree.body if isinstance(it, ast.FunctionDef) and it.name == rows.to_status.__name__
    )
    asked = [
        call.args[0]
        for call in ast.walk(reader)
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "row.get" and call.args
    ]
    return {str(key.value) for key in asked if isinstance(key, ast.Constant)}


def _flat(content: Mapping[str, Any], before: str = "") -> Iterator[str]:
    """The names of fields, nested ones with dots; an answer or a list is one field."""
    for name, value in content.items():
        if isinstance(value, Mapping) and name != "answer":
            yield from _flat(value, f"{before}{name}.")
        else:
            yield f"{before}{name}"
