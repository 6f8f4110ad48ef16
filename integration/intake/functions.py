"""The HTTP triggers of the intake."""

import azure.functions as func

from integration.intake.answers import accepting, answered, events_accepted
from integration.intake.business_central_intake import BusinessCentralIntake
from integration.intake.erp_intake import ErpIntake
from integration.intake.intake import Intake
from integration.intake.taking_in import Accepted, IntakeRequest
from integration.public_address import PublicAddress
from integration.telemetry import spans


def blueprint(
    intake: Intake,
    erp: ErpIntake,
    business_central: BusinessCentralIntake,
    address: PublicAddress,
) -> func.Blueprint:
    """Bind the endpoints. They are anonymous at the host: the intake checks keys itself and says why it refuses."""
    bp = func.Blueprint()

    @bp.route(route="dataverse/webhook", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
    async def dataverse_webhook(req: func.HttpRequest, context: func.Context = spans.OUTSIDE) -> func.HttpResponse:
        spans.invoked(context)
        return await answered(req, accepting(intake.dataverse_webhook, address))

    @bp.route(route="events", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
    async def plugin_event(req: func.HttpRequest, context: func.Context = spans.OUTSIDE) -> func.HttpResponse:
        spans.invoked(context)
        return await answered(req, accepting(intake.plugin_event, address))

    @bp.route(route="rows", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
    async def flat_row(req: func.HttpRequest, context: func.Context = spans.OUTSIDE) -> func.HttpResponse:
        spans.invoked(context)
        return await answered(req, accepting(intake.row, address))

    @bp.route(route="erp/events/{name}", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
    async def erp_events(req: func.HttpRequest, context: func.Context = spans.OUTSIDE) -> func.HttpResponse:
        spans.invoked(context)

        async def take_in(request: IntakeRequest) -> list[Accepted]:
            return await erp.events(req.route_params["name"], request)

        return await answered(req, accepting(take_in, address))

    @bp.route(route="erp/business-central", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
    async def business_central_webhook(
        req: func.HttpRequest, context: func.Context = spans.OUTSIDE
    ) -> func.HttpResponse:
        spans.invoked(context)

        async def take_in(request: IntakeRequest) -> func.HttpResponse:
            token = business_central.handshake(request)
            if token is not None:
                return func.HttpResponse(token, status_code=200, mimetype="text/plain", headers=_AS_IT_IS)
            return events_accepted(await business_central.notifications(request))

        return await answered(req, take_in)

    return bp


_AS_IT_IS = {"X-Content-Type-Options": "nosniff"}
"""The token of a handshake comes from the caller: no browser is to take it for a page."""
