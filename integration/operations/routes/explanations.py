"""Routes that explain one event: why it stands where it stands, and what was sent and what came back."""

from typing import Any, Final

import azure.functions as func

from integration.operations import explained
from integration.operations.answers import as_json
from integration.operations.exchanges import ExchangeQuery, exchange_as_json
from integration.operations.lookup import Looked, Lookup
from integration.operations.originals import possible
from integration.operations.rights import Person, Right
from integration.operations.routes.admitted import ANONYMOUS, Operators
from integration.operations.status import to_json


def blueprint(operators: Operators, lookup: Lookup, exchanges: ExchangeQuery) -> func.Blueprint:
    """The functions of these routes."""
    bp = func.Blueprint()

    @bp.route(route="operations/{event_id}/exchanges", methods=["GET"], auth_level=ANONYMOUS)
    @operators.only(Right.LOOK, Right.PAYLOADS)
    async def operations_exchanges(req: func.HttpRequest, by: Person) -> func.HttpResponse:
        found = await exchanges.of_event(req.route_params["event_id"], by)
        return as_json({"exchanges": [exchange_as_json(it) for it in found]}, 200)

    @bp.route(route="operations/{event_id}/explanation", methods=["GET"], auth_level=ANONYMOUS)
    @operators.only(Right.LOOK)
    async def operations_explanation(req: func.HttpRequest, by: Person) -> func.HttpResponse:
        return as_json(_explanation(await lookup.event(req.route_params["event_id"]), by), 200)

    return bp


def _explanation(looked: Looked, person: Person) -> dict[str, Any]:
    """Why an event stands where it stands, what to do and what a retry would do, as the console says it.

    `possible` are the actions that its state allows, whoever may do them; `near` are events of the record before and
    after it, newest first.
    """
    status = looked.status
    return {
        "event": to_json(status, unmasked=person.may(Right.PAYLOADS)),
        "why": explained.why(status),
        "advice": explained.advice(status),
        "retry": explained.retry(status, looked.effects, looked.carried),
        "possible": sorted(possible(status)),
        "actions": [{name: it.get(name) for name in _OF_ACTION} for it in looked.actions],
        "near": [
            {"eventId": it.event_id, "state": it.state.value, "message": it.message, "reason": it.reason}
            for it in looked.near
            if it.event_id != status.event_id
        ],
    }


_OF_ACTION: Final = ("time", "who", "what", "why", "outcome")
