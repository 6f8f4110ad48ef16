"""The HTTP trigger for Azure Event Grid."""

import json

import azure.functions as func

from integration.intake.answers import answered, events_accepted
from integration.intake.event_grid_intake import EventGridIntake
from integration.intake.taking_in import IntakeRequest
from integration.telemetry import spans


def blueprint(event_grid: EventGridIntake) -> func.Blueprint:
    """Bind the endpoint. It is anonymous at the host: the intake checks keys itself and says why it refuses."""
    bp = func.Blueprint()

    @bp.route(route="event-grid", methods=["POST", "OPTIONS"], auth_level=func.AuthLevel.ANONYMOUS)
    async def event_grid_delivery(req: func.HttpRequest, context: func.Context = spans.OUTSIDE) -> func.HttpResponse:
        spans.invoked(context)

        async def take_in(request: IntakeRequest) -> func.HttpResponse:
            if req.method == "OPTIONS":
                return func.HttpResponse(status_code=200, headers=await event_grid.allowed(request))
            taken = await event_grid.deliver(request)
            if isinstance(taken, str):
                return func.HttpResponse(json.dumps({"validationResponse": taken}), mimetype="application/json")
            return events_accepted(taken, status=200)  # Microsoft's SDK takes any other status for a failure

        return await answered(req, take_in)

    return bp
