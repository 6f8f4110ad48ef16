"""The one event that every intake shape becomes."""

from integration.events.model import IntegrationEvent
from integration.events.values import (
    Choice,
    Choices,
    Lookup,
    Money,
    Rows,
    Value,
)

__all__ = ["Choice", "Choices", "IntegrationEvent", "Lookup", "Money", "Rows", "Value"]
