"""The one event that every kind of payload becomes, the readers of payloads, and the envelope of the queue."""

from integration.events.envelope import from_envelope, to_envelope
from integration.events.fields import kept_correlation_id
from integration.events.fitting import fit
from integration.events.flat_row import read_flat_row
from integration.events.model import IntegrationEvent
from integration.events.plugin_event import read_plugin_event
from integration.events.remote_execution_context import read_context, read_contexts, read_remote_execution_context
from integration.events.values import Choice, Choices, Lookup, Money, Rows, Value
from integration.events.wants import Wants, WantsOf, nothing

__all__ = [
    "Choice",
    "Choices",
    "IntegrationEvent",
    "Lookup",
    "Money",
    "Rows",
    "Value",
    "Wants",
    "WantsOf",
    "fit",
    "from_envelope",
    "kept_correlation_id",
    "nothing",
    "read_context",
    "read_contexts",
    "read_flat_row",
    "read_plugin_event",
    "read_remote_execution_context",
    "to_envelope",
]
