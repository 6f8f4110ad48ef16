"""Filters of topic rules: what a rule looks for in a message."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from sandbox.azure.broker.message import SYSTEM_PROPERTIES, BrokeredMessage
from sandbox.azure.broker.rules.sql import Parser
from sandbox.azure.broker.rules.sql_values import Fields
from sandbox.azure.broker.rules.typed import TypedValue, plain


class Filter(Protocol):
    """Decides about a message."""

    def matches(self, message: BrokeredMessage) -> bool:
        """Whether the message passes."""


class SqlFilter:
    """A filter from an SQL expression and its parameters (`@name`); raises `SqlError` when it cannot be parsed."""

    def __init__(self, expression: str, parameters: Mapping[str, Any] | None = None) -> None:
        self.expression, self.parameters = expression, dict(parameters or {})
        self._evaluate = Parser(expression, self.parameters).condition()

    def matches(self, message: BrokeredMessage) -> bool:
        return self._evaluate(Fields.of(message)) is True


class TrueFilter(SqlFilter):
    """Lets everything pass."""

    def __init__(self) -> None:
        super().__init__("1=1")


class FalseFilter(SqlFilter):
    """Lets nothing pass."""

    def __init__(self) -> None:
        super().__init__("1=0")


@dataclass(frozen=True, slots=True)
class CorrelationFilter:
    """Every given system property and application property must be equal."""

    system: dict[str, str]  # by the field's name in the properties section
    application: dict[str, Any]

    @classmethod
    def named(cls, system: dict[str, Any], application: dict[str, Any] | None) -> "CorrelationFilter":
        """From system properties under the names that rules use, in any case. Raises ValueError for other names."""
        given = {key: value for key, value in system.items() if value is not None}
        for key in given:
            if key.lower() not in SYSTEM_PROPERTIES:
                raise ValueError(f"'{key}' is not a property that a correlation filter can name")
        return cls({SYSTEM_PROPERTIES[key.lower()]: value for key, value in given.items()}, dict(application or {}))

    def matches(self, message: BrokeredMessage) -> bool:
        content = message.content
        if any(content.property(name) != value for name, value in self.system.items()):
            return False
        if not self.application:
            return True
        given = content.application_properties()
        return all(key in given and _same(given[key], value) for key, value in self.application.items())


def _same(given: Any, wanted: Any) -> bool:
    """Whether two values are equal; Config.json may have written a number or a boolean as text."""
    given = plain(given)
    if isinstance(wanted, TypedValue):
        return bool(given == wanted.comparable())
    return bool(given == wanted) or (not isinstance(given, bytes) and str(given).lower() == str(wanted).lower())
