"""The HTTP triggers of the intake."""

import json

import azure.functions as func

from integration.errors import Rejected, Unavailable
from integration.intake.intake import Accepted, Intake, IntakeRequest
from integration.problems import rejected, unavailable


def blueprint(intake: Intake) -> func.Blueprint:
    """Bind the endpoints. They are anonymous at the host; the intake admits callers and says why not."""
    bp = func.Blueprint()

    @bp.route(route="dataverse/webhook", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
    async def dataverse_webhook(req: func.HttpRequest) -> func.HttpResponse:
        try:
            return _answer(await intake.dataverse_webhook(_request(req)))
        except Rejected as error:
            return rejected(error)
        except Unavailable as error:
            return unavailable(error)

    @bp.route(route="events", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
    async def plugin_event(req: func.HttpRequest) -> func.HttpResponse:
        try:
            return _answer(await intake.plugin_event(_request(req)))
        except Rejected as error:
            return rejected(error)
        except Unavailable as error:
            return unavailable(error)

    return bp


def _request(req: func.HttpRequest) -> IntakeRequest:
    return IntakeRequest({name.lower(): value for name, value in req.headers.items()}, req.params, req.get_body())


def _answer(accepted: Accepted) -> func.HttpResponse:
    body = {"eventId": accepted.event_id, "correlationId": accepted.correlation_id, "status": accepted.status}
    headers = {"x-correlation-id": accepted.correlation_id}
    if accepted.status == "accepted":
        headers["Location"] = f"/api/operations/{accepted.event_id}"
    return func.HttpResponse(json.dumps(body), status_code=202, mimetype="application/json", headers=headers)
