"""The ERP: customers and orders under their Dataverse ids; every write carries a state, not a change."""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal, TypeVar
from urllib.parse import quote, urlencode

from pydantic.alias_generators import to_camel

from integration.errors import IntegrationError, NotFound, Permanent, Stale
from integration.systems.messages import (
    NO_KEYS,
    Customer,
    CustomerKeys,
    CustomerMatch,
    CustomerReport,
    CustomerState,
    MatchKey,
    Message,
    Order,
    OrderReport,
    OrderState,
)
from integration.systems.odata.listing import Tables
from integration.systems.rest.calls import RestSystem, rest_failure
from integration.systems.rest.tables import RestTables
from integration.systems.safety import Safety
from integration.transport import NO_CONTEXT, Authorizer, CallContext, Response, Sender, validated
from integration.transport.problem import problem_of

State = TypeVar("State", bound=Message)


class StatusChange(Message):
    """A new status and why."""

    status: Literal["blocked", "on-hold"]
    reason: str
    source_version: int


class PutCustomer(Customer):
    """A customer as it is put. With `match`, the ERP looks for it where it has none under this id yet.

    It looks among its customers that belong to no other id, by number first, and takes the one that it finds.
    """

    match: CustomerKeys | None = None


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

    def __init__(
        self,
        sender: Sender,
        authorizer: Authorizer,
        base_url: str,
        *,
        service: str = "erp",
        match_by: Sequence[MatchKey] = (),
    ) -> None:
        self._system = RestSystem(sender, service, base_url.rstrip("/"), authorizer)
        self._match_by = match_by
        self.tables: Tables = RestTables(self._system)

    async def put_customer(
        self,
        customer_id: str,
        customer: Customer,
        *,
        key: str,
        known_by: CustomerKeys = NO_KEYS,
        context: CallContext = NO_CONTEXT,
        force: bool = False,
    ) -> CustomerState:
        """Create the customer or bring it to this state; `force`: also where the ERP holds a newer version.

        Where the settings name keys, the ERP itself looks for one that was there before, so no call comes between.
        """
        path = _forced(_customer(customer_id), force)
        keys = self._keys(known_by)
        body = customer
        if keys is not None:
            body = PutCustomer.model_construct(customer.model_fields_set | {"match"}, **dict(customer), match=keys)
        answer = await self._system.call("put customer", "PUT", path, body, key=key, context=context)
        return _state(CustomerState, answer)

    async def match_customer(
        self, customer_id: str, known_by: CustomerKeys, *, context: CallContext = NO_CONTEXT
    ) -> CustomerMatch:
        """Which customer `put_customer` would take now; changes nothing.

        Where the settings name no keys, the ERP is only asked whether it has one under this id.
        """
        keys = self._keys(known_by)
        if keys is None:
            try:
                state = await self.get_customer(customer_id, context=context)
            except NotFound:
                return CustomerMatch(outcome="new")
            return CustomerMatch(outcome="linked", numbers=(state.number,))
        asked = keys.model_dump(by_alias=True, exclude_none=True)
        path = f"{_customer(customer_id)}/match" + (f"?{urlencode(asked)}" if asked else "")
        return _state(CustomerMatch, await self._system.call("match customer", "GET", path, context=context))

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

    def _keys(self, known_by: CustomerKeys) -> CustomerKeys | None:
        """Of what a customer is known by, what the settings name, and the number that stands in Dataverse."""
        if not self._match_by:
            return None
        wanted = {"customerNumber", *self._match_by}
        return CustomerKeys(**{name: it for name, it in dict(known_by).items() if it and to_camel(name) in wanted})


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
    if answer.status in {409, 422} and problem is not None:
        service = answer.request.service
        says = f"{service} says about '{answer.request.operation}': {problem}; "
        match problem.kind:
            case "match-ambiguous":
                return Permanent(says + _CHOOSE, reason=f"{service}-match-ambiguous", service=service)
            case "match-taken":
                return Permanent(says + _CHOOSE, reason=f"{service}-match-taken", service=service)
            case "number-unknown":
                return Permanent(says + _CHOOSE, reason=f"{service}-number-unknown", service=service)
    if answer.status == 409 and problem is not None and problem.kind == "stale-version":
        return Stale(
            f"The ERP already holds a newer version ('{answer.request.operation}')", service=answer.request.service
        )
    return rest_failure(answer)


_CHOOSE = "write the number of the right one into the row, then send the event again"
