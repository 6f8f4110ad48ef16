"""Links on which clients send to a queue, a topic, a hub, or a partition."""

from sandbox.azure.amqp.errors import ProtocolError
from sandbox.azure.amqp.link import Delivery, Link
from sandbox.azure.amqp.message import BATCH_FORMAT, Sections, split_batch
from sandbox.azure.amqp.performatives import SETTLE_FIRST, Accepted, DeliveryState, Error, Rejected
from sandbox.azure.amqp.types import Described, ULong
from sandbox.azure.broker.entities.queue import Queue
from sandbox.azure.broker.errors import BrokerError, not_found, server_busy, unknown_transaction
from sandbox.azure.broker.links.endpoints import Endpoint, Scheduler
from sandbox.azure.broker.message import QUEUE_MESSAGE_LIMIT, BrokeredMessage
from sandbox.azure.broker.namespace import HubAddress

HUB_MESSAGE_LIMIT = 1_048_576
_CREDIT = 1000


class Intake(Endpoint):
    """Stores what is sent, batches as a whole or not at all, and accepts it once it is durable."""

    def __init__(self, scheduler: Scheduler, target: Queue | HubAddress) -> None:
        self._scheduler = scheduler
        self._target = target

    def open(self, link: Link) -> None:
        """Accepts the attach and lets messages come."""
        limit = HUB_MESSAGE_LIMIT if isinstance(self._target, HubAddress) else QUEUE_MESSAGE_LIMIT
        link.max_message_size = limit
        link.rcv_settle_mode = SETTLE_FIRST  # whatever was asked for: what is durable is settled at once
        link.accept(properties={"com.microsoft:max-message-batch-size": ULong(limit)})
        link.keep_granted(_CREDIT)

    def on_transfer(self, link: Link, delivery: Delivery) -> None:
        state = self._take(link, delivery)
        if link.is_half_used:
            self._scheduler.after_commit(link.replenish)
        if not delivery.settled:
            self._scheduler.after_commit(lambda: link.settle(delivery.delivery_id, state))

    def _take(self, link: Link, delivery: Delivery) -> DeliveryState:
        if delivery.size > link.max_message_size:
            description = (
                f"The received message (delivery-id:{delivery.delivery_id}, size:{delivery.size} bytes) exceeds the "
                f"limit ({link.max_message_size} bytes) currently allowed on the link."
            )
            return Rejected(Error("amqp:link:message-size-exceeded", description))
        try:
            if self._scheduler.faults.server_busy:
                raise server_busy()
            if isinstance(delivery.state, Described):
                raise unknown_transaction()
            is_batch = delivery.message_format == BATCH_FORMAT
            self._store(split_batch(delivery.payload) if is_batch else [delivery.payload])
        except BrokerError as error:
            return Rejected(Error(error.condition, error.description))
        except ProtocolError as error:
            return Rejected(Error(error.condition, error.description))
        return Accepted()

    def _store(self, encoded: list[bytes]) -> None:
        if isinstance(self._target, HubAddress):
            if self._target.hub.is_deleted:
                raise not_found(self._target.hub.name)
            events = [Sections.parse(data) for data in encoded]
            if events:
                partition = self._target.partition or self._target.hub.choose(events[0])
                for event in events:
                    partition.append(event)
            return
        messages = [BrokeredMessage.receive(data) for data in encoded]
        for message in messages:
            self._target.check(message)
        for message in messages:
            self._target.send(message)
        self._scheduler.namespace.engine.counters["sent"] += len(messages)
