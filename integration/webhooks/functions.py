"""The HTTP triggers of the doors."""

import json

import azure.functions as func

from integration.errors import Rejected, Unavailable
from integration.problems import rejected, unavailable
from integration.webhooks.doors import Accepted, DoorRequest, Doors


def blueprint(doors: Doors) -> func.Blueprint:
    """Bind the doors. They are anonymous at the host and admit callers themselves, with an answer that says why not."""
    bp = func.Blueprint()

    @bp.route(route="dataverse/webhook", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
    async def dataverse_webhook(req: func.HttpRequest) -> func.HttpResponse:
        try:
            return _answer(await doors.dataverse_webhook(_request(req)))
        except Rejected as error:
            return rejected(error)
        except Unavailable as error:
            return unavailable(error)

    @bp.route(route="events", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
    async def lean_event(req: func.HttpRequest) -> func.HttpResponse:
        try:
            return _answer(await doors.lean_event(_request(req)))
        except Rejected as error:
            return rejected(error)
        except Unavailable as error:
            return unavailable(error)

    return bp


def _request(req: func.HttpRequest) -> DoorRequest:
    return DoorRequest({name.lower(): value for name, value in req.headers.items()}, req.params, req.get_body())


def _answer(accepted: Accepted) -> func.HttpResponse:
    body = {"eventId": accepted.event_id, "correlationId": accepted.correlation_id, "status": accepted.status}
    headers = {"x-correlation-id": accepted.correlation_id}
    if accepted.status == "accepted":
        headers["Location"] = f"/api/operations/{accepted.event_id}"
    return func.HttpResponse(json.dumps(body), status_code=202, mimetype="application/json", headers=headers)
