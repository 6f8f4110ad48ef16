"""What the endpoints of the intake answer over HTTP."""

import json
from collections.abc import Awaitable, Callable, Sequence

import azure.functions as func

from integration.errors import Rejected, Unavailable
from integration.intake.taking_in import Accepted, IntakeRequest
from integration.problems import rejected, unavailable
from integration.public_address import POLL_SECONDS, PublicAddress
from integration.telemetry import get_logger

_log = get_logger(__name__)

Answer = Callable[[IntakeRequest], Awaitable[func.HttpResponse]]


def accepting(take_in: Callable[[IntakeRequest], Awaitable[list[Accepted]]], address: PublicAddress) -> Answer:
    """The answer to a request that brings events."""

    async def answer(request: IntakeRequest) -> func.HttpResponse:
        accepted = await take_in(request)
        return _all_accepted(
            accepted, [address.of_outcome(it.event_id, request.url, request.headers) for it in accepted]
        )

    return answer


async def answered(req: func.HttpRequest, answer: Answer) -> func.HttpResponse:
    """Never answer 500: Dataverse does not send again after one, and other callers learn nothing from it."""
    try:
        headers = {name.lower(): value for name, value in req.headers.items()}
        return await answer(IntakeRequest(headers, req.params, req.get_body(), req.url))
    except Rejected as error:
        return rejected(error)
    except Unavailable as error:
        return unavailable(error)
    except Exception as error:  # noqa: BLE001 -- a defect of ours is no answer for a caller
        _log.error("intake-failed", error=error)
        return unavailable(Unavailable("The event could not be taken in because of a defect; send it again later."))


def events_accepted(accepted: Sequence[Accepted], *, status: int = 202) -> func.HttpResponse:
    """For senders that read no more of an answer than its status."""
    ids = [{"eventId": it.event_id, "status": it.status} for it in accepted]
    return func.HttpResponse(json.dumps({"events": ids}), status_code=status, mimetype="application/json")


def _all_accepted(accepted: Sequence[Accepted], addresses: Sequence[str]) -> func.HttpResponse:
    """For one event the same as elsewhere, for several what each is called and where to wait for its end."""
    if len(accepted) == 1:
        return _accepted(accepted[0], addresses[0])
    events = [
        {"eventId": it.event_id, "status": it.status, **({"location": address} if it.status == "accepted" else {})}
        for it, address in zip(accepted, addresses, strict=True)
    ]
    return func.HttpResponse(json.dumps({"events": events}), status_code=202, mimetype="application/json")


def _accepted(accepted: Accepted, outcome_address: str) -> func.HttpResponse:
    """A 202 as Logic Apps and Power Automate expect it: they poll the Location until it answers something else."""
    body = {"eventId": accepted.event_id, "correlationId": accepted.correlation_id, "status": accepted.status}
    headers = {"x-correlation-id": accepted.correlation_id}
    if accepted.status == "accepted":
        headers |= {"Location": outcome_address, "Retry-After": str(POLL_SECONDS)}
    more = {"unread": list(accepted.unread)} if accepted.unread else {}
    return func.HttpResponse(json.dumps(body | more), status_code=202, mimetype="application/json", headers=headers)
