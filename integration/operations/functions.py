"""The HTTP triggers of support: status and health."""

import json
from collections.abc import Awaitable, Callable, Mapping

import azure.functions as func

from integration.admission import CallerKeys
from integration.errors import Rejected, Transient, Unavailable
from integration.operations.health import Health
from integration.operations.status import StatusQueries
from integration.problems import rejected, unavailable
from integration.public_address import PublicAddress
from integration.telemetry import get_logger

_log = get_logger(__name__)


def blueprint(
    operators: CallerKeys, senders: CallerKeys, status: StatusQueries, health: Health, address: PublicAddress
) -> func.Blueprint:
    """Bind status and health (open: load balancers and probes carry no key).

    `operators` see every status whole. `senders`, the callers of the intake, see how far an event of their own is.
    """
    bp = func.Blueprint()

    @bp.route(route="operations/{event_id?}", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
    async def operations(req: func.HttpRequest) -> func.HttpResponse:
        headers = {name.lower(): value for name, value in req.headers.items()}
        event_id = req.route_params.get("event_id")

        async def ask() -> func.HttpResponse:
            sender = senders.find(headers, req.params) if event_id else None
            if event_id and sender:
                progress = await status.progress(event_id, sender)
            else:
                operators.admit(headers, req.params)
                if not event_id:
                    return _json(await status.many(req.params), 200)
                progress = await status.one(event_id)
            if progress.settled:
                return _json(progress.body, 200)
            again = {
                "Location": address.of_status(event_id, req.url, headers),
                "Retry-After": str(progress.retry_after),
            }
            return _json(progress.body, 202, again)

        return await _answered(ask)

    @bp.route(route="health", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
    async def health_report(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001 -- the trigger's name for it
        report = await health.report()
        return _json(report, 200 if report["ready"] else 503)

    return bp


async def _answered(ask: Callable[[], Awaitable[func.HttpResponse]]) -> func.HttpResponse:
    """Never 500: whoever polls gives up on it."""
    try:
        return await ask()
    except Rejected as error:
        return rejected(error)
    except Transient as error:
        return unavailable(Unavailable(f"The ledger cannot be read now ({error.reason}).", retry_after=5))
    except Exception as error:  # noqa: BLE001 -- a defect of ours is no answer for a caller
        _log.error("status-failed", error=error)
        return unavailable(Unavailable("The status cannot be given because of a defect; ask again later."))


def _json(body: Mapping[str, object], status_code: int, headers: Mapping[str, str] | None = None) -> func.HttpResponse:
    return func.HttpResponse(
        json.dumps(body),
        status_code=status_code,
        mimetype="application/json",
        headers={"Cache-Control": "no-store", **(headers or {})},
    )
