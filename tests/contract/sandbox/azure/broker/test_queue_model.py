"""A queue under any sequence of operations: nothing is lost, given twice or resurrected, and the store knows it all.

`BROKER_MODEL_EXAMPLES` sets how many sequences are tried (default 40, of up to 40 operations each).
"""

import os
import uuid
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from sandbox.azure.amqp import Properties, build
from sandbox.azure.broker.entities.engine import Engine
from sandbox.azure.broker.entities.options import QueueOptions
from sandbox.azure.broker.entities.sessions import Session
from sandbox.azure.broker.entities.store import Store
from sandbox.azure.broker.errors import BrokerError
from sandbox.azure.broker.message import BrokeredMessage, DeadLetterReason, State
from sandbox.azure.broker.namespace import Namespace
from sandbox.azure.broker.recovery import recover
from tests.contract.sandbox.azure.broker.still_clock import StillClock

EXAMPLES = int(os.environ.get("BROKER_MODEL_EXAMPLES", "40"))
LOCK_MS, SESSIONS = 30_000, ("A", "B", "C")


class FakeConsumer:
    """A receiving link that takes what it has credit for."""

    link_name = "fake"
    destructive = False

    def __init__(self) -> None:
        self.credit = 0
        self.delivered: list[BrokeredMessage] = []
        self.lost = False

    def wants(self) -> bool:
        return self.credit > 0

    def deliver(self, message: BrokeredMessage) -> None:
        assert message.lock_token is not None
        self.credit -= 1
        self.delivered.append(message)

    def session_lost(self) -> None:
        self.lost = True

    def entity_closed(self, error: BrokerError) -> None:
        raise AssertionError("nothing is deleted here")


class QueueMachine(RuleBasedStateMachine):
    """Sends, receives and settles, with and without sessions, while the clock moves."""

    requires_session = False

    def __init__(self) -> None:
        super().__init__()
        self.store = Store(":memory:")
        self.clock = StillClock()
        self.namespace = self._namespace()
        self.queue = self.namespace.queues["q"]
        self.sent: dict[str, BrokeredMessage] = {}
        self.done: set[str] = set()
        self.tokens: dict[uuid.UUID, str] = {}
        self.consumers: list[FakeConsumer] = []
        self.held: dict[int, Session] = {}

    def _namespace(self) -> Namespace:
        namespace = Namespace(Engine(self.store, self.clock))
        options = QueueOptions(LOCK_MS, 3, None, requires_session=self.requires_session)
        namespace.add_queue("q", options)
        return namespace

    def _pump(self) -> None:
        self.store.commit()
        self.namespace.engine.pump()
        self.store.commit()
        for consumer in self.consumers:
            for message in consumer.delivered:
                assert message.message_id not in self.done, "a completed message has come back"
                assert message.lock_token is not None
                self.tokens[message.lock_token] = message.message_id
            order = [message.sequence_number for message in consumer.delivered]
            assert order == sorted(order)
            consumer.delivered.clear()

    @rule(session=st.sampled_from(SESSIONS), delay=st.sampled_from([0, 0, 60_000]))
    def send(self, session: str, delay: int) -> None:
        name = str(len(self.sent))
        properties = Properties(message_id=name, group_id=session if self.requires_session else None)
        message = BrokeredMessage.receive(build(b"", properties=properties).encode())
        if delay:
            message.scheduled_for = self.clock.now() + delay
        self.queue.check(message)
        self.queue.send(message)
        self.sent[name] = message
        self._pump()

    @rule(credit=st.integers(1, 4), session=st.sampled_from(SESSIONS))
    def receive(self, credit: int, session: str) -> None:
        consumer = FakeConsumer()
        sessions = self.queue.sessions
        if sessions is not None:
            try:
                held = sessions.get(session)
                sessions.accept(held, consumer)
            except BrokerError:
                return
            self.held[id(consumer)] = held
        else:
            self.queue.add_consumer(consumer)
        consumer.credit = credit
        self.consumers.append(consumer)
        self.queue.changed()
        self._pump()

    @precondition(lambda self: self.consumers)
    @rule(data=st.data())
    def close(self, data: st.DataObject) -> None:
        consumer = self.consumers.pop(data.draw(st.integers(0, len(self.consumers) - 1)))
        session = self.held.pop(id(consumer), None)
        if session is None:
            self.queue.remove_consumer(consumer)
        elif not consumer.lost and self.queue.sessions is not None:
            self.queue.sessions.free(session, counted=False)
        self._pump()

    @precondition(lambda self: self.tokens)
    @rule(data=st.data(), how=st.sampled_from(["complete", "abandon", "release", "defer", "dead_letter", "renew"]))
    def settle(self, data: st.DataObject, how: str) -> None:
        token = data.draw(st.sampled_from(list(self.tokens)))
        known = token in self.queue.locks.by_token
        more: list[Any] = [DeadLetterReason("r")] if how == "dead_letter" else []
        try:
            getattr(self.queue, how)(token, *more)
        except BrokerError:
            assert not known
            return
        assert known, "a lock that was lost was good for something"
        if how == "complete":
            self.done.add(self.tokens[token])
        if how != "renew":
            del self.tokens[token]
        self._pump()

    @rule(seconds=st.integers(1, 70))
    def wait(self, seconds: int) -> None:
        self.clock.advance(seconds * 1000)
        self.namespace.expire()
        self._pump()

    @invariant()
    def every_message_is_somewhere(self) -> None:
        dead = self.queue.dead_letters
        assert dead is not None
        here = [item.message_id for queue in (self.queue, dead) for item in queue.messages.values()]
        assert sorted(here) == sorted(self.sent.keys() - self.done)

    @invariant()
    def what_is_locked_is_locked_once(self) -> None:
        locked = [item for item in self.queue.messages.values() if item.lock_token is not None]
        assert {item.lock_token for item in locked} == self.queue.locks.by_token.keys()

    @invariant()
    def what_nobody_holds_is_not_locked(self) -> None:
        for session in self.queue.sessions.sessions.values() if self.queue.sessions is not None else ():
            assert session.holder is not None or not session.locked

    @invariant()
    def the_store_knows_it_all(self) -> None:
        again = self._namespace()
        recover(again)
        for name, queue in (("q", self.queue), ("dead", self.queue.dead_letters)):
            other = again.queues["q"] if name == "q" else again.queues["q"].dead_letters
            assert queue is not None
            assert other is not None
            assert _summary(other.messages) == _summary(queue.messages)


def _summary(messages: dict[int, BrokeredMessage]) -> list[tuple[int, str, State, int]]:
    return sorted(
        (item.sequence_number, item.message_id, item.state, item.delivery_count) for item in messages.values()
    )


class SessionQueueMachine(QueueMachine):
    requires_session = True


TestPlainQueue = QueueMachine.TestCase
TestSessionQueue = SessionQueueMachine.TestCase
TestPlainQueue.settings = TestSessionQueue.settings = settings(
    max_examples=EXAMPLES, stateful_step_count=40, deadline=None
)
