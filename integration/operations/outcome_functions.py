"""The HTTP triggers for senders: how far an event of theirs is, and the address that says when it has ended.

Logic Apps and Power Automate ask the Location of a 202 again for as long as that answers 202. Then 2xx lets the flow go
on, and a 4xx that is not worth a retry makes the action fail, with the body as its output. So an event that needs a
person is 422 there: a flow whose author has not thought of it must not go on as if everything were done.
(learn.microsoft.com, "Asynchronous Request-Reply pattern": return a 4xx from the address of the status where the work
has failed.)
"""

import json

import azure.functions as func

from integration.admission import Senders
from integration.operations.answers import answered, as_json
from integration.operations.outcomes import EventOutcome, Outcomes
from integration.public_address import PublicAddress

_AWAY = "The ledger cannot be read now"
_DEFECT = "The outcome cannot be given because of a defect; ask again later."


def blueprint(outcomes: Outcomes, senders: Senders, address: PublicAddress) -> func.Blueprint:
    """Bind both routes; `senders` are the callers of the intake, and each sees its own events."""
    bp = func.Blueprint()

    @bp.route(route="events/{event_id}", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
    async def event_status(req: func.HttpRequest) -> func.HttpResponse:
        async def ask() -> func.HttpResponse:
            outcome, _ = await outcomes.of(req.route_params["event_id"], await senders.admit(_headers(req), req.params))
            return as_json(outcome.model_dump(mode="json"), 200)

        return await answered(ask, away=_AWAY, defect=_DEFECT)

    @bp.route(route="events/{event_id}/outcome", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
    async def event_outcome(req: func.HttpRequest) -> func.HttpResponse:
        async def ask() -> func.HttpResponse:
            headers = _headers(req)
            outcome, retry_after = await outcomes.of(
                req.route_params["event_id"], await senders.admit(headers, req.params)
            )
            again = {"Location": address.of_outcome(outcome.event_id, req.url, headers)}
            return awaited(outcome, again | {"Retry-After": str(retry_after)})

        return await answered(ask, away=_AWAY, defect=_DEFECT)

    return bp


def awaited(outcome: EventOutcome, again: dict[str, str]) -> func.HttpResponse:
    """202 with `again`, the headers that say where and when to ask; 200, or 422, once the event has ended."""
    body = outcome.model_dump(mode="json")
    if not outcome.ended:
        return as_json(body, 202, again)
    if outcome.outcome == "done":
        return as_json(body, 200)
    problem = {"type": "about:blank", "title": "The event was not carried out", "status": 422, **body}
    return func.HttpResponse(
        json.dumps(problem),
        status_code=422,
        mimetype="application/problem+json",
        headers={"Cache-Control": "no-store"},
    )


def _headers(req: func.HttpRequest) -> dict[str, str]:
    return {name.lower(): value for name, value in req.headers.items()}
