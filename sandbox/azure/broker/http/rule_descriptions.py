"""How the administration API describes rules: RuleDescription, to and from XML."""

from collections.abc import Callable, Mapping
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
from sandbox.azure.broker.rules.rule import Rule, SqlAction
from sandbox.azure.broker.rules.typed import TypedValue

_DOTNET_TYPES = "http://schemas.microsoft.com/2003/10/Serialization/"
_INT_LIMIT = 1 << 31
_LEVEL = element("CompatibilityLevel", 20)
_READ: dict[str, Callable[[str], Any]] = {
    "string": str,
    **dict.fromkeys(("byte", "short", "int", "long", "unsignedByte", "unsignedShort", "unsignedInt"), int),
    **dict.fromkeys(("float", "double", "decimal"), float),
    "boolean": lambda text: text.lower() == "true",
}


def describe_rule(rule: Rule) -> str:
    """A rule's description."""
    kind, action = "EmptyRuleAction", Markup("")
    if rule.action is not None:
        kind, action = "SqlRuleAction", _statement(rule.action)
    parts = (
        _filter(rule),
        element("Action", action, i__type=kind),
        element("CreatedAt", timestamp(rule.created_at)),
        element("Name", rule.name),
    )
    return element("RuleDescription", Markup.of(parts), xmlns=SERVICE_BUS, xmlns__i=INSTANCE)


def _filter(rule: Rule) -> str:
    if isinstance(rule.filter, CorrelationFilter):
        settings, properties = rule.to_config()["CorrelationFilter"], rule.filter.application
        settings.pop("Properties")
        parts = [element(name, value) for name, value in settings.items()]
        if properties:
            parts.append(_named_values("Properties", properties))
        return element("Filter", Markup.of(parts), i__type="CorrelationFilter")
    if not isinstance(rule.filter, SqlFilter):
        raise TypeError(f"{rule.filter!r} has no description")
    return element("Filter", _statement(rule.filter), i__type=type(rule.filter).__name__)


def _statement(statement: SqlFilter | SqlAction) -> Markup:
    parts = [element("SqlExpression", statement.expression), _LEVEL]
    if statement.parameters:
        parts.append(_named_values("Parameters", statement.parameters))
    return Markup.of(parts)


def _named_values(name: str, values: Mapping[str, Any]) -> str:
    return element(name, Markup.of(_property(*pair) for pair in values.items()))


def _property(name: str, value: Any) -> str:
    kind, namespace = _kind(value), SCHEMA
    if kind == "guid":
        namespace = _DOTNET_TYPES
    text = value.text if isinstance(value, TypedValue) else value
    described = element("Value", text, i__type=f"d6p1:{kind}", xmlns__d6p1=namespace)
    return element("KeyValueOfstringanyType", Markup.of((element("Key", name), described)))


def _kind(value: Any) -> str:
    if isinstance(value, TypedValue):
        return value.kind
    if isinstance(value, int) and not isinstance(value, bool):
        return "int" if abs(value) < _INT_LIMIT else "long"
    return {bool: "boolean", float: "double"}.get(type(value), "string")


def rule_from(name: str, description: Node, created_at: int) -> Rule:
    """The rule in a posted description. Raises ValueError when it makes no sense."""
    wanted, action = child(description, "Filter"), child(description, "Action")
    settings: dict[str, Any] = {"FilterType": "True"}
    if wanted is not None and instance_type(wanted) == "CorrelationFilter":
        settings["FilterType"] = "Correlation"
        settings["CorrelationFilter"] = {**texts(wanted), "Properties": _properties(child(wanted, "Properties"))}
    elif wanted is not None:
        settings["FilterType"] = instance_type(wanted).removesuffix("Filter")
        settings["SqlFilter"] = _sql(wanted)
    if action is not None:
        settings["Action"] = _sql(action)
    return Rule.from_config(name, settings, created_at)


def _sql(node: Node) -> dict[str, Any]:
    return {"SqlExpression": texts(node).get("SqlExpression", ""), "Parameters": _properties(child(node, "Parameters"))}


def _properties(node: Node | None) -> dict[str, Any]:
    found = {}
    for pair in node if node is not None else ():
        key, value = child(pair, "Key"), child(pair, "Value")
        if local_name(pair) == "KeyValueOfstringanyType" and key is not None and key.text and value is not None:
            found[key.text] = _value(instance_type(value), value.text or "")
    return found


def _value(kind: str, text: str) -> Any:
    """A value from XML; those of types that JSON does not have are written with their type."""
    if kind in {"dateTime", "duration", "guid"}:
        return {"Type": kind, "Value": text}
    if kind not in _READ:
        raise ValueError(f"A rule's value cannot be of type '{kind}'.")
    return _READ[kind](text)
