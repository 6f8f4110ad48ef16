"""A small blocking AMQP client on the sandbox's engine, for what the SDKs hide."""

import socket
import ssl
import time
from collections.abc import Callable, Iterable
from typing import Any, Self

from sandbox.azure.amqp import Connection, Delivery, Error, Handler, Link, Sections, Source, Target, build
from sandbox.azure.amqp.message import Properties
from sandbox.azure.amqp.performatives import DeliveryState, SaslInit


class AmqpClient(Handler):
    """One connection with one session; what happens is collected and waited for."""

    def __init__(self, port: int, tls: ssl.SSLContext | None = None, sasl: SaslInit | None = None) -> None:
        plain = socket.create_connection(("127.0.0.1", port))
        self.socket = plain if tls is None else tls.wrap_socket(plain, server_hostname="localhost")
        self.connection = Connection.client(self, container_id="test", hostname="localhost", sasl=sasl)
        self.session = self.connection.begin()
        self.errors: dict[Link, Error | None] = {}
        self.received: list[tuple[Link, Delivery]] = []
        self.outcomes: dict[int, DeliveryState | None] = {}
        self.settlements: dict[int, DeliveryState | None] = {}
        self.closed_with: Error | None = None
        self.lost = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if not self.connection.closed and not self.lost:
            self.connection.close()
            self.flush()
        self.socket.close()

    # ---- what happens

    def on_transfer(self, link: Link, delivery: Delivery) -> None:
        self.received.append((link, delivery))

    def on_outcome(
        self, link: Link, delivery_id: int, context: Any, state: DeliveryState | None, settled: bool
    ) -> None:
        self.outcomes[delivery_id] = state

    def on_settled(self, link: Link, delivery_id: int, state: DeliveryState | None) -> None:
        self.settlements[delivery_id] = state

    def on_close(self, error: Error | None) -> None:
        self.closed_with = error

    def on_detach(self, link: Link, error: Error | None) -> None:
        self.errors[link] = error

    # ---- what is done

    def flush(self) -> None:
        try:
            self.socket.sendall(self.connection.take_output())
        except OSError:
            self.lost = True

    def wait(self, condition: Callable[[], bool], seconds: float = 5.0) -> bool:
        """Sends and receives until the condition holds, at most that long; gives whether it does."""
        deadline = time.monotonic() + seconds
        while not condition():
            self.flush()
            self.socket.settimeout(max(0.001, deadline - time.monotonic()))
            try:
                data = self.socket.recv(65536)
            except TimeoutError:
                break
            except OSError:
                data = b""
            if not data:
                self.lost = True
                break
            self.connection.feed(data)
        self.flush()
        return condition()

    def wait_for_outcomes(self, numbers: Iterable[int], seconds: float = 5.0) -> bool:
        """Waits for the outcomes of all these deliveries of ours."""
        wanted = frozenset(numbers)
        return self.wait(lambda: self.outcomes.keys() >= wanted, seconds)

    def wait_for_settlements(self, numbers: Iterable[int], seconds: float = 5.0) -> bool:
        """Waits until the broker has settled all these deliveries of its own."""
        wanted = frozenset(numbers)
        return self.wait(lambda: self.settlements.keys() >= wanted, seconds)

    def drain(self, link: Link, seconds: float = 5.0) -> bool:
        """Takes what is there and gives back the rest of the credit."""
        link.request_drain()
        return self.wait(lambda: link.credit == 0, seconds)

    def sender(self, address: str) -> Link:
        link = self.session.attach_sender(f"s-{address}", Target(address))
        assert self.wait(lambda: link.credit > 0 or link in self.errors)
        return link

    def receiver(self, address: str, *, credit: int = 0, wait: bool = True, **options: Any) -> Link:
        name = options.pop("name", f"r-{address}-{len(self.session.links())}")
        source = Source(address, filter=options.pop("filter", None))
        link = self.session.attach_receiver(name, source, **options)
        if wait:
            assert self.wait(lambda: link.attached or link in self.errors)
            if credit:
                link.grant(credit)
                self.flush()
        return link

    def send(self, link: Link, payload: bytes, message_format: int = 0) -> DeliveryState | None:
        """Sends and gives the outcome."""
        number = link.send(payload, b"tag", message_format=message_format)
        assert self.wait(lambda: number in self.outcomes)
        return self.outcomes[number]

    def receive(self, count: int, seconds: float = 5.0) -> list[tuple[Delivery, Sections]]:
        """The next `count` messages, fewer when they do not come in time."""
        self.wait(lambda: len(self.received) >= count, seconds)
        taken, self.received = self.received[:count], self.received[count:]
        return [(delivery, Sections.parse(delivery.payload)) for _, delivery in taken]

    def settle(self, link: Link, delivery: Delivery, state: DeliveryState) -> DeliveryState | None:
        """Reports an outcome and gives the broker's answer."""
        link.dispose(delivery.delivery_id, state)
        assert self.wait(lambda: delivery.delivery_id in self.settlements)
        return self.settlements[delivery.delivery_id]

    def request(self, node: str, body: Any, **properties: Any) -> tuple[dict[str, Any], Any]:
        """One request to `$cbs` or `.../$management`: the answer's application properties and body."""
        replies = self.session.attach_receiver(f"replies-{node}", Source(node), target=Target("here"))
        requests = self.session.attach_sender(f"requests-{node}", Target(node))
        assert self.wait(lambda: replies.attached and requests.credit > 0)
        replies.grant(1)
        message = build(
            body,
            properties=Properties(message_id="1", reply_to="here"),
            application_properties={key.replace("_", "-"): value for key, value in properties.items()},
        )
        requests.send(message.encode(), b"request", settled=True)
        [(_, answer)] = self.receive(1)
        assert answer.property("correlation_id") == "1"
        replies.detach()
        requests.detach()
        return answer.application_properties(), answer.body()


def text(body: str, **properties: Any) -> bytes:
    """An encoded message with a text body and these properties."""
    return build(body.encode(), properties=Properties(**properties)).encode()
