"""Routes that turn debug detail of a correlation id on and off."""

from datetime import timedelta
from typing import Any

import azure.functions as func

from integration.clock import iso
from integration.operations.answers import as_json
from integration.operations.debug_detail import DetailControl
from integration.operations.requests import DetailAsked, DetailEnded, read_body
from integration.operations.rights import Person, Right
from integration.operations.routes.admitted import ANONYMOUS, Operators
from integration.protection import Detail


def blueprint(operators: Operators, control: DetailControl) -> func.Blueprint:
    """The functions of these routes."""
    bp = func.Blueprint()

    @bp.route(route="operations/debug", methods=["GET"], auth_level=ANONYMOUS)
    @operators.only(Right.LOOK)
    async def list_debug_detail(req: func.HttpRequest, by: Person) -> func.HttpResponse:  # noqa: ARG001 -- whoever may look
        return as_json({"debug": [_shown(name, it) for name, it in (await control.running()).items()]}, 200)

    @bp.route(route="operations/debug", methods=["POST"], auth_level=ANONYMOUS)
    @operators.only(Right.REPAIR)
    async def operations_debug_on(req: func.HttpRequest, by: Person) -> func.HttpResponse:
        asked = read_body(DetailAsked, req.get_body())
        lasts = timedelta(minutes=asked.minutes)
        return as_json(_shown(*await control.turn_on(asked.correlation_id, lasts, by=by.name, why=asked.why)), 200)

    @bp.route(route="operations/debug/off", methods=["POST"], auth_level=ANONYMOUS)
    @operators.only(Right.REPAIR)
    async def operations_debug_off(req: func.HttpRequest, by: Person) -> func.HttpResponse:
        asked = read_body(DetailEnded, req.get_body())
        await control.turn_off(asked.correlation_id, by=by.name, why=asked.why)
        return as_json({"correlationId": asked.correlation_id, "until": None}, 200)

    return bp


def _shown(correlation_id: str, it: Detail) -> dict[str, Any]:
    return {
        "correlationId": correlation_id,
        "askedBy": it.by,
        "why": it.why,
        "since": iso(it.since),
        "until": iso(it.until),
    }
