"""The HTTP triggers of support: status and health."""

import azure.functions as func

from integration.operations.answers import answered, as_json
from integration.operations.health import Health
from integration.operations.rights import Right, Staff
from integration.operations.status import StatusQueries
from integration.public_address import PublicAddress

_AWAY = "The ledger cannot be read now"
_DEFECT = "The status cannot be given because of a defect; ask again later."


def blueprint(staff: Staff, status: StatusQueries, health: Health, address: PublicAddress) -> func.Blueprint:
    """Bind status and health (open: load balancers and probes carry no key)."""
    bp = func.Blueprint()

    @bp.route(route="operations/{event_id?}", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
    async def operations(req: func.HttpRequest) -> func.HttpResponse:
        headers = {name.lower(): value for name, value in req.headers.items()}
        event_id = req.route_params.get("event_id")

        async def ask() -> func.HttpResponse:
            unmasked = (await staff.admit(headers, req.params)).may(Right.PAYLOADS)
            if not event_id:
                return as_json(await status.many(req.params, unmasked=unmasked), 200)
            progress = await status.one(event_id, unmasked=unmasked)
            if progress.settled:
                return as_json(progress.body, 200)
            again = {
                "Location": address.of_status(event_id, req.url, headers),
                "Retry-After": str(progress.retry_after),
            }
            return as_json(progress.body, 202, again)

        return await answered(ask, away=_AWAY, defect=_DEFECT)

    @bp.route(route="health", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
    async def health_report(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001 -- the trigger's name for it
        report = await health.report()
        return as_json(report, 200 if report["ready"] else 503)

    return bp
