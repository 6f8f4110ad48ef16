"""How the administration API describes rules: RuleDescription, to and from XML."""

from collections.abc import Callable
from typing import Any

from sandbox.azure.broker.http.atom import (
    INSTANCE,
    SCHEMA,
    SERVICE_BUS,
    Markup,
    Node,
    child,
    element,
    instance_type,
    local_name,
    texts,
    timestamp,
)
from sandbox.azure.broker.rules.filters import CorrelationFilter, SqlFilter
from sandbox.azure.broker.rules.rule import Rule

_LEVEL = element("CompatibilityLevel", 20)
_READ: dict[str, Callable[[str], Any]] = {
    "int": int,
    "long": int,
    "double": float,
    "boolean": lambda text: text.lower() == "true",
}


def describe_rule(rule: Rule) -> str:
    """A rule's description."""
    kind, action = "EmptyRuleAction", Markup("")
    if rule.action is not None:
        kind, action = "SqlRuleAction", Markup.of((element("SqlExpression", rule.action.expression), _LEVEL))
    parts = (
        _filter(rule),
        element("Action", action, i__type=kind),
        element("CreatedAt", timestamp(rule.created_at)),
        element("Name", rule.name),
    )
    return element("RuleDescription", Markup.of(parts), xmlns=SERVICE_BUS, xmlns__i=INSTANCE)


def _filter(rule: Rule) -> str:
    if isinstance(rule.filter, CorrelationFilter):
        settings = rule.to_config()["CorrelationFilter"]
        properties = settings.pop("Properties")
        parts = [element(name, value) for name, value in settings.items()]
        if properties:
            parts.append(element("Properties", Markup.of(_property(*pair) for pair in properties.items())))
        return element("Filter", Markup.of(parts), i__type="CorrelationFilter")
    if not isinstance(rule.filter, SqlFilter):
        raise TypeError(f"{rule.filter!r} has no description")
    content = Markup.of((element("SqlExpression", rule.filter.expression), _LEVEL))
    return element("Filter", content, i__type=type(rule.filter).__name__)


def _property(name: str, value: Any) -> str:
    kinds = {bool: "boolean", int: "int", float: "double"}
    kind = "d6p1:" + kinds.get(type(value), "string")
    described = element("Value", value, i__type=kind, xmlns__d6p1=SCHEMA)
    return element("KeyValueOfstringanyType", Markup.of((element("Key", name), described)))


def rule_from(name: str, description: Node, created_at: int) -> Rule:
    """The rule in a posted description. Raises ValueError when it makes no sense."""
    wanted, action = child(description, "Filter"), child(description, "Action")
    settings: dict[str, Any] = {"FilterType": "True"}
    if wanted is not None and instance_type(wanted) == "CorrelationFilter":
        settings["FilterType"] = "Correlation"
        settings["CorrelationFilter"] = {**texts(wanted), "Properties": _properties(child(wanted, "Properties"))}
    elif wanted is not None:
        settings["FilterType"] = instance_type(wanted).removesuffix("Filter")
        settings["SqlFilter"] = {"SqlExpression": texts(wanted).get("SqlExpression", "")}
    if action is not None:
        settings["Action"] = {"SqlExpression": texts(action).get("SqlExpression")}
    return Rule.from_config(name, settings, created_at)


def _properties(node: Node | None) -> dict[str, Any]:
    found = {}
    for pair in node if node is not None else ():
        key, value = child(pair, "Key"), child(pair, "Value")
        if local_name(pair) == "KeyValueOfstringanyType" and key is not None and key.text and value is not None:
            found[key.text] = _READ.get(instance_type(value), str)(value.text or "")
    return found
