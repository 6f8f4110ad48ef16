"""Routes of the lists that people work from."""

from typing import Any

import azure.functions as func

from integration.ledger import rows
from integration.ledger.queries import Problem
from integration.operations.answers import as_json
from integration.operations.requests import read_filter
from integration.operations.routes.admitted import ANONYMOUS, Operators
from integration.operations.search import Search


def blueprint(operators: Operators, search: Search) -> func.Blueprint:
    """Bind them."""
    bp = func.Blueprint()

    @bp.route(route="operations/problems", methods=["GET"], auth_level=ANONYMOUS)
    @operators.only
    async def list_problems(req: func.HttpRequest, by: str) -> func.HttpResponse:  # noqa: ARG001 -- whoever may look
        found = await search.problems(read_filter(req.params))
        return as_json({"problems": [_problem(it) for it in found]}, 200)

    return bp


def _problem(problem: Problem) -> dict[str, Any]:
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
        "since": rows.iso(problem.since) if problem.since else None,
        "nextAttempt": rows.iso(problem.next_attempt) if problem.next_attempt else None,
    }
