"""The ERP: customers and orders under their Dataverse ids; every write carries a state, not a change."""

from collections.abc import Mapping
from typing import ClassVar, Literal, TypeVar
from urllib.parse import quote

from integration.errors import IntegrationError, Stale
from integration.systems.messages import (
    Customer,
    CustomerReport,
    CustomerState,
    Message,
    Order,
    OrderReport,
    OrderState,
)
from integration.systems.rest.calls import RestSystem, rest_failure
from integration.systems.safety import Safety
from integration.transport import NO_CONTEXT, Authorizer, CallContext, Response, Sender, validated
from integration.transport.problem import problem_of

State = TypeVar("State", bound=Message)


class StatusChange(Message):
    """A new status and why."""

    status: Literal["blocked", "on-hold"]
    reason: str
    source_version: int


class ErpClient:
    """`CustomerSystem`, `OrderSystem` and `ErpRecords` over a REST interface, which has all under their Dataverse ids.

    Every write carries an Idempotency-Key: the same key with the same content has one effect, however often it is
    sent. A PUT names what is ours, and the ERP keeps what it does not name. Raises what the transport raises; for
    refusals see `integration.systems.rest.calls.rest_failure`, and `Stale` when the ERP already holds a newer
    `source_version`.
    """

    safety: ClassVar[Mapping[str, Safety]] = dict.fromkeys(
        ("put_customer", "block_customer", "put_order", "hold_order"), Safety.KEY_HONOURED
    )

    def __init__(self, sender: Sender, authorizer: Authorizer, base_url: str, *, service: str = "erp") -> None:
        self._system = RestSystem(sender, service, base_url.rstrip("/"), authorizer)

    async def put_customer(
        self, customer_id: str, customer: Customer, *, key: str, context: CallContext = NO_CONTEXT, force: bool = False
    ) -> CustomerState:
        """Create the customer or bring it to this state; `force`: also where the ERP holds a newer version."""
        answer = await self._system.call(
            "put customer", "PUT", _forced(_customer(customer_id), force), customer, key=key, context=context
        )
        return _state(CustomerState, answer)

    async def get_customer(self, customer_id: str, *, context: CallContext = NO_CONTEXT) -> CustomerState:
        """The customer as the ERP has it; raises `NotFound`."""
        return _state(
            CustomerState, await self._system.call("get customer", "GET", _customer(customer_id), context=context)
        )

    async def block_customer(
        self, customer_id: str, *, reason: str, source_version: int, key: str, context: CallContext = NO_CONTEXT
    ) -> CustomerState:
        """Take no further orders for the customer; raises `NotFound`."""
        change = StatusChange(status="blocked", reason=reason, source_version=source_version)
        answer = await self._system.call(
            "block customer", "PATCH", _customer(customer_id), change, key=key, context=context
        )
        return _state(CustomerState, answer)

    async def put_order(
        self, order_id: str, order: Order, *, key: str, context: CallContext = NO_CONTEXT, force: bool = False
    ) -> OrderState:
        """Create the order or bring it to this state; `Permanent` when its customer is unknown; `force` as above."""
        path = _forced(_order(order_id), force)
        answer = await self._system.call("put order", "PUT", path, order, key=key, context=context)
        return _state(OrderState, answer)

    async def get_order(self, order_id: str, *, context: CallContext = NO_CONTEXT) -> OrderState:
        """The order as the ERP has it; raises `NotFound`."""
        return _state(OrderState, await self._system.call("get order", "GET", _order(order_id), context=context))

    async def hold_order(
        self, order_id: str, *, reason: str, source_version: int, key: str, context: CallContext = NO_CONTEXT
    ) -> OrderState:
        """Stop the order until somebody decides; raises `NotFound`."""
        change = StatusChange(status="on-hold", reason=reason, source_version=source_version)
        answer = await self._system.call("hold order", "PATCH", _order(order_id), change, key=key, context=context)
        return _state(OrderState, answer)

    async def order_report(self, record: str, *, context: CallContext = NO_CONTEXT) -> OrderReport:
        """How far the order has come; raises `NotFound`."""
        path = f"{_order(record)}/report"
        return _state(OrderReport, await self._system.call("order report", "GET", path, context=context))

    async def customer_report(self, record: str, *, context: CallContext = NO_CONTEXT) -> CustomerReport:
        """How the customer stands; raises `NotFound`."""
        path = f"{_customer(record)}/report"
        return _state(CustomerReport, await self._system.call("customer report", "GET", path, context=context))


def _forced(path: str, force: bool) -> str:
    return f"{path}?force=true" if force else path


def _customer(customer_id: str) -> str:
    return f"/api/customers/{quote(customer_id, safe='')}"


def _order(order_id: str) -> str:
    return f"/api/orders/{quote(order_id, safe='')}"


def _state(model: type[State], answer: Response) -> State:
    if answer.ok:
        return validated(model, answer)
    raise _refusal(answer)


def _refusal(answer: Response) -> IntegrationError:
    problem = problem_of(answer)
    if answer.status == 409 and problem is not None and problem.kind == "stale-version":
        return Stale(
            f"The ERP already holds a newer version ('{answer.request.operation}')", service=answer.request.service
        )
    return rest_failure(answer)
