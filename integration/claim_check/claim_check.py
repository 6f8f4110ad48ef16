"""Keeps what an event carries apart from its message, gives it back to whoever works on the event, and removes it.

The blob is written before the message is sent, so that no message ever names what is not there. A crash between the two
leaves a blob without a message, which the sweep finds. It is removed after the event has ended well and before its
message is completed: a crash between those brings the message back, and its record knows that the event has ended.
"""

import asyncio

from integration.claim_check.names import folder_of, name_of
from integration.claim_check.store import ContentStore
from integration.errors import IntegrationError, Permanent
from integration.events import IntegrationEvent, fit
from integration.events.contents import with_contents
from integration.telemetry import get_logger

_log = get_logger(__name__)


class ClaimCheck:
    """Keeps contents in `store` where an envelope would have more than `limit_bytes`.

    Raises `Outage` (contents-unavailable) where Blob Storage cannot be reached.
    """

    def __init__(self, store: ContentStore, limit_bytes: int) -> None:
        self._store = store
        self._limit_bytes = limit_bytes

    async def fitted(self, event: IntegrationEvent) -> tuple[IntegrationEvent, bytes]:
        """The event as it may be sent, and its envelope; what does not fit into it is kept when this returns."""
        fitted = fit(event, self._limit_bytes)
        claim = fitted.event.claim
        if fitted.contents is not None and claim is not None:
            await asyncio.to_thread(self._store.put, name_of(event, claim), fitted.contents)
            _log.info("contents-kept", event=event, size_bytes=claim.size_bytes)
        return fitted.event, fitted.envelope

    async def redeemed(self, event: IntegrationEvent) -> IntegrationEvent:
        """The event with all that it carries.

        Raises `Permanent` (contents-missing, contents-changed) where that is missing, or differs from
        what was taken in.
        """
        if event.claim is None:
            return event
        contents = await asyncio.to_thread(self._store.get, name_of(event, event.claim))
        if contents is None:
            raise Permanent(
                "what the event carries is not in Blob Storage any more: have it sent anew by whoever has sent it, and "
                "discard this event",
                reason="contents-missing",
            )
        return with_contents(event, contents)

    async def forget(self, event: IntegrationEvent) -> None:
        """Remove what is kept for an event that needs it no more; what cannot be removed now is left to the sweep."""
        if event.claim is None:
            return
        try:
            await asyncio.to_thread(self._store.remove, name_of(event, event.claim))
        except IntegrationError as error:
            _log.warning("contents-not-removed", event=event, error=error)


async def erase(store: ContentStore, session_id: str) -> int:
    """Remove everything that is kept for the events of a record; returns how much it was.

    Raises `Outage` (contents-unavailable).
    """

    def remove() -> int:
        names = [it.name for it in store.kept(folder_of(session_id))]
        return sum(map(store.remove, names))

    return await asyncio.to_thread(remove)
