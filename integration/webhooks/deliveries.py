"""Deliveries: messages of the queue of webhooks, and what is done with one of them."""

import asyncio
import dataclasses
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from azure.servicebus import ServiceBusMessage
from pydantic import AwareDatetime, BaseModel, ValidationError

from integration import signatures
from integration.clock import Clock
from integration.errors import IntegrationError, Throttled, Transient, Unreadable
from integration.messaging.queue_sender import QueueSender
from integration.telemetry import get_logger, recordings, spans
from integration.transport import CallContext, Request, RetryPolicy, Transport
from integration.webhooks.ended_event import EndedEvent
from integration.webhooks.store import Subscriptions, enabled
from integration.webhooks.subscription import Subscription

DISABLED_AFTER: Final = timedelta(days=1)
_HOLD_SECONDS: Final = 60.0
"""The queue gives up a message after a thousand deliveries: an outage of the tables may last for half a day."""
_log = get_logger(__name__)


class Delivery(BaseModel):
    """One notification for one subscription, as it waits in the queue."""

    owner: str
    subscription: str
    notification: EndedEvent
    attempt: int = 1
    first_failed_at: AwareDatetime | None = None
    traceparent: str | None = None
    tracestate: str | None = None

    @property
    def event_id(self) -> str:
        return self.notification.event_id

    @property
    def correlation_id(self) -> str:
        return self.notification.correlation_id

    @property
    def table(self) -> str:
        return self.notification.table

    @property
    def record_id(self) -> str | None:
        return self.notification.record_id

    @property
    def message(self) -> str:
        return self.notification.message

    @property
    def message_id(self) -> str:
        """The same for the same attempt, so that what is queued twice is delivered once where the broker can tell."""
        return f"{self.subscription}:{self.notification.id}#{self.attempt}"


class Deliveries:
    """Queues deliveries; raises `Transient` where the broker takes none."""

    def __init__(self, queue: QueueSender) -> None:
        self._queue = queue

    @property
    def queue_name(self) -> str:
        """The queue that they wait in."""
        return self._queue.name

    async def queue(self, deliveries: list[Delivery], due: datetime | None = None) -> None:
        """Queue them, to appear at `due` (UTC) or at once."""
        futures = [asyncio.wrap_future(self._queue.submit(partial(_message, it, due))) for it in deliveries]
        await asyncio.gather(*futures)


class Deliverer:
    """Delivers what comes out of the queue: signed, at least once, in no order.

    A receiver that answers 2xx has it. 410 ends the subscription; anything else, also a redirect, is tried again with
    the one retry policy. A subscription none of whose deliveries has succeeded for a day is switched off: what waits
    for it is dropped then, and a delivery that fails alone is given up when it is too old.
    """

    def __init__(
        self,
        store: Subscriptions,
        deliveries: Deliveries,
        transport: Transport,
        policy: RetryPolicy,
        clock: Clock,
        *,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._store = store
        self._deliveries = deliveries
        self._transport = transport
        self._policy = policy
        self._clock = clock
        self._draw = draw

    async def deliver(self, body: bytes) -> None:
        """Carry one message out. Raises `Unreadable`, and `Transient` where tables or broker are away."""
        try:
            delivery = Delivery.model_validate_json(body)
        except ValidationError:
            raise Unreadable("The message is no delivery of a webhook of this app.") from None
        try:
            with spans.recorded(recordings.of_delivery(delivery, self._deliveries.queue_name, delivery.traceparent)):
                await self._deliver(delivery)
        except Transient:
            await asyncio.sleep(_HOLD_SECONDS)  # raising at once would use them up within seconds
            raise

    async def _deliver(self, delivery: Delivery) -> None:
        to = await self._store.get(delivery.owner, delivery.subscription)
        if to is None or to.disabled_at is not None:
            _log.info("webhook-dropped", event=delivery, caller=delivery.owner, subscription=delivery.subscription)
            return
        try:
            failed, retry_after = await self._post(to, delivery)
        except Throttled as pause:
            await self._again(delivery, delivery.first_failed_at, pause.retry_after, pause.reason)
            return
        if failed is None:
            _log.info("webhook-delivered", event=delivery, caller=to.owner, subscription=to.id)
            if to.failing_since is not None:
                await self._store.change(to.owner, to.id, enabled)
        elif failed == "410":
            await self._store.remove(to.owner, to.id)
            _log.warning("webhook-removed", event=delivery, caller=to.owner, subscription=to.id)
        else:
            await self._failed(to, delivery, failed, retry_after)

    async def _post(self, to: Subscription, delivery: Delivery) -> tuple[str | None, float | None]:
        """What went wrong in a word, None if nothing did; and after how many seconds the receiver wants it again.

        Raises `Throttled` where nothing was sent because the host has asked for a pause: it is shared by the flows of
        many callers, so that is no failure of this receiver.
        """
        body = delivery.notification.model_dump_json(by_alias=True).encode()
        signed = signatures.signed(to.keys, delivery.notification.id, self._clock.now(), body)
        headers = {"Content-Type": "application/json", **signed}
        try:
            request = Request("webhook", "notify", "POST", to.url, headers, body)
            context = CallContext(traceparent=delivery.traceparent, tracestate=delivery.tracestate)
            answer = await self._transport.send(request, context=context)
        except Throttled:
            raise
        except IntegrationError as error:
            return error.reason, None
        return (None, None) if answer.ok else (str(answer.status), answer.retry_after)

    async def _failed(self, to: Subscription, delivery: Delivery, why: str, retry_after: float | None) -> None:
        now = self._clock.now()

        def note(it: Subscription) -> Subscription:
            since = it.failing_since or now
            off = now if now - since >= DISABLED_AFTER else None
            return dataclasses.replace(it, failing_since=since, failed_with=why, disabled_at=it.disabled_at or off)

        after = await self._store.change(to.owner, to.id, note)
        if after is None:
            return
        if after.disabled_at is not None:
            if after.disabled_at == now:
                _log.error("webhook-disabled", event=delivery, caller=to.owner, subscription=to.id, reason=why)
            return
        await self._again(delivery, delivery.first_failed_at or now, retry_after, why)

    async def _again(self, delivery: Delivery, first: datetime | None, retry_after: float | None, why: str) -> None:
        """Queue it for later, unless it has failed since `first`, and that is too long."""
        now = self._clock.now()
        delay = self._policy.next_delay(delivery.attempt, now - (first or now), retry_after, self._draw)
        owner, subscription = delivery.owner, delivery.subscription
        if delay is None:
            _log.error("webhook-given-up", event=delivery, caller=owner, subscription=subscription, reason=why)
            return
        again = delivery.model_copy(update={"attempt": delivery.attempt + 1, "first_failed_at": first})
        await self._deliveries.queue([again], now + delay)
        _log.warning("webhook-failed", event=delivery, caller=owner, subscription=subscription, reason=why)


def _message(delivery: Delivery, due: datetime | None) -> ServiceBusMessage:
    return ServiceBusMessage(
        delivery.model_dump_json().encode(),
        message_id=delivery.message_id,
        content_type="application/json",
        scheduled_enqueue_time_utc=due,
    )
