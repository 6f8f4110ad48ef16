"""From settled events to deliveries: one for each subscription that wants to know of the event."""

from collections.abc import Callable, Mapping, Sequence

from integration.events.trace_state import tracestate
from integration.telemetry import get_logger, recordings
from integration.webhooks.deliveries import Deliveries, Delivery
from integration.webhooks.ended_event import of_settled
from integration.webhooks.store import Subscriptions

_log = get_logger(__name__)


class FanOut:
    """Queues deliveries for batches of the hub of settled events; raises `Transient` where tables or broker are away.

    A batch that comes again is queued again: deliveries are made at least once. `tables_of` has the tables of each
    flow; `may_know` says whether a caller may still be told of a table.
    """

    def __init__(
        self,
        store: Subscriptions,
        deliveries: Deliveries,
        tables_of: Mapping[str, frozenset[str]],
        may_know: Callable[[str, str], bool],
    ) -> None:
        self._store = store
        self._deliveries = deliveries
        self._tables_of = tables_of
        self._may_know = may_know

    async def take(self, bodies: Sequence[bytes]) -> None:
        """Queue what the subscribers of these documents have to be told."""
        subscribed = [it for it in await self._store.all() if it.disabled_at is None]
        if not subscribed:
            return
        found = [(told, _trace_context(body)) for body in bodies if (told := of_settled(body)) is not None]
        if len(found) < len(bodies):
            _log.warning("webhook-unreadable", count=len(bodies) - len(found))
        deliveries = [
            Delivery(owner=it.owner, subscription=it.id, notification=told, traceparent=parent, tracestate=state)
            for told, (parent, state) in found
            for it in subscribed
            if it.wants(told, self._tables_of) and self._may_know(it.owner, told.table)
        ]
        if deliveries:
            await self._deliveries.queue(deliveries)
            _log.info("webhook-queued", count=len(deliveries))


def _trace_context(body: bytes) -> tuple[str | None, str | None]:
    """Of a sampled event; without what the app says to itself in it."""
    parent, state = recordings.carried_by(body), recordings.state_carried_by(body)
    return parent, tracestate({"traceparent": parent, "tracestate": state}) if parent and state else None
