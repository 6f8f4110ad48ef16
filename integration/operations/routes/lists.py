"""Routes of the lists that people work from."""

import json
from typing import Any

import azure.functions as func

from integration.ledger.problems import Problem
from integration.operations.answers import as_json
from integration.operations.audit_query import AuditQuery
from integration.operations.masking import masked
from integration.operations.requests import read_filter
from integration.operations.rights import Person, Right
from integration.operations.routes.admitted import ANONYMOUS, Operators
from integration.operations.search import Search
from integration.operations.status import iso_or_none, to_json
from integration.tables import Entity


def blueprint(operators: Operators, search: Search, audit: AuditQuery) -> func.Blueprint:
    """The functions of these routes."""
    bp = func.Blueprint()

    @bp.route(route="operations/problems", methods=["GET"], auth_level=ANONYMOUS)
    @operators.only(Right.LOOK)
    async def list_problems(req: func.HttpRequest, by: Person) -> func.HttpResponse:
        page = await search.problem_page(read_filter(req.params), following=req.params.get("following", ""))
        found = [problem_as_json(it, by) for it in page.problems]
        return as_json({"problems": found, "following": page.following}, 200)

    @bp.route(route="operations/events", methods=["GET"], auth_level=ANONYMOUS)
    @operators.only(Right.LOOK)
    async def list_events(req: func.HttpRequest, by: Person) -> func.HttpResponse:
        page = await search.events(read_filter(req.params), following=req.params.get("following", ""))
        return as_json(
            {
                "events": [to_json(it, unmasked=by.may(Right.PAYLOADS)) for it in page.events],
                "following": page.following,
            },
            200,
        )

    @bp.route(route="operations/audit", methods=["GET"], auth_level=ANONYMOUS)
    @operators.only(Right.LOOK)
    async def list_audit(req: func.HttpRequest, by: Person) -> func.HttpResponse:  # noqa: ARG001 -- whoever may look
        page = await audit.page(req.params)
        return as_json({"entries": [_entry(it) for it in page.entries], "following": page.following}, 200)

    return bp


def problem_as_json(problem: Problem, person: Person) -> dict[str, Any]:
    """A problem as this person may see it."""
    return {
        "eventId": problem.event_id,
        "state": problem.state,
        "table": problem.table,
        "recordId": problem.record_id,
        "message": problem.message,
        "reason": problem.reason,
        "detail": masked(problem.detail, person.may(Right.PAYLOADS)),
        "system": problem.system,
        "attempts": problem.attempts,
        "since": iso_or_none(problem.since),
        "nextAttempt": iso_or_none(problem.next_attempt),
    }


def _entry(entry: Entity) -> dict[str, Any]:
    """An entry of the audit without its empty columns; `outcome` is null if it is not known."""
    shown = {name: it for name, it in entry.items() if name not in _NOT_SHOWN and it != ""}
    changes = {"changes": json.loads(str(entry["changes"]))} if entry.get("changes") else {}
    return {**shown, **changes, "outcome": entry.get("outcome")}


_NOT_SHOWN = frozenset({"PartitionKey", "RowKey", "schema"})
