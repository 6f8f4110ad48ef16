"""Webhooks over a table and a queue in memory, with a receiver that answers as it is told."""

import asyncio
import json
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from azure.servicebus import ServiceBusMessage

from integration.clock import SystemClock
from integration.errors import IntegrationError, Transient
from integration.ledger import State
from integration.messaging.queue_sender import QueueSender
from integration.transport import AnyHost, Authorizer, CallContext, Limits, Request, Response, RetryPolicy, Transport
from integration.transport.exchange import NO_CONTEXT
from integration.webhooks.deliveries import Deliverer, Deliveries
from integration.webhooks.fan_out import FanOut
from integration.webhooks.store import Subscriptions
from integration.webhooks.subscribing import Subscribing, SubscriptionShown
from integration.worker.settled import encoded, settled_document
from tests.builders import event
from tests.memory_table import MemoryTable

START = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
URL = "https://flows.contoso.example/hook?sig=secret"
TABLES_OF = {"account": frozenset({"account"}), "erp_order": frozenset({"erp.order"})}


class Clock(SystemClock):
    time = START

    def now(self) -> datetime:
        return self.time


class Queue(QueueSender):
    """Keeps what is queued; `away` refuses it."""

    def __init__(self) -> None:
        super().__init__(self._nowhere, "webhooks", thread="test")
        self.messages: list[ServiceBusMessage] = []
        self.away = False

    @staticmethod
    def _nowhere() -> Any:
        raise AssertionError("nothing here connects")

    def submit(self, make: Callable[[], ServiceBusMessage]) -> "Future[None]":
        future: Future[None] = Future()
        if self.away:
            future.set_exception(Transient("away", reason="broker-unavailable"))
        else:
            self.messages.append(make())
            future.set_result(None)
        return future


class Receiver(Transport):
    """Answers with the next of `answers`, the last of them for ever: a status, or an error to raise."""

    def __init__(self) -> None:
        super().__init__([], clock=SystemClock())
        self.answers: list[int | IntegrationError] = [200]
        self.requests: list[Request] = []
        self.contexts: list[CallContext] = []

    async def send(
        self, request: Request, *, authorizer: Authorizer | None = None, context: CallContext = NO_CONTEXT
    ) -> Response:
        self.requests.append(request)
        self.contexts.append(context)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, IntegrationError):
            raise answer
        return Response(request, answer, {}, b"", None)


class World:
    """All parts together."""

    def __init__(self) -> None:
        self.clock, self.queue, self.receiver, self.table = Clock(), Queue(), Receiver(), MemoryTable("subscriptions")
        self.store = Subscriptions(self.table)
        self.subscribing = Subscribing(self.store, AnyHost(Limits()), TABLES_OF.keys(), self.clock)
        deliveries = Deliveries(self.queue)
        self.forbidden: set[tuple[str, str]] = set()
        self.fan_out = FanOut(
            self.store, deliveries, TABLES_OF, lambda owner, table: (owner, table) not in self.forbidden
        )
        policy = RetryPolicy(first_delay=timedelta(seconds=10))
        self.deliverer = Deliverer(self.store, deliveries, self.receiver, policy, self.clock, draw=lambda: 0.5)

    def subscribe(self, *, rights: frozenset[str] | None = None, **asked: Any) -> SubscriptionShown:
        body = json.dumps({"url": URL, **asked}).encode()
        return asyncio.run(self.subscribing.subscribe("flows", body, rights))

    def settle(self, state: State = State.COMPLETED, **changed: Any) -> None:
        """An event ends, and the hub has it."""
        document = settled_document(
            replace(event(), **({"table": "account"} | changed)), state, at=self.clock.now(), reason=None
        )
        asyncio.run(self.fan_out.take([encoded(document)]))

    def deliver(self) -> None:
        """Carry out the oldest message of the queue."""
        message = self.queue.messages.pop(0)
        asyncio.run(self.deliverer.deliver(b"".join(message.body)))

    def shown(self, made: SubscriptionShown, owner: str = "flows") -> SubscriptionShown:
        return asyncio.run(self.subscribing.one(owner, made.id))
