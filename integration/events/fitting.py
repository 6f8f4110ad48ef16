"""Keeping an event within the size of a message of the queue."""

from dataclasses import replace
from typing import Any, Final, NamedTuple

from integration.events.contents import CARRIED, claimed
from integration.events.envelope import to_envelope
from integration.events.model import IntegrationEvent

DEFAULT_LIMIT_BYTES: Final = 192 * 1024
"""Leaves a quarter of a message of Service Bus Standard (256 KB) for its properties."""


class Fitted(NamedTuple):
    """An event as it is sent, its envelope, and what has to be kept in Blob Storage for it before it is sent."""

    event: IntegrationEvent
    envelope: bytes
    contents: bytes | None = None


def fit(event: IntegrationEvent, limit_bytes: int = DEFAULT_LIMIT_BYTES) -> Fitted:
    """`event` in an envelope of at most `limit_bytes`.

    What an event carries is what its handler has asked for because the row does not have it (parameters, images,
    values of that moment): it gets a claim. Of an event that carries nothing, the expected values and the names of the
    changed columns are left out, in this order: without them the worker waits longer for a commit, and looks at the row
    although nothing that matters may have changed. That is no reason to store a second copy of somebody's data.
    """
    envelope = to_envelope(event)
    if len(envelope) <= limit_bytes:
        return Fitted(event, envelope)
    contents = None
    if any(getattr(event, name) for name in CARRIED):
        event, contents = claimed(event)
        envelope = to_envelope(event)
    for name, nothing in (("expected", {}), ("changed_columns", None)):
        if len(envelope) > limit_bytes:
            less: dict[str, Any] = {name: nothing}
            event = replace(event, trimmed=True, **less)
            envelope = to_envelope(event)
    return Fitted(event, envelope, contents)
