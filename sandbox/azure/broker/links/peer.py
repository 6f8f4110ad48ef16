"""One connected client: gives each of its links the endpoint for the link's address."""

import logging
from typing import Any

from sandbox.azure.amqp.connection import Connection
from sandbox.azure.amqp.handler import Handler
from sandbox.azure.amqp.link import Delivery, Link
from sandbox.azure.amqp.performatives import DeliveryState, Error, SaslInit
from sandbox.azure.broker.entities.queue import Queue
from sandbox.azure.broker.entities.topic import Topic
from sandbox.azure.broker.errors import BrokerError, disabled, not_allowed
from sandbox.azure.broker.links.cbs import Grants, Known, TokenLink
from sandbox.azure.broker.links.endpoints import Endpoint, Scheduler
from sandbox.azure.broker.links.hub_reader import HubReader
from sandbox.azure.broker.links.intake import Intake
from sandbox.azure.broker.links.management import ManagementLink
from sandbox.azure.broker.links.receivers import QueueReceiver, SessionReceiver, has_session_filter
from sandbox.azure.broker.links.requests import ReplyLink, RequestLink
from sandbox.azure.broker.namespace import HubAddress, path_of
from sandbox.azure.shared_access import LISTEN, SEND, plain_key

log = logging.getLogger("sandbox.azure.broker")

_CBS, _MANAGEMENT = "$cbs", "$management"
_TRANSFER = "com.microsoft:transfer-destination-address"


class Peer(Handler):
    """A client. Its tokens are those of `known` keys and applications; without any keys, every token is accepted."""

    def __init__(self, scheduler: Scheduler, known: Known, idle_time_out: int) -> None:
        self.connection = Connection.server(self, idle_time_out=idle_time_out)
        self._scheduler = scheduler
        self._known = known
        self._grants = Grants()
        self._replies: dict[tuple[int, str], dict[str | None, ReplyLink]] = {}  # by session channel and node

    def on_sasl(self, init: SaslInit) -> bool:
        """PLAIN carries the name and the value of a key, and needs no tokens then; the others leave it to `$cbs`."""
        if not self._known.keys or init.mechanism != "PLAIN":
            return True
        key = plain_key(init.initial_response, self._known.keys)
        if key is not None:
            self._grants.by_path[""] = key.rights
        return key is not None

    def on_attach(self, link: Link) -> None:
        try:
            path = _path(link)
            if path.lower() == _CBS or path.lower().endswith(_MANAGEMENT):
                self._attach_node(link, path)
            elif link.is_sender:
                self._attach_receiver(link, path)
            else:
                self._attach_sender(link, path)
        except BrokerError as error:
            link.context = None
            link.refuse(error.condition, error.description)

    def _attach_node(self, link: Link, path: str) -> None:
        replies = self._replies.setdefault((link.session.channel, path.lower()), {})
        if link.is_sender:
            link.context = ReplyLink(link)
            replies[link.target.address if link.target else None] = link.context
            link.accept()
            return
        endpoint: RequestLink
        if path.lower() == _CBS:
            endpoint = TokenLink(self._scheduler, replies, self._known, self._grants)
        else:
            endpoint = ManagementLink(self._scheduler, replies, path[: -len(_MANAGEMENT)].strip("/"), self._require)
        link.context = endpoint
        endpoint.open(link)

    def _attach_sender(self, link: Link, path: str) -> None:
        self._require(SEND, path)
        if _TRANSFER in link.remote_properties:
            raise BrokerError(
                "amqp:not-implemented", "Sending via another entity is part of transactions: not simulated."
            )
        target = self._scheduler.namespace.resolve(path)
        readable = isinstance(target, HubAddress) and target.group is not None
        if readable or (isinstance(target, Queue) and target.is_dead_letters):
            raise not_allowed(f"Messages cannot be sent to '{path}'.")
        if isinstance(target, Queue) and not target.options.can_send:
            raise disabled(path)
        intake = link.context = Intake(self._scheduler, target)
        intake.open(link)

    def _attach_receiver(self, link: Link, path: str) -> None:
        self._require(LISTEN, path)
        source = self._scheduler.namespace.resolve(path)
        if isinstance(source, Queue) and not isinstance(source, Topic):
            if not source.options.can_receive:
                raise disabled(path)
            if source.options.forward_to:
                raise not_allowed("Cannot create a message receiver on an entity with auto-forwarding enabled.")
            kind = SessionReceiver if has_session_filter(link) else QueueReceiver
            receiver = link.context = kind(self._scheduler, link, source)
            receiver.open()
        elif isinstance(source, HubAddress) and source.partition is not None and source.group is not None:
            reader = link.context = HubReader(self._scheduler, link, source.partition, source.group)
            reader.open()
        else:
            raise not_allowed(f"Messages cannot be received from '{path}'.")

    def _require(self, right: str, path: str) -> None:
        if self._known.keys:
            self._grants.require(right, path)

    def on_flow(self, link: Link) -> None:
        if isinstance(link.context, Endpoint):
            link.context.on_flow(link)

    def on_transfer(self, link: Link, delivery: Delivery) -> None:
        if isinstance(link.context, Endpoint):
            link.context.on_transfer(link, delivery)

    def on_outcome(
        self, link: Link, delivery_id: int, context: Any, state: DeliveryState | None, settled: bool
    ) -> None:
        if isinstance(link.context, Endpoint):
            link.context.on_outcome(link, delivery_id, context, state, settled)

    def on_detach(self, link: Link, error: Error | None) -> None:
        log.debug("link %s has ended: %s", link.name, error)
        for replies in self._replies.values():
            for address in [key for key, value in replies.items() if value is link.context]:
                del replies[address]
        if isinstance(link.context, Endpoint):
            link.context.on_detach()


def _path(link: Link) -> str:
    """Where the client wants to send to or receive from."""
    terminus = link.source if link.is_sender else link.target
    asked = link.remote.target if link.remote else None
    if not link.is_sender and terminus is None and asked is not None:
        raise BrokerError("amqp:not-implemented", "Transactions are not simulated: there is no coordinator.")
    if terminus is not None and terminus.dynamic:
        raise BrokerError("amqp:not-implemented", "Nodes are not created by attaching to them: name an address.")
    if terminus is None or terminus.address is None:
        raise BrokerError("amqp:invalid-field", "A link needs an address.")
    return path_of(terminus.address)
