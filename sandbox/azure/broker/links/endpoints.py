"""The interface of the endpoints that serve links, and of the server that they use."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from sandbox.azure.amqp.link import Delivery, Link
from sandbox.azure.amqp.performatives import DeliveryState
from sandbox.azure.broker.namespace import Namespace


@dataclass(slots=True)
class Faults:
    """Faults that a test has asked for."""

    refuse: bool = False  # connections are not accepted, existing ones are dropped
    delay_ms: int = 0  # what clients send is processed after this delay
    server_busy: bool = False  # sends are rejected with com.microsoft:server-busy


class Timer(Protocol):
    """A scheduled call."""

    def cancel(self) -> None:
        """Cancels the call."""


class Scheduler(Protocol):
    """The server, as endpoints see it."""

    namespace: Namespace
    faults: Faults

    def after_commit(self, action: Callable[[], None]) -> None:
        """Runs `action` as soon as everything written so far is durable."""

    def after_pump(self, action: Callable[[], None]) -> None:
        """Runs `action` as soon as every possible delivery has been made."""

    def later(self, seconds: float, action: Callable[[], None]) -> Timer:
        """Runs `action` after some real time."""


class Endpoint:
    """Serves one link, as the `context` of the `Link`."""

    def on_flow(self, link: Link) -> None:
        """The peer has changed its credit."""

    def on_transfer(self, link: Link, delivery: Delivery) -> None:
        """The peer has sent a message."""

    def on_outcome(self, link: Link, delivery_id: int, token: Any, state: DeliveryState | None, settled: bool) -> None:
        """The peer reports the outcome of a message that it was sent."""

    def on_detach(self) -> None:
        """The link has ended."""


def new_tag() -> bytes:
    """A delivery tag that stands for no lock."""
    return uuid.uuid4().bytes_le
