"""The triggers of webhooks: the routes for subscribers, the reader of settled events, and deliveries."""

from collections.abc import Awaitable, Callable
from typing import List  # noqa: UP035 -- the runtime refuses list[...] as a trigger's annotation

import azure.functions as func
from pydantic import BaseModel

from integration.analytics.hub_trigger import on_settled_events
from integration.intake import IntakeRequest, TakingIn
from integration.operations.answers import answered, as_json
from integration.public_address import PublicAddress
from integration.telemetry import spans
from integration.webhooks.deliveries import Deliverer
from integration.webhooks.fan_out import FanOut
from integration.webhooks.subscribing import Subscribing

_SOURCE = "subscriptions"
_AWAY = "The subscriptions cannot be read or written now; repeat the request"
_DEFECT = "The request could not be carried out because of a defect; list your subscriptions before you repeat it."
_ANONYMOUS = func.AuthLevel.ANONYMOUS

Act = Callable[[func.HttpRequest, IntakeRequest, str], Awaitable[func.HttpResponse]]
"""Does what a caller of this name asks for."""
Trigger = Callable[[func.HttpRequest], Awaitable[func.HttpResponse]]


def routes(subscribing: Subscribing, taking_in: TakingIn, address: PublicAddress) -> func.Blueprint:
    """Bind the routes. Callers of the intake subscribe, where their rights have the endpoint `subscriptions`."""
    bp = func.Blueprint()
    for_callers = _for_callers_of(taking_in)

    @bp.route(route="subscriptions", methods=["POST"], auth_level=_ANONYMOUS)
    @for_callers
    async def subscribe(_req: func.HttpRequest, request: IntakeRequest, caller: str) -> func.HttpResponse:
        made = await subscribing.subscribe(caller, request.body, taking_in.tables_of(caller))
        where = f"{address.of_app(request.url, request.headers)}/api/subscriptions/{made.id}"
        return _answer(made, 201, {"Location": where})

    @bp.route(route="subscriptions", methods=["GET"], auth_level=_ANONYMOUS)
    @for_callers
    async def list_subscriptions(_req: func.HttpRequest, _request: IntakeRequest, caller: str) -> func.HttpResponse:
        return _answer(await subscribing.of(caller))

    @bp.route(route="subscriptions/{subscription_id}", methods=["GET"], auth_level=_ANONYMOUS)
    @for_callers
    async def show_subscription(req: func.HttpRequest, _request: IntakeRequest, caller: str) -> func.HttpResponse:
        return _answer(await subscribing.one(caller, req.route_params["subscription_id"]))

    @bp.route(route="subscriptions/{subscription_id}/renew", methods=["POST"], auth_level=_ANONYMOUS)
    @for_callers
    async def renew_subscription(req: func.HttpRequest, request: IntakeRequest, caller: str) -> func.HttpResponse:
        return _answer(await subscribing.renew(caller, req.route_params["subscription_id"], request.body))

    @bp.route(route="subscriptions/{subscription_id}", methods=["DELETE"], auth_level=_ANONYMOUS)
    @for_callers
    async def unsubscribe(req: func.HttpRequest, _request: IntakeRequest, caller: str) -> func.HttpResponse:
        await subscribing.end(caller, req.route_params["subscription_id"])
        return func.HttpResponse(status_code=204)

    return bp


def _for_callers_of(taking_in: TakingIn) -> Callable[[Act], Trigger]:
    """Decorates what a route does: it is called for whoever may subscribe; the others get 401, 403 or 429."""

    def decorate(act: Act) -> Trigger:
        async def trigger(req: func.HttpRequest) -> func.HttpResponse:
            headers = {name.lower(): value for name, value in req.headers.items()}
            request = IntakeRequest(headers, req.params, req.get_body(), req.url)

            async def ask() -> func.HttpResponse:
                caller = await taking_in.admit(request, _SOURCE)
                if request.body:
                    taking_in.check(request)
                return await act(req, request, caller)

            return await answered(ask, away=_AWAY, defect=_DEFECT)

        trigger.__name__ = getattr(act, "__name__", "")
        return trigger

    return decorate


def triggers(fan_out: FanOut, deliverer: Deliverer, *, hub: str, consumer_group: str, queue: str) -> func.Blueprint:
    """Bind the reader of settled events, which goes at its own pace, and the deliveries."""
    bp = func.Blueprint()

    @on_settled_events(bp, hub=hub, consumer_group=consumer_group, reader="webhook_fan_out")
    async def webhook_fan_out(events: List[func.EventHubEvent]) -> None:  # noqa: UP006 -- see the import
        await fan_out.take([event.get_body() for event in events])

    @bp.service_bus_queue_trigger(
        arg_name="message", queue_name=queue, connection="ServiceBus", data_type=func.DataType.BINARY
    )
    async def webhook_delivery(message: bytes, context: func.Context = spans.OUTSIDE) -> None:
        spans.invoked(context)
        await deliverer.deliver(message)

    return bp


def _answer(body: BaseModel, status: int = 200, headers: dict[str, str] | None = None) -> func.HttpResponse:
    return as_json(body.model_dump(mode="json", by_alias=True, exclude_none=True), status, headers)
