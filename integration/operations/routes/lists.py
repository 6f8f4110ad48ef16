"""Routes of the lists that people work from."""

import json
from typing import Any

import azure.functions as func

from integration.clock import iso
from integration.ledger.queries import Problem
from integration.operations.answers import as_json
from integration.operations.audit_query import AuditQuery
from integration.operations.requests import read_filter
from integration.operations.rights import Person, Right
from integration.operations.routes.admitted import ANONYMOUS, Operators
from integration.operations.search import Search
from integration.operations.status import to_json
from integration.tables import Entity


def blueprint(operators: Operators, search: Search, audit: AuditQuery) -> func.Blueprint:
    """The functions of these routes."""
    bp = func.Blueprint()

    @bp.route(route="operations/problems", methods=["GET"], auth_level=ANONYMOUS)
    @operators.only(Right.LOOK)
    async def list_problems(req: func.HttpRequest, by: Person) -> func.HttpResponse:  # noqa: ARG001 -- whoever may look
        found = await search.problems(read_filter(req.params))
        return as_json({"problems": [problem_as_json(it) for it in found]}, 200)

    @bp.route(route="operations/events", methods=["GET"], auth_level=ANONYMOUS)
    @operators.only(Right.LOOK)
    async def list_events(req: func.HttpRequest, by: Person) -> func.HttpResponse:  # noqa: ARG001 -- whoever may look
        page = await search.events(read_filter(req.params), before=req.params.get("before", ""))
        return as_json({"events": [to_json(it) for it in page.events], "following": page.following}, 200)

    @bp.route(route="operations/audit", methods=["GET"], auth_level=ANONYMOUS)
    @operators.only(Right.LOOK)
    async def list_audit(req: func.HttpRequest, by: Person) -> func.HttpResponse:  # noqa: ARG001 -- whoever may look
        page = await audit.page(req.params)
        return as_json({"entries": [_entry(it) for it in page.entries], "following": page.following}, 200)

    return bp


def problem_as_json(problem: Problem) -> dict[str, Any]:
    """A problem as support sees it."""
    return {
        "eventId": problem.event_id,
        "state": problem.state,
        "table": problem.table,
        "recordId": problem.record_id,
        "message": problem.message,
        "reason": problem.reason,
        "detail": problem.detail,
        "system": problem.system,
        "attempts": problem.attempts,
        "since": iso(problem.since) if problem.since else None,
        "nextAttempt": iso(problem.next_attempt) if problem.next_attempt else None,
    }


def _entry(entry: Entity) -> dict[str, Any]:
    """An entry of the audit without its empty columns; `outcome` is null if it is not known."""
    shown = {name: it for name, it in entry.items() if name not in _NOT_SHOWN and it != ""}
    changes = {"changes": json.loads(str(entry["changes"]))} if entry.get("changes") else {}
    return {**shown, **changes, "outcome": entry.get("outcome")}


_NOT_SHOWN = frozenset({"PartitionKey", "RowKey", "schema"})
