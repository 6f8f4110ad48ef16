"""The HTTP triggers of what people do to events, records and systems, and of the lists that they work from."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import azure.functions as func

from integration.admission import CallerKeys
from integration.ledger import rows
from integration.ledger.queries import Problem
from integration.operations.answers import answered, as_json
from integration.operations.repair import Repair
from integration.operations.requests import Asked, ResyncAsked, RetryAsked, read_body, read_filter
from integration.operations.resync import Resync
from integration.operations.search import Search
from integration.operations.systems import SystemControl
from integration.protection import SystemState

_AWAY = "The request could not be carried out now; repeat it, nothing is done twice"
_DEFECT = "The request could not be carried out because of a defect; look at the log before you repeat it."


@dataclass(frozen=True, slots=True)
class Desk:
    """The services that the routes call."""

    repair: Repair
    resync: Resync
    systems: SystemControl
    search: Search


Action = Callable[[str], Awaitable[func.HttpResponse]]
"""Does what was asked for, for the caller of this name."""


def blueprint(operators: CallerKeys, desk: Desk) -> func.Blueprint:  # noqa: C901 -- one small function for each route
    """Bind the routes; each asks for an operations key, whose name goes into the audit.

    The lists' functions are named so that the host, which tries routes in the order of names, comes to them before
    `operations/{event_id?}`.
    """
    bp = func.Blueprint()

    async def admitted(req: func.HttpRequest, act: Action) -> func.HttpResponse:
        async def ask() -> func.HttpResponse:
            headers = {name.lower(): value for name, value in req.headers.items()}
            return await act(operators.admit(headers, req.params))

        return await answered(ask, away=_AWAY, defect=_DEFECT)

    @bp.route(route="operations/problems", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
    async def list_problems(req: func.HttpRequest) -> func.HttpResponse:
        async def act(by: str) -> func.HttpResponse:  # noqa: ARG001 -- whoever is admitted may look
            found = await desk.search.problems(read_filter(req.params))
            return as_json({"problems": [_problem(it) for it in found]}, 200)

        return await admitted(req, act)

    @bp.route(route="operations/systems", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
    async def list_systems(req: func.HttpRequest) -> func.HttpResponse:
        async def act(by: str) -> func.HttpResponse:  # noqa: ARG001 -- whoever is admitted may look
            states = await desk.systems.states()
            return as_json({"systems": [_system(name, state) for name, state in states.items()]}, 200)

        return await admitted(req, act)

    @bp.route(route="operations/{event_id}/retry", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
    async def operations_retry(req: func.HttpRequest) -> func.HttpResponse:
        async def act(by: str) -> func.HttpResponse:
            event_id, asked = req.route_params["event_id"], read_body(RetryAsked, req.get_body())
            sent = await desk.repair.retry(event_id, by=by, why=asked.why, force=asked.force, request=asked.request)
            return as_json({"eventId": sent, "replayOf": event_id}, 202)

        return await admitted(req, act)

    @bp.route(route="operations/{event_id}/discard", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
    async def operations_discard(req: func.HttpRequest) -> func.HttpResponse:
        async def act(by: str) -> func.HttpResponse:
            event_id, asked = req.route_params["event_id"], read_body(Asked, req.get_body())
            await desk.repair.discard(event_id, by=by, why=asked.why)
            return as_json({"eventId": event_id, "state": "discarded"}, 200)

        return await admitted(req, act)

    @bp.route(route="operations/{event_id}/restore", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
    async def operations_restore(req: func.HttpRequest) -> func.HttpResponse:
        async def act(by: str) -> func.HttpResponse:
            event_id, asked = req.route_params["event_id"], read_body(Asked, req.get_body())
            await desk.repair.restore(event_id, by=by, why=asked.why)
            return as_json({"eventId": event_id, "state": "dead-lettered"}, 200)

        return await admitted(req, act)

    @bp.route(route="operations/resync", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
    async def operations_resync(req: func.HttpRequest) -> func.HttpResponse:
        async def act(by: str) -> func.HttpResponse:
            asked = read_body(ResyncAsked, req.get_body())
            done = await desk.resync.resync(asked.table, asked.record_ids, by=by, why=asked.why)
            body = {"correlationId": done.correlation_id, "sent": list(done.sent), "left": list(done.left)}
            return as_json(body, 202)

        return await admitted(req, act)

    @bp.route(route="operations/systems/{system}/pause", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
    async def operations_pause(req: func.HttpRequest) -> func.HttpResponse:
        async def act(by: str) -> func.HttpResponse:
            system, asked = req.route_params["system"], read_body(Asked, req.get_body())
            return as_json(_system(system, await desk.systems.pause(system, by=by, why=asked.why)), 200)

        return await admitted(req, act)

    @bp.route(route="operations/systems/{system}/resume", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
    async def operations_resume(req: func.HttpRequest) -> func.HttpResponse:
        async def act(by: str) -> func.HttpResponse:
            system, asked = req.route_params["system"], read_body(Asked, req.get_body())
            return as_json(_system(system, await desk.systems.resume(system, by=by, why=asked.why)), 200)

        return await admitted(req, act)

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


def _system(name: str, state: SystemState) -> dict[str, Any]:
    """`phase` is the circuit breaker's; `pausedBy`, `why` and `since` are of a person's pause."""
    pause = state.pause
    return {
        "system": name,
        "phase": state.phase.value,
        "pausedBy": pause.by if pause else None,
        "why": pause.why if pause else state.why or None,
        "since": rows.iso(datetime.fromtimestamp(pause.since, UTC)) if pause else None,
    }
