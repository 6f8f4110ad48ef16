"""Rules of a subscription: a named filter, and perhaps an action that changes what passes it.

A rule is described as Config.json does it: {"FilterType": "Correlation" | "Sql" | "True" | "False",
"CorrelationFilter": {...}, "SqlFilter": {"SqlExpression"}, "Action": {"SqlExpression"}}.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.azure.broker.message import SYSTEM_PROPERTIES, BrokeredMessage
from sandbox.azure.broker.rules.filters import CorrelationFilter, FalseFilter, Filter, SqlFilter, TrueFilter
from sandbox.azure.broker.rules.sql import Parser
from sandbox.azure.broker.rules.sql_tokens import SqlError
from sandbox.azure.broker.rules.sql_values import Fields
from sandbox.azure.broker.rules.typed import TypedValue

DEFAULT_RULE = "$Default"
_RULE_NAME = "RuleName"  # the application property that names the rule whose action was applied
_CONFIG_NAMES = {  # the fields of the properties section -> the names in Config.json
    "content_type": "ContentType",
    "correlation_id": "CorrelationId",
    "subject": "Label",
    "message_id": "MessageId",
    "reply_to": "ReplyTo",
    "reply_to_group_id": "ReplyToSessionId",
    "group_id": "SessionId",
    "to": "To",
}


class SqlAction:
    """What a rule changes in the messages that it lets pass; raises `SqlError` when it cannot be parsed."""

    def __init__(self, expression: str, parameters: Mapping[str, Any] | None = None) -> None:
        self.expression, self.parameters = expression, dict(parameters or {})
        self._assignments = Parser(expression, self.parameters).action()
        for item in self._assignments:
            if item.scope == "sys" and item.name.lower() not in SYSTEM_PROPERTIES:
                raise SqlError(f"'sys.{item.name}' cannot be changed")

    def apply(self, message: BrokeredMessage) -> None:
        """Changes the message; each statement sees what those before it have done."""
        content = message.content
        for item in self._assignments:
            fields = Fields.of(message)
            value, name = None if item.value is None else item.value(fields), fields.named(item.name)
            if item.scope == "sys":
                content.set_property(SYSTEM_PROPERTIES[item.name.lower()], value)
            elif value is None:
                content.remove_application_property(name)
            else:
                content.add_application_properties({name: value})
        message.read_identity()


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `created_at` in milliseconds."""

    name: str
    filter: Filter
    action: SqlAction | None = None
    created_at: int = 0

    @classmethod
    def default(cls, created_at: int) -> "Rule":
        """The rule of a subscription that was created without one: everything passes."""
        return cls(DEFAULT_RULE, TrueFilter(), None, created_at)

    @classmethod
    def from_config(cls, name: str, properties: dict[str, Any], created_at: int) -> "Rule":
        """From Config.json's description. Raises `SqlError`, KeyError or TypeError when it is malformed."""
        action = properties.get("Action") or {}
        expression, parameters = action.get("SqlExpression"), _values(action.get("Parameters"))
        return cls(name, _filter(properties), SqlAction(expression, parameters) if expression else None, created_at)

    def to_config(self) -> dict[str, Any]:
        """The same as `from_config` takes it."""
        properties: dict[str, Any] = {}
        if isinstance(self.filter, CorrelationFilter):
            wanted = {_CONFIG_NAMES[name]: value for name, value in self.filter.system.items()}
            properties["FilterType"] = "Correlation"
            properties["CorrelationFilter"] = wanted | {"Properties": _written(self.filter.application)}
        elif isinstance(self.filter, SqlFilter):
            properties["FilterType"] = type(self.filter).__name__.removesuffix("Filter")
            properties["SqlFilter"] = _sql(self.filter)
        if self.action is not None:
            properties["Action"] = _sql(self.action)
        return properties

    def apply(self, message: BrokeredMessage) -> BrokeredMessage:
        """The copy of a message that this rule's action makes."""
        copy = message.copy()
        if self.action is not None:
            self.action.apply(copy)
            copy.content.add_application_properties({_RULE_NAME: self.name})
        return copy


def _filter(properties: dict[str, Any]) -> Filter:
    match properties.get("FilterType"):
        case "True":
            return TrueFilter()
        case "False":
            return FalseFilter()
        case "Sql":
            wanted = properties["SqlFilter"]
            return SqlFilter(wanted["SqlExpression"], _values(wanted.get("Parameters")))
    settings = properties["CorrelationFilter"]
    system = {key: value for key, value in settings.items() if key != "Properties"}
    return CorrelationFilter.named(system, _values(settings.get("Properties")))


def _sql(statement: SqlFilter | SqlAction) -> dict[str, Any]:
    parameters = {"Parameters": _written(statement.parameters)} if statement.parameters else {}
    return {"SqlExpression": statement.expression, **parameters}


def _written(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values as JSON; those that have a type of their own name it."""
    return {
        name: {"Type": value.kind, "Value": value.text} if isinstance(value, TypedValue) else value
        for name, value in values.items()
    }


def _values(written: Mapping[str, Any] | None) -> dict[str, Any]:
    return {
        name: TypedValue(value["Type"], value["Value"]) if isinstance(value, dict) else value
        for name, value in (written or {}).items()
    }
