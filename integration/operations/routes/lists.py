"""Routes of the lists that people work from."""

import asyncio
import json
from typing import Any

import azure.functions as func

from integration.ledger import State
from integration.ledger.problems import Problem
from integration.operations.answers import as_json
from integration.operations.audit_query import AuditQuery
from integration.operations.causes import Causes
from integration.operations.figures import Figures
from integration.operations.masking import masked
from integration.operations.requests import read_filter, read_problem_state
from integration.operations.rights import Person, Right
from integration.operations.routes.admitted import ANONYMOUS, Operators
from integration.operations.search import Search
from integration.operations.status import iso_or_none, to_json
from integration.tables import Entity


def blueprint(operators: Operators, search: Search, audit: AuditQuery, figures: Figures) -> func.Blueprint:
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

    @bp.route(route="operations/causes", methods=["GET"], auth_level=ANONYMOUS)
    @operators.only(Right.LOOK)
    async def list_causes(req: func.HttpRequest, by: Person) -> func.HttpResponse:
        state = read_problem_state(req.params)
        return as_json(_causes(await figures.causes(await figures.series(), state), by), 200)

    @bp.route(route="operations/overview", methods=["GET"], auth_level=ANONYMOUS)
    @operators.only(Right.LOOK)
    async def list_overview(req: func.HttpRequest, by: Person) -> func.HttpResponse:  # noqa: ARG001 -- asks for all
        series = await figures.series()
        dead, waiting = await asyncio.gather(figures.causes(series), figures.causes(series, State.WAITING.value))
        body = {
            "deadLettered": _causes(dead, by),
            "waiting": _causes(waiting, by),
            "changes": {"lastHour": series.last_hour, "lastDay": series.day, "tenMinutes": series.changes},
            "takenAt": iso_or_none(series.at),
        }
        return as_json(body, 200)

    return bp


def _causes(found: Causes, person: Person) -> dict[str, Any]:
    """Groups of failing events as of `at`; `trend` has those that failed in each of the last 24 hours.

    `others` are events of further groups.
    """
    groups = [
        {
            "reason": it.reason,
            "system": it.system,
            "table": it.table,
            "count": it.count,
            "oldest": iso_or_none(it.oldest),
            "newest": iso_or_none(it.newest),
            "trend": it.trend,
            "example": it.example,
            "detail": masked(it.detail, person.may(Right.PAYLOADS)),
        }
        for it in found.causes
    ]
    return {
        "total": found.total,
        "others": found.others,
        "oldest": iso_or_none(found.oldest),
        "causes": groups,
        "at": iso_or_none(found.at),
    }


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
