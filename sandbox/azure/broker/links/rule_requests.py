"""`$management` of subscriptions: add-rule, remove-rule, enumerate-rules.

https://learn.microsoft.com/azure/service-bus-messaging/service-bus-amqp-request-response#rule-operations
"""

from typing import Any

from sandbox.azure.amqp.types import Described, Int, Timestamp, ULong
from sandbox.azure.broker.entities.queue import Queue
from sandbox.azure.broker.entities.topic import Subscription
from sandbox.azure.broker.errors import BrokerError, not_allowed
from sandbox.azure.broker.links.requests import Request, Response
from sandbox.azure.broker.rules.filters import CorrelationFilter, FalseFilter, Filter, SqlFilter, TrueFilter
from sandbox.azure.broker.rules.rule import Rule, SqlAction
from sandbox.azure.broker.rules.typed import TypedValue

_DESCRIPTION, _NO_ACTION, _SQL_ACTION = ULong(0x13700000004), ULong(0x13700000005), ULong(0x13700000006)
_SQL, _TRUE, _FALSE, _CORRELATION = (ULong(0x1370000006 + index) for index in range(4))
_COMPATIBILITY_LEVEL = Int(20)
_CORRELATION_FIELDS = (  # in the order of the encoded list
    "correlation_id",
    "message_id",
    "to",
    "reply_to",
    "subject",
    "group_id",
    "reply_to_group_id",
    "content_type",
)


def add_rule(queue: Queue, request: Request) -> Response:
    """Adds a rule, made from its description."""
    subscription = _subscription(queue)
    name, description = request.argument("rule-name", str), request.argument("rule-description", dict)
    action = description.get("sql-rule-action")
    try:
        rule = Rule(
            name,
            _filter(description),
            SqlAction(_expression(action)) if action else None,
            queue.engine.clock.now(),
        )
    except ValueError as error:
        raise BrokerError("com.microsoft:argument-error", str(error)) from error
    subscription.add_rule(rule)
    return Response(200)


def remove_rule(queue: Queue, request: Request) -> Response:
    """Removes the rule of that name."""
    _subscription(queue).remove_rule(request.argument("rule-name", str))
    return Response(200)


def enumerate_rules(queue: Queue, request: Request) -> Response:
    """One page of rules; 204 after the last."""
    skip, top = request.number("skip"), request.number("top")
    page = list(_subscription(queue).rules.values())[skip:][:top]
    rules = [{"rule-description": _described(rule)} for rule in page]
    return Response(200 if rules else 204, body={"rules": rules})


def _subscription(queue: Queue) -> Subscription:
    if not isinstance(queue, Subscription):
        raise not_allowed("Only subscriptions have rules.")
    return queue


def _filter(description: dict[str, Any]) -> Filter:
    if "true-filter" in description:
        return TrueFilter()
    if "false-filter" in description:
        return FalseFilter()
    if "sql-filter" in description:
        return SqlFilter(_expression(description["sql-filter"]))
    wanted = description.get("correlation-filter")
    if not isinstance(wanted, dict):
        raise BrokerError("com.microsoft:argument-error", "The rule has no filter.")
    system = {key.replace("-", ""): value for key, value in wanted.items() if key != "properties"}
    return CorrelationFilter.named(system, _values(wanted.get("properties")))


def _values(given: Any) -> dict[str, Any]:
    try:
        return {str(key): TypedValue.from_amqp(value) for key, value in (given or {}).items()}
    except ValueError as error:
        raise BrokerError("com.microsoft:argument-error", str(error)) from error


def _expression(description: Any) -> str:
    expression = description.get("expression") if isinstance(description, dict) else None
    if not isinstance(expression, str):
        raise BrokerError("com.microsoft:argument-error", "'expression' is missing.")
    return expression


def _described(rule: Rule) -> Described:
    action = Described(_NO_ACTION, [])
    if rule.action is not None:
        action = Described(_SQL_ACTION, [rule.action.expression, _COMPATIBILITY_LEVEL])
    return Described(_DESCRIPTION, [_described_filter(rule.filter), action, rule.name, Timestamp(rule.created_at)])


def _described_filter(wanted: Filter) -> Described:
    match wanted:
        case TrueFilter():
            return Described(_TRUE, [])
        case FalseFilter():
            return Described(_FALSE, [])
        case SqlFilter():
            return Described(_SQL, [wanted.expression, _COMPATIBILITY_LEVEL])
        case CorrelationFilter():
            fields = [wanted.system.get(name) for name in _CORRELATION_FIELDS]
            values = {key: it.amqp() if isinstance(it, TypedValue) else it for key, it in wanted.application.items()}
            return Described(_CORRELATION, [*fields, values])
    raise TypeError(f"{wanted!r} has no encoding")
