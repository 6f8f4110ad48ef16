"""What events carry besides naming their record: the ledger does not keep it, their messages do."""

import asyncio
from collections.abc import Callable, Collection

from integration.claim_check import ClaimCheck
from integration.errors import Permanent, Rejected
from integration.events import IntegrationEvent, from_envelope
from integration.ledger import EventStatus, State
from integration.messaging import DeadLetterQueue

CarriedOf = Callable[[str, str], Collection[str]]
"""The columns and parameters whose values the events of a table's message carry, as the handler declares them."""


class Carried:
    """Finds the message of an event whose handler goes by what it carries. Raises `Rejected` (409) and `Transient`."""

    def __init__(self, letters: DeadLetterQueue, claim_check: ClaimCheck, carried_of: CarriedOf) -> None:
        self._letters = letters
        self._claim_check = claim_check
        self._carried_of = carried_of

    def names(self, original: EventStatus) -> frozenset[str]:
        """What its handler declares; empty where it goes by the row alone."""
        return frozenset(self._carried_of(original.table, original.message))

    async def event(self, original: EventStatus) -> IntegrationEvent:
        """The event as its message in the dead-letter queue has it, with what is kept for it in Blob Storage."""
        if original.state is State.WAITING:
            raise _cannot("What it carries is only in its copy in the queue: wait for its next attempt.")
        body = await asyncio.to_thread(self._letters.find, original.event_id)
        if body is None:
            raise _cannot(
                "Its message is not in the dead-letter queue any more, and with it went what it carries. Have what it "
                "was about sent anew, by whoever has sent it, and discard this event."
            )
        try:
            return await self._claim_check.redeemed(from_envelope(body))
        except Permanent as error:
            raise _cannot(f"Its message in the dead-letter queue cannot be read: {error}") from None


def _cannot(detail: str) -> Rejected:
    return Rejected(409, "The event cannot be sent again", detail)
