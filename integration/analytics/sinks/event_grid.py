"""The Event Grid sink: settled events as CloudEvents to a topic.

Source of the limits: learn.microsoft.com, "Azure Event Grid quotas and limits".
"""

from collections.abc import Sequence
from typing import Final

from integration.analytics.portions import ContentRefused, Portions
from integration.analytics.row import Row, encoded
from integration.analytics.sink import Receipt
from integration.errors import Outage, Throttled
from integration.messaging.event_grid import EventGridTopic

MOST_BYTES: Final = 1_000_000
"""Of one request: Event Grid takes 1 MB. Namespaces answer a larger one with 403, which may mean other things too."""
_SERVICE: Final = "event-grid"
_TOO_MUCH_OR_WRONG: Final = frozenset({400, 413})
"""Event Grid takes a request whole or not at all; after these, a smaller one may be taken."""


class EventGridSink:
    """Publishes batches of settled events; an event that is published again has the same id."""

    name = _SERVICE

    def __init__(self, topic: EventGridTopic, *, most_bytes: int = MOST_BYTES) -> None:
        self._topic = topic
        self._portions = Portions(_cloud_event, self._post, most_bytes)

    async def write(self, rows: Sequence[Row]) -> Receipt:
        """Publish the rows in requests that Event Grid takes."""
        return await self._portions.write(rows)

    async def _post(self, events: Sequence[bytes]) -> None:
        answer = await self._topic.publish(events)
        if answer.ok:
            return
        if answer.status in _TOO_MUCH_OR_WRONG:
            raise ContentRefused(f"Event Grid answered {answer.status}.")
        kind = Outage if answer.retry_after is None else Throttled
        raise kind(
            f"Event Grid answered {answer.status}; the events are published again later",
            reason="event-grid-refused",
            service=_SERVICE,
            retry_after=answer.retry_after,
        )


def _cloud_event(row: Row) -> bytes:
    """An event can end twice, as a dead letter and then resolved. CloudEvents wants another id for that."""
    document = dict(row.document or {})
    document["id"] = f"{document['id']}_{document['data']['state']}"
    return encoded(document)
