"""Delivers operator events to a topic of Event Grid, which passes them on to whoever has subscribed."""

import json
from collections.abc import Mapping
from typing import Any

from integration.errors import Transient
from integration.messaging.event_grid import EventGridTopic


class EventGridDelivery:
    """Publishes each event by itself."""

    def __init__(self, topic: EventGridTopic) -> None:
        self._topic = topic

    async def deliver(self, event: Mapping[str, Any]) -> None:
        """Returns when Event Grid has the event; raises `Transient` for any other answer, `Outage` for none."""
        answer = await self._topic.publish([json.dumps(event, separators=(",", ":")).encode()])
        if not answer.ok:
            raise Transient(
                f"Event Grid answered {answer.status} to an operators' event",
                reason="operator-events-refused",
                service="operator-events",
            )
