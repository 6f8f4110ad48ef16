"""Telling operators, once for each cause, what needs somebody: as CloudEvents, to a webhook or through Event Grid."""

from integration.operations.operator_events.outbox import Delivery, OperatorEvents
from integration.operations.operator_events.webhook import Webhook

__all__ = ["Delivery", "OperatorEvents", "Webhook"]
