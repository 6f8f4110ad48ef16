"""The HTTP triggers of support: status and health."""

import json
from collections.abc import Callable
from typing import Any

import azure.functions as func

from integration.admission import CallerKeys
from integration.errors import Rejected, Transient, Unavailable
from integration.operations.health import Health
from integration.operations.status import StatusQueries
from integration.problems import rejected, unavailable


def blueprint(callers: CallerKeys, status: StatusQueries, health: Health) -> func.Blueprint:
    """Bind status (with a key of its own kind) and health (open: load balancers and probes carry no key)."""
    bp = func.Blueprint()

    @bp.route(route="operations/{event_id?}", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
    def operations(req: func.HttpRequest) -> func.HttpResponse:
        def ask() -> dict[str, Any]:
            callers.admit({name.lower(): value for name, value in req.headers.items()}, req.params)
            event_id = req.route_params.get("event_id")
            return status.one(event_id) if event_id else status.many(req.params)

        return _answered(ask)

    @bp.route(route="health", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
    def health_report(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001 -- the trigger's name for it
        report = health.report()
        return _json(report, 200 if report["ready"] else 503)

    return bp


def _answered(ask: Callable[[], dict[str, Any]]) -> func.HttpResponse:
    try:
        return _json(ask(), 200)
    except Rejected as error:
        return rejected(error)
    except Transient as error:
        return unavailable(Unavailable(f"The ledger cannot be read now ({error.reason}).", retry_after=5))


def _json(body: dict[str, Any], status_code: int) -> func.HttpResponse:
    return func.HttpResponse(
        json.dumps(body), status_code=status_code, mimetype="application/json", headers={"Cache-Control": "no-store"}
    )
